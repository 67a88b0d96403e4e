import type { Match } from "../finding.ts";
import type { SourcePattern } from "../rules.ts";
import { locationOf } from "../source/flow-of-source.ts";
import { pathOf, pathsIn } from "../source/guards.ts";
import type { Scope, SourceFunction } from "../source/program.ts";
import type { Expression } from "../source/syntax.ts";
import { visitBody, visitExpression } from "../source/visit.ts";
import { ownFunctions, type SourceContext } from "./source-context.ts";

type ValuePattern = Extract<
  SourcePattern,
  {
    kind: "taint" | "unused-value" | "arithmetic" | "narrowing" | "unchecked-null" | "unfinished";
  }
>;

/** Patterns over where values come from and where they go. */
export function matchValues(pattern: ValuePattern, context: SourceContext): readonly Match[] {
  switch (pattern.kind) {
    case "taint":
      return perMethod(context, (method, at) => {
        const tags = context.values.sinkOf(method, pattern.sink);
        const origin = pattern.origins.find((each) => tags.has(each));
        const detail = `${method.syntax.name}: ${origin} as ${pattern.sink}`;
        return origin === undefined ? [] : [{ at, detail }];
      });
    case "unused-value":
      return unusedValues(pattern, context);
    case "arithmetic":
      return arithmetic(pattern, context);
    case "narrowing":
      return narrowings(pattern, context);
    case "unchecked-null":
      return uncheckedNulls(context);
    case "unfinished":
      return unfinished(pattern, context);
  }
}

function perMethod(
  { program, manifest }: SourceContext,
  match: (method: SourceFunction, at: Match["at"]) => readonly Match[],
): readonly Match[] {
  return program.methods
    .filter(({ syntax }) => manifest.methods.some(({ name }) => name === syntax.name))
    .flatMap((method) => match(method, locationOf(method.syntax.place)));
}

function unusedValues(
  pattern: Extract<ValuePattern, { kind: "unused-value" }>,
  context: SourceContext,
): readonly Match[] {
  return perMethod(context, (method, at) => {
    const occurrences = context.analysis.occurrencesOf(method.id);
    const reached = occurrences.find(({ effect }) => pattern.effect.includes(effect));
    if (reached === undefined) return [];
    const isMeant =
      pattern.with.length === 0 || occurrences.some(({ effect }) => pattern.with.includes(effect));
    const isUsed = pattern.sinks.some((sink) => {
      const tags = context.values.sinkOf(method, sink);
      return pattern.origins.some((origin) => tags.has(origin));
    });
    const detail = `${method.syntax.name}: ${reached.effect}`;
    return isMeant && !isUsed ? [{ at: reached.at ?? at, detail }] : [];
  });
}

/** Every expression of the contract's own functions. */
function visitOwn(
  context: SourceContext,
  visit: (expression: Expression, scope: Scope, of: SourceFunction) => void,
): void {
  for (const each of ownFunctions(context)) {
    const scope = context.program.scopeOf(each);
    visitBody(each.syntax.body, (expression) => visit(expression, scope, each));
  }
}

function comesFrom(
  expression: Expression,
  origins: readonly string[],
  scope: Scope,
  context: SourceContext,
): boolean {
  const tags = context.values.originsOf(expression, scope);
  return origins.some((origin) => tags.has(origin));
}

function arithmetic(
  pattern: Extract<ValuePattern, { kind: "arithmetic" }>,
  context: SourceContext,
): readonly Match[] {
  const found: Match[] = [];
  visitOwn(context, (expression, scope, of) => {
    if (expression.type !== "binary") return;
    const operator = expression.operator.replace(/^([-+*/%]|<<)=$/, "$1");
    if (!pattern.operators.includes(operator)) return;
    const { left, right } = expression;
    const type = (scope.typeOf(left) ?? scope.typeOf(right))?.name ?? "";
    const wider = scope.typeOf(right)?.name ?? "";
    const { types } = pattern;
    if (types.length > 0 && !types.includes(type) && !types.includes(wider)) return;
    const operands = pattern.operand === "right" ? [right] : [left, right];
    if (!operands.some((each) => comesFrom(each, pattern.origins, scope, context))) return;
    const paths = new Set(operands.flatMap((each) => [...pathsIn(each)]));
    for (const name of assignedNames(expression, of)) paths.add(name);
    if (context.guards.compares(of, paths)) return;
    found.push({ at: locationOf(expression.place), detail: `${of.syntax.name}: ${operator}` });
  });
  return found;
}

