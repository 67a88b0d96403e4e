import * as ast from "assemblyscript";
import type { SourceReader } from "../../build/compile.ts";
import { ContractToolsError, withinStack } from "../../errors.ts";
import { convertStatement, convertVariable, placeIn, placeOfNode, typeNameOf } from "./convert.ts";
import type {
  ClassSyntax,
  FileSyntax,
  FunctionSyntax,
  ImportSyntax,
  Parameter,
  Place,
  Variable,
} from "./syntax.ts";

/**
 * Parses a contract's entry file and every file that it imports, with the compiler's own parser.
 * @throws ContractToolsError TOOLS_COMPILE_FAILED with the first place that does not parse, or the
 *   import that leads nowhere; TOOLS_NESTED_TOO_DEEP
 */
export function parseSources(reader: SourceReader, entry: string): readonly FileSyntax[] {
  return withinStack(entry, () => parseAll(reader, entry));
}

function parseAll(reader: SourceReader, entry: string): readonly FileSyntax[] {
  const program = ast.newProgram(ast.newOptions());
  const texts = new Map<string, string>();
  const read = (path: string, isEntry: boolean): void => {
    const text = reader.read(path);
    if (text === null) {
      throw new ContractToolsError("TOOLS_COMPILE_FAILED", `${path} cannot be read`);
    }
    texts.set(path, text);
    ast.parse(program, text, path, isEntry);
  };
  read(entry, true);
  for (let next = ast.nextFile(program); next !== null; next = ast.nextFile(program)) {
    const path = [`${next}.ts`, `${next}/index.ts`].find((each) => reader.read(each) !== null);
    if (path === undefined) {
      // A name without a path is the standard library's, which the compiler brings.
      ast.parse(program, null, next, false);
    } else read(path, false);
  }
  for (let found = ast.nextDiagnostic(program); found; found = ast.nextDiagnostic(program)) {
    if (!ast.isError(found)) continue;
    const { range, message } = found;
    const at = range === null ? entry : describePlace(placeIn(range.source.normalizedPath, range));
    throw new ContractToolsError("TOOLS_COMPILE_FAILED", `${at}: ${message}`);
  }
  return program.sources
    .filter((source) => texts.has(source.normalizedPath))
    .map((source) => convertFile(source));
}

/** `file:line:column`. */
export function describePlace({ file, line, column }: Place): string {
  return `${file}:${line}:${column}`;
}

function convertFile(source: ast.Source): FileSyntax {
  const functions: FunctionSyntax[] = [];
  const classes: ClassSyntax[] = [];
  const variables: Variable[] = [];
  const imports: ImportSyntax[] = [];
  const exports = new Map<string, string>();
  for (const statement of source.statements) {
    if (statement instanceof ast.FunctionDeclaration) functions.push(convertFunction(statement));
    else if (statement instanceof ast.ClassDeclaration) classes.push(convertClass(statement));
    else if (statement instanceof ast.VariableStatement) {
      variables.push(...statement.declarations.map(convertVariable));
    } else if (statement instanceof ast.ImportStatement) imports.push(convertImport(statement));
    else if (statement instanceof ast.ExportStatement) {
      const members = (statement.members ?? []).map(
        ({ exportedName, localName }) => [exportedName.text, localName.text] as const,
      );
      if (statement.internalPath === null) {
        for (const [outside, local] of members) exports.set(outside, local);
      } else {
        imports.push({
          names: new Map(statement.members === null ? [["*", "*"]] : members),
          from: statement.internalPath,
          isReexport: true,
          place: placeOfNode(statement),
        });
      }
    }
  }
  const { normalizedPath: path, text } = source;
  return { path, text, functions, classes, variables, imports, exports };
}

function convertImport(statement: ast.ImportStatement): ImportSyntax {
  const names = new Map<string, string>();
  for (const { name, foreignName } of statement.declarations ?? []) {
    names.set(name.text, foreignName.text);
  }
  if (statement.namespaceName !== null) names.set(statement.namespaceName.text, "*");
  return { names, from: statement.internalPath, isReexport: false, place: placeOfNode(statement) };
}

/** Bits of the parser's flags. @see CommonFlags of AssemblyScript */
const EXPORT = 2;
const STATIC = 32;
/** `readonly`, `public`, `private`, `protected`. */
const FIELD = 64 | 256 | 512 | 1024;

function convertFunction(
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

function convertClass(declaration: ast.ClassDeclaration): ClassSyntax {
  const fields: Variable[] = [];
  const methods: FunctionSyntax[] = [];
  for (const member of declaration.members) {
    if (member instanceof ast.FieldDeclaration) fields.push(convertVariable(member));
    else if (member instanceof ast.MethodDeclaration) methods.push(convertFunction(member));
  }
  return {
    name: declaration.name.text,
    fields,
    methods,
    isExported: (declaration.flags & EXPORT) !== 0,
    place: placeOfNode(declaration),
  };
}
