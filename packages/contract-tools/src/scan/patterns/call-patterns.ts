import type { Match } from "../finding.ts";
import type { SourcePattern } from "../rules.ts";
import { locationOf } from "../source/flow-of-source.ts";
import type { Scope, SourceFunction } from "../source/program.ts";
import type { Expression } from "../source/syntax.ts";
import { visitBody } from "../source/visit.ts";
import { ownFunctions, type SourceContext } from "./source-context.ts";

type CallPattern = Extract<
  SourcePattern,
  { kind: "text-argument" | "call-undeclared" | "call-unused-name" | "builtin" | "ambiguous-key" }
>;

/** Patterns over single calls and their arguments. */
export function matchCalls(pattern: CallPattern, context: SourceContext): readonly Match[] {
  switch (pattern.kind) {
    case "text-argument": {
      const form = new RegExp(pattern.form);
      const forbidden = pattern.forbidden === undefined ? null : new RegExp(pattern.forbidden);
      return textArguments(pattern.effect, pattern.nth, context).flatMap(({ value, at }) =>
        value !== null && (!form.test(value) || forbidden?.test(value) === true)
          ? [{ at, detail: JSON.stringify(value) }]
          : [],
      );
    }
    case "call-undeclared":
      return textArguments("contract_call", 0, context).flatMap(({ value, at }) =>
        value !== null && !context.manifest.calls.includes(value) ? [{ at, detail: value }] : [],
      );
    case "call-unused-name":
      return unusedNames(context);
    case "builtin":
      return builtins(pattern, context);
    case "ambiguous-key":
      return ambiguousKeys(pattern, context);
  }
}

type Call = Extract<Expression, { type: "call" }>;

/** Every call in the contract's own functions, with the scope that it stands in. */
function visitCalls(context: SourceContext, visit: (call: Call, scope: Scope) => void): void {
  for (const each of ownFunctions(context)) {
    const scope = context.program.scopeOf(each);
    visitBody(each.syntax.body, (expression) => {
      if (expression.type === "call") visit(expression, scope);
    });
  }
}

interface TextArgument {
  /** Null when it is not known before the call. */
  readonly value: string | null;
  readonly at: Match["at"];
}

/** What the contract's own calls hand to a host function as its n-th text. */
function textArguments(
  effect: string,
  nth: number,
  context: SourceContext,
): readonly TextArgument[] {
  const found: TextArgument[] = [];
  visitCalls(context, (call, scope) => {
    const { callee } = scope.resolveCall(call);
    if (callee === null || !handsText(callee, effect, context)) return;
    const positions = callee.syntax.parameters.flatMap(({ declaredType }, position) =>
      declaredType.name === "string" ? [position] : [],
    );
    const arg = call.args[positions[nth] ?? -1];
    if (arg !== undefined) found.push({ value: textOf(arg, scope), at: locationOf(arg.place) });
  });
  return found;
}

/** Whether a function of the SDK takes text and reaches a host function. */
function handsText(callee: SourceFunction, effect: string, context: SourceContext): boolean {
  if (!callee.isSdk) return false;
  if (!callee.syntax.parameters.some(({ declaredType }) => declaredType.name === "string")) {
    return false;
  }
  return context.analysis.occurrencesOf(callee.id).some((each) => each.effect === effect);
}

/** The text of a literal, or of a constant or variable that is one. */
function textOf(expression: Expression, scope: Scope): string | null {
  if (expression.type === "text") return expression.value;
  if (expression.type !== "name") return null;
  const variable = scope.variables.get(expression.name) ?? scope.global(expression.name);
  if (variable?.isConstant !== true || variable.initializer?.type !== "text") return null;
  return variable.initializer.value;
}

function unusedNames(context: SourceContext): readonly Match[] {
  const called = textArguments("contract_call", 0, context);
  // Names that are only known while it runs may be any of them.
  if (called.some(({ value }) => value === null)) return [];
  return context.manifest.calls
    .filter((name) => !called.some(({ value }) => value === name))
    .map((name) => ({ at: { kind: "manifest", field: "calls" } as const, detail: name }));
}

function builtins(
  { names, origins }: Extract<SourcePattern, { kind: "builtin" }>,
  context: SourceContext,
): readonly Match[] {
  const found: Match[] = [];
  visitCalls(context, (call, scope) => {
    const { builtin, args } = scope.resolveCall(call);
    if (builtin === null || !names.includes(builtin)) return;
    const comesFrom = (arg: Expression): boolean =>
      origins.some((origin) => context.values.originsOf(arg, scope).has(origin));
    if (origins.length > 0 && !args.some(comesFrom)) return;
    found.push({ at: locationOf(call.place), detail: builtin });
  });
  return found;
}

/** Keys of two parts of which the first may have any length: (a, bc) and (ab, c) are one key. */
function ambiguousKeys(
  { className, method }: Extract<SourcePattern, { kind: "ambiguous-key" }>,
  context: SourceContext,
): readonly Match[] {
  const found: Match[] = [];
  visitCalls(context, (call, scope) => {
    const { callee, args } = scope.resolveCall(call);
    if (callee?.syntax.name !== method || callee.owner?.name !== className) return;
    const [, firstLength, , secondLength] = args;
    if (firstLength === undefined || secondLength === undefined) return;
    if (isFixed(firstLength, scope) || isFixed(secondLength, scope)) return;
    found.push({ at: locationOf(call.place), detail: `${className}.${method}` });
  });
  return found;
}

function isFixed(expression: Expression, scope: Scope): boolean {
  if (expression.type === "cast") return isFixed(expression.operand, scope);
  if (expression.type === "integer") return true;
  if (expression.type !== "name") return false;
  const variable = scope.global(expression.name) ?? scope.variables.get(expression.name);
  return variable?.isConstant === true && variable.initializer?.type === "integer";
}
