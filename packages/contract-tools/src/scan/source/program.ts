import { HOST_MODULE, type HostImport, isHostImport } from "@credlink/contracts-vm/inspect";
import { isSdkFile } from "../sdk.ts";
import type {
  ClassSyntax,
  Expression,
  FileSyntax,
  FunctionSyntax,
  Statement,
  TypeName,
  Variable,
} from "./syntax.ts";

/** A function or method of the sources, with what it is called by. */
export interface SourceFunction {
  /** `file#name` or `file#Class.name`. */
  readonly id: string;
  readonly file: FileSyntax;
  readonly owner: ClassSyntax | null;
  readonly syntax: FunctionSyntax;
  /** The host function that it stands for, null for all others. */
  readonly effect: HostImport | null;
  /** Whether it belongs to the SDK as this release has it: trusted, and no place to report. */
  readonly isSdk: boolean;
}

type Found =
  | { readonly kind: "function"; readonly function: SourceFunction }
  | { readonly kind: "class"; readonly class: ClassSyntax; readonly file: FileSyntax }
  | { readonly kind: "variable"; readonly variable: Variable; readonly file: FileSyntax }
  | { readonly kind: "file"; readonly file: FileSyntax };

/** A call in the sources, and whom it reaches. */
export interface ResolvedCall {
  readonly callee: SourceFunction | null;
  /** The object of a method call. */
  readonly receiver: Expression | null;
  readonly args: readonly Expression[];
  /** Name of a function that is not in the sources: the language's own. */
  readonly builtin: string | null;
}

/** Sources with their names resolved: scopes, imports, methods by their object's type. */
export class SourceProgram {
  readonly files: readonly FileSyntax[];
  readonly entry: FileSyntax;
  readonly functions: ReadonlyMap<string, SourceFunction>;
  private readonly byPath: ReadonlyMap<string, FileSyntax>;
  private readonly scopes = new Map<string, Scope>();

  constructor(files: readonly FileSyntax[], entry: FileSyntax) {
    this.files = files;
    this.entry = entry;
    this.byPath = new Map(files.map((file) => [file.path.replace(/\.ts$/, ""), file]));
    const functions = new Map<string, SourceFunction>();
    for (const file of files) {
      for (const syntax of file.functions) this.add(functions, file, null, syntax);
      for (const owner of file.classes) {
        for (const syntax of owner.methods) this.add(functions, file, owner, syntax);
      }
    }
    this.functions = functions;
  }

  private add(
    functions: Map<string, SourceFunction>,
    file: FileSyntax,
    owner: ClassSyntax | null,
    syntax: FunctionSyntax,
  ): void {
    const { external } = syntax;
    const name = external?.name ?? "";
    const effect = external?.module === HOST_MODULE && isHostImport(name) ? name : null;
    const id = idOf(file, owner, syntax.name);
    functions.set(id, { id, file, owner, syntax, effect, isSdk: isSdkFile(file) });
  }

  /** Methods that the entry file exports. */
  get methods(): readonly SourceFunction[] {
    const own = this.entry.functions.filter(({ isExported }) => isExported);
    const listed = [...this.entry.exports.values()];
    const names = [...own.map(({ name }) => name), ...listed];
    return names.flatMap((name) => {
      const found = this.resolve(this.entry, name);
      return found?.kind === "function" ? [found.function] : [];
    });
  }

  /** What a name of a file's top level means. */
  resolve(file: FileSyntax, name: string, depth = 0): Found | null {
    const own = this.functions.get(idOf(file, null, name));
    if (own !== undefined) return { kind: "function", function: own };
    const ownClass = file.classes.find((each) => each.name === name);
    if (ownClass !== undefined) return { kind: "class", class: ownClass, file };
    const variable = file.variables.find((each) => each.name === name);
    if (variable !== undefined) return { kind: "variable", variable, file };
    if (depth > 16) return null;
    for (const { names, from } of file.imports) {
      const other = this.byPath.get(from) ?? this.byPath.get(`${from}/index`);
      if (other === undefined) continue;
      const foreign = names.get(name);
      if (foreign === "*") return { kind: "file", file: other };
      if (foreign !== undefined) return this.resolve(other, foreign, depth + 1);
      if (names.get("*") === "*") {
        const found = this.resolve(other, name, depth + 1);
        if (found !== null) return found;
      }
    }
    return null;
  }

  classOf(file: FileSyntax, name: string): { class: ClassSyntax; file: FileSyntax } | null {
    const found = this.resolve(file, name);
    return found?.kind === "class" ? found : null;
  }

