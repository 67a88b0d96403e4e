import * as ast from "assemblyscript";
import type { SourceReader } from "../../build/compile.ts";
import { ContractToolsError, withinStack } from "../../errors.ts";
import {
  convertFunction,
  convertVariable,
  EXPORT,
  fullName,
  placeIn,
  placeOfNode,
} from "./convert.ts";
import type {
  ClassSyntax,
  FileSyntax,
  FunctionSyntax,
  ImportSyntax,
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
  /** What a namespace holds stands in the file under its full name. */
  const declare = (statement: ast.Node, space: string): boolean => {
    const inside = <T extends { readonly name: string }>(each: T): T => ({
      ...each,
      name: space + each.name,
    });
    if (statement instanceof ast.FunctionDeclaration) {
      functions.push(inside(convertFunction(statement)));
    } else if (statement instanceof ast.ClassDeclaration) {
      classes.push(inside(convertClass(statement)));
    } else if (statement instanceof ast.VariableStatement) {
      variables.push(...statement.declarations.map(convertVariable).map(inside));
    } else if (statement instanceof ast.NamespaceDeclaration) {
      for (const member of statement.members) declare(member, `${space}${statement.name.text}.`);
    } else if (statement instanceof ast.ExportDefaultStatement) {
      declare(statement.declaration, space);
    } else return false;
    return true;
  };
  for (const statement of source.statements) {
    if (declare(statement, "")) continue;
    if (statement instanceof ast.ImportStatement) imports.push(convertImport(statement));
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
    base: declaration.extendsType === null ? null : fullName(declaration.extendsType.name),
    interfaces: (declaration.implementsTypes ?? []).map(({ name }) => fullName(name)),
    isExported: (declaration.flags & EXPORT) !== 0,
    place: placeOfNode(declaration),
  };
}
