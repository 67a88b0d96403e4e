import { HOST_MODULE } from "@credlink/contracts-vm/inspect";
import { memberRoles } from "@credlink/ledger";
import { VERSION_CONSTANT } from "../../build/build.ts";
import type { Match } from "../finding.ts";
import type { SourcePattern } from "../rules.ts";
import { isInSdkFolder, isSdkFile } from "../sdk.ts";
import { locationOf } from "../source/flow-of-source.ts";
import { pathOf } from "../source/guards.ts";
import type { Scope } from "../source/program.ts";
import type { Expression, TypeName } from "../source/syntax.ts";
import { visitBody, visitExpression } from "../source/visit.ts";
import { matchCalls } from "./call-patterns.ts";
import { ownFunctions, type SourceContext } from "./source-context.ts";
import { matchValues } from "./value-patterns.ts";

/** Everything in a contract's own sources that a pattern is about. */
export function matchSource(pattern: SourcePattern, context: SourceContext): readonly Match[] {
  switch (pattern.kind) {
    case "taint":
    case "unused-value":
    case "arithmetic":
    case "narrowing":
    case "unchecked-null":
    case "unfinished":
      return matchValues(pattern, context);
    case "text-argument":
    case "call-undeclared":
    case "call-unused-name":
    case "builtin":
    case "ambiguous-key":
      return matchCalls(pattern, context);
    case "type-names":
      return typeNames(pattern.names, context);
    case "foreign-import":
      return foreignImports(context);
    case "literal":
      return literals(pattern, context);
    case "mutable-variable":
      return ownFiles(context)
        .flatMap(({ variables }) => variables)
        .filter(({ isConstant }) => !isConstant)
        .map(({ name, place }) => ({ at: locationOf(place), detail: name }));
    case "role-literal":
      return roleLiterals(pattern.property, context);
    case "version-missing":
      return versionMissing(context);
    case "sdk-altered":
      return sdkAltered(context);
  }
}

function ownFiles({ program }: SourceContext) {
  return program.files.filter((file) => !isSdkFile(file));
}

/** Every expression of the contract's own functions and top-level variables. */
function ownExpressions(
  context: SourceContext,
  visit: (expression: Expression, scope: Scope | null) => void,
): void {
  for (const each of ownFunctions(context)) {
    const scope = context.program.scopeOf(each);
    visitBody(each.syntax.body, (expression) => visit(expression, scope));
  }
  for (const { variables, classes } of ownFiles(context)) {
    const fields = classes.flatMap((each) => each.fields);
    for (const { initializer } of [...variables, ...fields]) {
      if (initializer !== null) visitExpression(initializer, (each) => visit(each, null));
    }
  }
}

function typeNames(names: readonly string[], context: SourceContext): readonly Match[] {
  const found: Match[] = [];
  const judge = (type: TypeName | null, place: Parameters<typeof locationOf>[0]): void => {
    if (type !== null && names.includes(type.name)) {
      found.push({ at: locationOf(place), detail: type.name });
    }
  };
  for (const each of ownFunctions(context)) {
    const { syntax } = each;
    for (const { declaredType } of syntax.parameters) judge(declaredType, syntax.place);
    judge(syntax.returnType, syntax.place);
    for (const { declaredType, place } of context.program.scopeOf(each).variables.values()) {
      judge(declaredType, place);
    }
  }
  for (const { variables, classes } of ownFiles(context)) {
    for (const each of [...variables, ...classes.flatMap(({ fields }) => fields)]) {
      judge(each.declaredType, each.place);
    }
  }
  ownExpressions(context, (each) => {
    if (each.type === "float") found.push({ at: locationOf(each.place), detail: "a literal" });
    if (each.type === "cast") judge(each.target, each.place);
    if (each.type === "call") for (const type of each.typeArguments) judge(type, each.place);
  });
  return found;
}

function foreignImports(context: SourceContext): readonly Match[] {
  return ownFunctions(context)
    .filter(({ syntax: { external } }) => external !== null && external.module !== HOST_MODULE)
    .map(({ syntax: { external, place } }) => ({
      at: locationOf(place),
      detail: `${external?.module}.${external?.name}`,
    }));
}

function literals(
  { forms, minBytes }: Extract<SourcePattern, { kind: "literal" }>,
  context: SourceContext,
): readonly Match[] {
  const patterns = forms.map((form) => new RegExp(form));
  const found: Match[] = [];
  ownExpressions(context, (each) => {
    if (each.type === "text" && patterns.some((pattern) => pattern.test(each.value))) {
      found.push({ at: locationOf(each.place), detail: each.value.slice(0, 24) });
    }
    const isBytes =
      each.type === "list" &&
      minBytes !== undefined &&
      each.items.length >= minBytes &&
      each.items.every((item) => item.type === "integer" && item.value < 256n);
    if (isBytes) found.push({ at: locationOf(each.place), detail: "a list of bytes" });
  });
  return found;
}

/** Text that is compared with a member's role and is none. */
function roleLiterals(property: string, context: SourceContext): readonly Match[] {
  const roles: readonly string[] = [...memberRoles, "contract"];
  const found: Match[] = [];
  ownExpressions(context, (each) => {
    const sides =
      each.type === "call"
        ? each.args
        : each.type === "binary" && /^[=!]==?$/.test(each.operator)
          ? [each.left, each.right]
          : [];
    const isRole = sides.some((side) =>
      pathOf(side)
        ?.split(".")
        .some((name, index) => index > 0 && name === property),
    );
    if (!isRole) return;
    for (const side of sides) {
      if (side.type === "text" && !roles.includes(side.value)) {
        found.push({ at: locationOf(side.place), detail: side.value });
      }
    }
  });
  return found;
}

function versionMissing({ program, manifest }: SourceContext): readonly Match[] {
  const found = program.entry.variables.find(({ name }) => name === VERSION_CONSTANT);
  const wanted = `${manifest.name}@${manifest.version}`;
  const stated = found?.initializer?.type === "text" ? found.initializer.value : null;
  if (stated === wanted) return [];
  const place = found?.place ?? { file: program.entry.path, line: 1, column: 1 };
  return [{ at: locationOf(place), detail: stated ?? "none" }];
}

function sdkAltered({ program }: SourceContext): readonly Match[] {
  return program.files
    .filter((file) => isInSdkFolder(file.path) && !isSdkFile(file))
    .map(({ path }) => ({ at: { kind: "source", file: path, line: 1, column: 1 }, detail: path }));
}