  methodOf(file: FileSyntax, className: string, name: string): SourceFunction | null {
    const found = this.classOf(file, className);
    if (found === null) return null;
    return this.functions.get(idOf(found.file, found.class, name)) ?? null;
  }

  scopeOf(of: SourceFunction): Scope {
    let scope = this.scopes.get(of.id);
    if (scope === undefined) {
      scope = new Scope(this, of);
      this.scopes.set(of.id, scope);
    }
    return scope;
  }
}

function idOf(file: FileSyntax, owner: ClassSyntax | null, name: string): string {
  return `${file.path}#${owner === null ? "" : `${owner.name}.`}${name}`;
}

/** The names and types inside one function. */
export class Scope {
  readonly function: SourceFunction;
  readonly variables = new Map<string, Variable>();
  private readonly program: SourceProgram;
  /** Names whose type is being asked: blocks may name variables after each other in a circle. */
  private readonly asked = new Set<string>();

  constructor(program: SourceProgram, of: SourceFunction) {
    this.program = program;
    this.function = of;
    for (const variable of declaredIn(of.syntax.body)) this.variables.set(variable.name, variable);
  }

  /** Position of a parameter, −1 when the name is none. */
  parameter(name: string): number {
    return this.function.syntax.parameters.findIndex((each) => each.name === name);
  }

  /** Whether the name is one of this function's own. */
  isLocal(name: string): boolean {
    return this.variables.has(name) || this.parameter(name) >= 0;
  }

  /** A variable of the file's top level. */
  global(name: string): Variable | null {
    if (this.isLocal(name)) return null;
    const found = this.program.resolve(this.function.file, name);
    return found?.kind === "variable" ? found.variable : null;
  }

  /** The type of an expression as far as names and declarations say it. */
  typeOf(expression: Expression): TypeName | null {
    switch (expression.type) {
      case "name":
        return this.typeOfName(expression.name);
      case "cast":
        return expression.target ?? notNull(this.typeOf(expression.operand));
      case "new":
        return simple(expression.className);
      case "index":
        return this.typeOf(expression.object)?.element ?? null;
      case "member":
        return this.typeOfMember(expression.object, expression.property);
      case "call": {
        const { callee, builtin } = this.resolveCall(expression);
        if (callee !== null) return callee.syntax.returnType;
        if (builtin === "load") return expression.typeArguments[0] ?? null;
        // A call of a type's name converts.
        return builtin === null ? null : simple(builtin);
      }
      case "binary":
        return this.typeOfBinary(expression);
      case "unary":
        return this.typeOf(expression.operand);
      case "choice":
        return this.typeOf(expression.whenTrue) ?? this.typeOf(expression.whenFalse);
      default:
        return null;
    }
  }

  private typeOfBinary(of: Extract<Expression, { type: "binary" }>): TypeName | null {
    if (/^(?:[<>]=?|[=!]==?|&&|\|\|)$/.test(of.operator)) return simple("bool");
    const left = this.typeOf(of.left);
    return left?.name === "u64" || left?.name === "i64" ? left : (this.typeOf(of.right) ?? left);
  }

  private typeOfName(name: string): TypeName | null {
    if (name === "this") {
      const { owner } = this.function;
      return owner === null ? null : simple(owner.name);
    }
    const parameter = this.function.syntax.parameters[this.parameter(name)];
    if (parameter !== undefined) return parameter.declaredType;
    const variable = this.variables.get(name) ?? this.global(name);
    if (variable === null || variable === undefined) return null;
    if (variable.declaredType !== null) return variable.declaredType;
    if (variable.initializer === null || this.asked.has(name)) return null;
    this.asked.add(name);
    const type = this.typeOf(variable.initializer);
    this.asked.delete(name);
    return type;
  }

  private typeOfMember(object: Expression, property: string): TypeName | null {
    const owner = this.typeOf(object);
    const found = owner === null ? null : this.program.classOf(this.function.file, owner.name);
    if (found === null) return null;
    const field = found.class.fields.find(({ name }) => name === property);
    if (field !== undefined) {
      return field.declaredType ?? (field.initializer && this.typeOf(field.initializer));
    }
    const maker = found.class.methods.find(({ name }) => name === "constructor");
    const parameter = maker?.parameters.find(({ name }) => name === property);
    const getter = found.class.methods.find(({ name }) => name === property);
    return parameter?.declaredType ?? getter?.returnType ?? null;
  }