/** Variables that an expression's value goes into. */
function assignedNames(expression: Expression, of: SourceFunction): readonly string[] {
  const found: string[] = [];
  visitBody(of.syntax.body, (each, statement) => {
    const isInside = (outer: Expression): boolean => {
      let inside = false;
      visitExpression(outer, (inner) => {
        if (inner === expression) inside = true;
      });
      return inside;
    };
    if (each.type === "binary" && each.operator.endsWith("=") && isInside(each)) {
      const path = /^[=!<>]=/.test(each.operator) ? null : pathOf(each.left);
      if (path !== null) found.push(path);
    }
    if (statement.type !== "variables") return;
    for (const { name, initializer } of statement.variables) {
      if (initializer !== null && isInside(initializer)) found.push(name);
    }
  });
  return found;
}

function narrowings(
  pattern: Extract<ValuePattern, { kind: "narrowing" }>,
  context: SourceContext,
): readonly Match[] {
  const found: Match[] = [];
  visitOwn(context, (expression, scope, of) => {
    const isCall = expression.type === "call" && expression.callee.type === "name";
    const cast =
      expression.type === "cast"
        ? { target: expression.target?.name, operand: expression.operand }
        : isCall && expression.callee.type === "name"
          ? { target: expression.callee.name, operand: expression.args[0] }
          : null;
    if (cast?.operand === undefined || !pattern.to.includes(cast.target ?? "")) return;
    const { operand } = cast;
    if (!pattern.from.includes(scope.typeOf(operand)?.name ?? "")) return;
    if (!comesFrom(operand, pattern.origins, scope, context)) return;
    if (context.guards.compares(of, pathsIn(operand))) return;
    found.push({ at: locationOf(expression.place), detail: `to ${cast.target}` });
  });
  return found;
}

/** A value that its declaration calls nullable, asserted to be there without a test. */
function uncheckedNulls(context: SourceContext): readonly Match[] {
  const found: Match[] = [];
  visitOwn(context, (expression, scope, of) => {
    if (expression.type !== "cast" || expression.target?.isNullable === true) return;
    const { operand } = expression;
    if (scope.typeOf(operand)?.isNullable !== true) return;
    const path = pathOf(operand);
    if (path !== null && isNullTested(path, of, context)) return;
    found.push({ at: locationOf(expression.place), detail: path ?? "a call's result" });
  });
  return found;
}

function isNullTested(path: string, of: SourceFunction, { guards }: SourceContext): boolean {
  return guards.testsOf(of).some(({ condition }) => {
    let isTested = false;
    visitExpression(condition, (each) => {
      if (each.type === "binary" && /^[=!]==?$/.test(each.operator)) {
        const sides = [each.left, each.right];
        const isNull = sides.some((side) => side.type === "constant" && side.value === "null");
        if (isNull && sides.some((side) => pathOf(side) === path)) isTested = true;
      } else if (each.type === "unary" && each.operator === "!" && pathOf(each.operand) === path) {
        isTested = true;
      }
    });
    return isTested || pathOf(condition) === path;
  });
}

/** A reader over the arguments that is neither finished nor handed on. */
function unfinished(
  pattern: Extract<ValuePattern, { kind: "unfinished" }>,
  context: SourceContext,
): readonly Match[] {
  const found: Match[] = [];
  for (const of of ownFunctions(context)) {
    const scope = context.program.scopeOf(of);
    for (const { name, initializer, place } of scope.variables.values()) {
      if (initializer === null || scope.typeOf(initializer)?.name !== pattern.className) continue;
      if (!comesFrom(initializer, pattern.origins, scope, context)) continue;
      if (!isFinished(name, of, pattern.method, context)) {
        found.push({ at: locationOf(place), detail: name });
      }
    }
  }
  return found;
}

function isFinished(
  name: string,
  of: SourceFunction,
  method: string,
  context: SourceContext,
  asked: ReadonlySet<string> = new Set(),
): boolean {
  const key = `${of.id}/${name}`;
  // A function that hands it to itself alone never finishes it.
  if (asked.has(key)) return false;
  let isDone = false;
  visitBody(of.syntax.body, (each, statement) => {
    if (statement.type === "return" && statement.value?.type === "name") {
      if (statement.value.name === name) isDone = true;
    }
    if (each.type !== "call") return;
    const { callee } = each;
    const isOwnMethod =
      callee.type === "member" && callee.object.type === "name" && callee.object.name === name;
    if (isOwnMethod && callee.property === method) isDone = true;
    // Whoever is handed it may finish it: then it is that function's to do.
    const position = each.args.findIndex((arg) => arg.type === "name" && arg.name === name);
    if (position < 0) return;
    const target = context.program.scopeOf(of).resolveCall(each).callee;
    const parameter = target?.syntax.parameters[position]?.name;
    if (target === null || target === undefined || parameter === undefined) return;
    if (isFinished(parameter, target, method, context, new Set([...asked, key]))) isDone = true;
  });
  return isDone;
}
