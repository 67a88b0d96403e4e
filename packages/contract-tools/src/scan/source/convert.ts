import * as ast from "assemblyscript";
import { lineStarts, placeOf } from "../../build/diagnostics.ts";
import type {
  Expression,
  FunctionSyntax,
  Parameter,
  Place,
  Statement,
  TypeName,
  Variable,
} from "./syntax.ts";

/** Bits of the parser's flags. @see CommonFlags of AssemblyScript */
const CONST = 8;
export const EXPORT = 2;
const STATIC = 32;
/** `readonly`, `public`, `private`, `protected`. */
const FIELD = 64 | 256 | 512 | 1024;

/** A type's name with its namespaces. */
export function fullName({ identifier, next }: ast.TypeName): string {
  return next === null ? identifier.text : `${identifier.text}.${fullName(next)}`;
}

/** A type by its outer name. */
export function typeNameOf(node: ast.TypeNode): TypeName {
  const { isNullable } = node;
  if (!(node instanceof ast.NamedTypeNode)) return { name: "function", isNullable, element: null };
  const [first] = node.typeArguments ?? [];
  const element = first === undefined ? null : typeNameOf(first);
  return { name: fullName(node.name), isNullable, element };
}

/** An expression; parentheses are gone. */
export function convertExpression(node: ast.Expression): Expression {
  const place = placeOfNode(node);
  if (node instanceof ast.ParenthesizedExpression) return convertExpression(node.expression);
  if (node instanceof ast.TrueExpression) return { type: "constant", value: "true", place };
  if (node instanceof ast.FalseExpression) return { type: "constant", value: "false", place };
  if (node instanceof ast.NullExpression) return { type: "constant", value: "null", place };
  if (node instanceof ast.IdentifierExpression) return { type: "name", name: node.text, place };
  if (node instanceof ast.IntegerLiteralExpression) {
    return { type: "integer", value: integerOf(node), place };
  }
  if (node instanceof ast.FloatLiteralExpression) return { type: "float", place };
  if (node instanceof ast.StringLiteralExpression) {
    return { type: "text", value: node.value, place };
  }
  if (node instanceof ast.ArrayLiteralExpression) {
    return { type: "list", items: node.elementExpressions.map(convertExpression), place };
  }
  return convertCompound(node);
}

function convertCompound(node: ast.Expression): Expression {
  const place = placeOfNode(node);
  const of = convertExpression;
  if (node instanceof ast.PropertyAccessExpression) {
    return { type: "member", object: of(node.expression), property: node.property.text, place };
  }
  if (node instanceof ast.ElementAccessExpression) {
    return { type: "index", object: of(node.expression), index: of(node.elementExpression), place };
  }
  if (node instanceof ast.CallExpression) {
    const typeArguments = (node.typeArguments ?? []).map(typeNameOf);
    const args = node.args.map(of);
    return { type: "call", callee: of(node.expression), typeArguments, args, place };
  }
  if (node instanceof ast.NewExpression) {
    const className = fullName(node.typeName);
    return { type: "new", className, args: node.args.map(of), place };
  }
  if (node instanceof ast.BinaryExpression) {
    const operator = ast.operatorTokenToString(node.operator);
    return { type: "binary", operator, left: of(node.left), right: of(node.right), place };
  }
  if (node instanceof ast.UnaryExpression) {
    const operator = ast.operatorTokenToString(node.operator);
    return { type: "unary", operator, operand: of(node.operand), place };
  }
  if (node instanceof ast.AssertionExpression) {
    const target = node.toType === null ? null : typeNameOf(node.toType);
    return { type: "cast", target, operand: of(node.expression), place };
  }
  if (node instanceof ast.TernaryExpression) {
    const { condition, ifThen, ifElse } = node;
    return {
      type: "choice",
      condition: of(condition),
      whenTrue: of(ifThen),
      whenFalse: of(ifElse),
      place,
    };
  }
  if (node instanceof ast.FunctionExpression) {
    const name = `function ${place.line}:${place.column}`;
    return { type: "function", function: { ...convertFunction(node.declaration), name }, place };
  }
  return { type: "other", parts: partsOf(node).map(of), place };
}

function partsOf(node: ast.Expression): readonly ast.Expression[] {
  if (node instanceof ast.CommaExpression) return node.expressions;
  if (node instanceof ast.TemplateLiteralExpression) return node.expressions;
  if (node instanceof ast.ObjectLiteralExpression) return node.values;
  if (node instanceof ast.InstanceOfExpression) return [node.expression];
  return [];
}

function integerOf(node: ast.IntegerLiteralExpression): bigint {
  const text = node.range.source.text.slice(node.range.start, node.range.end);
  return BigInt(text.replaceAll("_", ""));
}