  /** Whom a call or a `new` reaches. */
  resolveCall(of: Extract<Expression, { type: "call" | "new" }>): ResolvedCall {
    const { args } = of;
    const { file } = this.function;
    if (of.type === "new") {
      const callee = this.program.methodOf(file, of.className, "constructor");
      return { callee, receiver: null, args, builtin: null };
    }
    const { callee } = of;
    if (callee.type === "name") {
      const found = this.isLocal(callee.name) ? null : this.program.resolve(file, callee.name);
      if (found?.kind === "function") {
        return { callee: found.function, receiver: null, args, builtin: null };
      }
      return { callee: null, receiver: null, args, builtin: callee.name };
    }
    if (callee.type !== "member") return { callee: null, receiver: null, args, builtin: null };
    return this.resolveMember(callee.object, callee.property, args);
  }

  private resolveMember(
    object: Expression,
    property: string,
    args: readonly Expression[],
  ): ResolvedCall {
    const { file } = this.function;
    if (object.type === "name" && !this.isLocal(object.name)) {
      const found = this.program.resolve(file, object.name);
      if (found?.kind === "file") {
        const inside = this.program.resolve(found.file, property);
        const callee = inside?.kind === "function" ? inside.function : null;
        return { callee, receiver: null, args, builtin: null };
      }
      if (found?.kind === "class") {
        const callee = this.program.methodOf(file, object.name, property);
        return { callee, receiver: null, args, builtin: null };
      }
      if (found === null && object.name !== "this") {
        return { callee: null, receiver: null, args, builtin: `${object.name}.${property}` };
      }
    }
    const type = this.typeOf(object);
    const callee = type === null ? null : this.program.methodOf(file, type.name, property);
    return { callee, receiver: object, args, builtin: callee === null ? property : null };
  }
}

function simple(name: string): TypeName {
  return { name, isNullable: false, element: null };
}

function notNull(type: TypeName | null): TypeName | null {
  return type === null ? null : { ...type, isNullable: false };
}

/** Every variable that a body declares, at any depth. */
function declaredIn(body: Statement | null): readonly Variable[] {
  const found: Variable[] = [];
  visitStatements(body, (statement) => {
    if (statement.type === "variables") found.push(...statement.variables);
  });
  return found;
}

/** Visits a statement and all inside it, outermost first. */
export function visitStatements(
  statement: Statement | null,
  visit: (statement: Statement) => void,
): void {
  if (statement === null) return;
  visit(statement);
  if (statement.type === "block") {
    for (const each of statement.statements) visitStatements(each, visit);
  } else if (statement.type === "if") {
    visitStatements(statement.whenTrue, visit);
    visitStatements(statement.whenFalse, visit);
  } else if (statement.type === "loop") {
    visitStatements(statement.initializer, visit);
    visitStatements(statement.body, visit);
  } else if (statement.type === "switch") {
    for (const { statements } of statement.cases) {
      for (const each of statements) visitStatements(each, visit);
    }
  }
}

/** The expressions that stand directly in a statement. */
export function expressionsOf(statement: Statement): readonly Expression[] {
  switch (statement.type) {
    case "expression":
      return [statement.expression];
    case "variables":
      return statement.variables.flatMap(({ initializer }) => initializer ?? []);
    case "if":
      return [statement.condition];
    case "loop":
      return [statement.condition, statement.step].flatMap((each) => each ?? []);
    case "switch":
      return [statement.value, ...statement.cases.flatMap(({ label }) => label ?? [])];
    case "return":
      return statement.value === null ? [] : [statement.value];
    case "throw":
      return [statement.value];
    default:
      return [];
  }
}

/** The expressions directly inside another. */
export function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.type) {
    case "list":
      return expression.items;
    case "member":
      return [expression.object];
    case "index":
      return [expression.object, expression.index];
    case "call":
      return expression.callee.type === "member"
        ? [expression.callee.object, ...expression.args]
        : expression.args;
    case "new":
      return expression.args;
    case "binary":
      return [expression.left, expression.right];
    case "unary":
    case "cast":
      return [expression.operand];
    case "choice":
      return [expression.condition, expression.whenTrue, expression.whenFalse];
    case "other":
      return expression.parts;
    default:
      return [];
  }
}

/** Visits an expression and all inside it, outermost first. */
export function visitExpression(
  expression: Expression,
  visit: (expression: Expression) => void,
): void {
  visit(expression);
  for (const part of partsOf(expression)) visitExpression(part, visit);
}

/** Visits every expression of a body. */
export function visitBody(
  body: Statement | null,
  visit: (expression: Expression, statement: Statement) => void,
): void {
  visitStatements(body, (statement) => {
    for (const top of expressionsOf(statement)) {
      visitExpression(top, (each) => visit(each, statement));
    }
  });
}