/** A statement. Declarations inside functions are not AssemblyScript. */
export function convertStatement(node: ast.Statement): Statement {
  const place = placeOfNode(node);
  const of = convertExpression;
  if (node instanceof ast.BlockStatement) {
    return { type: "block", statements: node.statements.map(convertStatement), place };
  }
  if (node instanceof ast.ExpressionStatement || node instanceof ast.VoidStatement) {
    return { type: "expression", expression: of(node.expression), place };
  }
  if (node instanceof ast.VariableStatement) {
    return { type: "variables", variables: node.declarations.map(convertVariable), place };
  }
  if (node instanceof ast.IfStatement) {
    const whenFalse = node.ifFalse === null ? null : convertStatement(node.ifFalse);
    const whenTrue = convertStatement(node.ifTrue);
    return { type: "if", condition: of(node.condition), whenTrue, whenFalse, place };
  }
  if (node instanceof ast.ReturnStatement) {
    return { type: "return", value: node.value === null ? null : of(node.value), place };
  }
  if (node instanceof ast.ThrowStatement) return { type: "throw", value: of(node.value), place };
  if (node instanceof ast.BreakStatement) {
    return { type: "break", label: node.label?.text ?? null, place };
  }
  if (node instanceof ast.ContinueStatement) {
    return { type: "continue", label: node.label?.text ?? null, place };
  }
  if (node instanceof ast.SwitchStatement) {
    const cases = node.cases.map(({ label, statements }) => ({
      label: label === null ? null : of(label),
      statements: statements.map(convertStatement),
    }));
    return { type: "switch", value: of(node.condition), cases, place };
  }
  return convertLoop(node) ?? { type: "empty", place };
}

function convertLoop(node: ast.Statement): Statement | null {
  const place = placeOfNode(node);
  const of = convertExpression;
  const none = { type: "loop", initializer: null, step: null, isBodyFirst: false, place } as const;
  if (node instanceof ast.ForStatement) {
    return {
      ...none,
      initializer: node.initializer === null ? null : convertStatement(node.initializer),
      condition: node.condition === null ? null : of(node.condition),
      step: node.incrementor === null ? null : of(node.incrementor),
      body: convertStatement(node.body),
    };
  }
  if (node instanceof ast.WhileStatement) {
    return { ...none, condition: of(node.condition), body: convertStatement(node.body) };
  }
  if (node instanceof ast.DoStatement) {
    const body = convertStatement(node.body);
    return { ...none, condition: of(node.condition), body, isBodyFirst: true };
  }
  if (node instanceof ast.ForOfStatement) {
    return { ...none, condition: of(node.iterable), body: convertStatement(node.body) };
  }
  return null;
}

export function convertVariable(declaration: ast.VariableLikeDeclarationStatement): Variable {
  const { name, type, initializer, flags } = declaration;
  return {
    name: name.text,
    declaredType: type === null ? null : typeNameOf(type),
    initializer: initializer === null ? null : convertExpression(initializer),
    isConstant: (flags & CONST) !== 0,
    place: placeOfNode(declaration),
  };
}

export function convertFunction(
  declaration: ast.FunctionDeclaration | ast.MethodDeclaration,
): FunctionSyntax {
  const { name, signature, body, flags } = declaration;
  return {
    name: name instanceof ast.ConstructorExpression ? "constructor" : name.text,
    parameters: signature.parameters.map(convertParameter),
    returnType: typeNameOf(signature.returnType),
    body: body === null ? null : convertStatement(body),
    isExported: (flags & EXPORT) !== 0,
    isStatic: (flags & STATIC) !== 0,
    external: externalOf(declaration.decorators ?? []),
    place: placeOfNode(declaration),
  };
}

function convertParameter(parameter: ast.ParameterNode): Parameter {
  return {
    name: parameter.name.text,
    declaredType: typeNameOf(parameter.type),
    isField: (parameter.flags & FIELD) !== 0 || parameter.implicitFieldDeclaration !== null,
  };
}

/** `@external("module", "name")`, or with the name alone. */
function externalOf(decorators: readonly ast.DecoratorNode[]): FunctionSyntax["external"] {
  for (const { name, args } of decorators) {
    if (!(name instanceof ast.IdentifierExpression) || name.text !== "external") continue;
    const texts = (args ?? []).map((arg) =>
      arg instanceof ast.StringLiteralExpression ? arg.value : "",
    );
    const [first = "", second] = texts;
    return second === undefined ? { module: "env", name: first } : { module: first, name: second };
  }
  return null;
}

/** Place of a node of a file. */
export function placeOfNode(node: ast.Node): Place {
  return placeIn(node.range.source.normalizedPath, node.range);
}

/** Lines of a file, found once: every node asks for its place. */
const startsOf = new WeakMap<ast.Source, readonly number[]>();

export function placeIn(file: string, { source, start }: ast.Range): Place {
  let starts = startsOf.get(source);
  if (starts === undefined) {
    starts = lineStarts(source.text);
    startsOf.set(source, starts);
  }
  return { file, ...placeOf(starts, start) };
}
