import type { Scope, SourceFunction, SourceProgram } from "./program.ts";
import type { ClassSyntax, Expression, Statement, Variable } from "./syntax.ts";
import { visitBody, visitExpression, visitStatements } from "./visit.ts";

const RELATION = /^(?:[<>]=?|[=!]==?)$/;

/** A condition, and which of its outcomes keeps a function from going on. */
interface Test {
  readonly condition: Expression;
  readonly failsWhen: boolean;
}

/**
 * Which values a function tests before it goes on: conditions of `if` and `?:`, and arguments that a
 * called function turns into such a condition (`demand`).
 */
export class Guards {
  private readonly program: SourceProgram;
  /** Function -> position of a tested parameter -> outcome that stops. */
  private readonly testedParameters = new Map<string, ReadonlyMap<number, boolean>>();
  private readonly tests = new Map<string, readonly Test[]>();
  private readonly stopping = new Map<string, boolean>();

  constructor(program: SourceProgram) {
    this.program = program;
  }

  /** Expressions that a function decides by. */
  testsOf(of: SourceFunction): readonly Test[] {
    const known = this.tests.get(of.id);
    if (known !== undefined) return known;
    this.tests.set(of.id, []);
    const scope = this.program.scopeOf(of);
    const found: Test[] = [];
    visitStatements(of.syntax.body, (statement) => {
      if (statement.type !== "if") return;
      const { condition, whenTrue } = statement;
      found.push({ condition, failsWhen: this.leaves(whenTrue, scope) });
    });
    visitBody(of.syntax.body, (expression) => {
      if (expression.type === "choice") {
        found.push({ condition: expression.condition, failsWhen: false });
      }
      if (expression.type === "call") found.push(...this.testsOfCall(expression, scope));
    });
    this.tests.set(of.id, found);
    return found;
  }

  private testsOfCall(call: Extract<Expression, { type: "call" }>, scope: Scope): readonly Test[] {
    const { callee, builtin } = scope.resolveCall(call);
    const [first] = call.args;
    if (builtin === "assert" && first !== undefined)
      return [{ condition: first, failsWhen: false }];
    if (callee === null) return [];
    return [...this.testedBy(callee)].flatMap(([position, failsWhen]) => {
      const condition = call.args[position];
      return condition === undefined ? [] : [{ condition, failsWhen }];
    });
  }

  /** Parameters by which alone a function decides whether it ends the call. */
  private testedBy(of: SourceFunction): ReadonlyMap<number, boolean> {
    const known = this.testedParameters.get(of.id);
    if (known !== undefined) return known;
    const positions = new Map<number, boolean>();
    this.testedParameters.set(of.id, positions);
    const scope = this.program.scopeOf(of);
    visitStatements(of.syntax.body, (statement) => {
      if (statement.type !== "if" || !this.stops(statement.whenTrue, scope)) return;
      let { condition } = statement;
      let failsWhen = true;
      while (condition.type === "unary" && condition.operator === "!") {
        condition = condition.operand;
        failsWhen = !failsWhen;
      }
      const position = condition.type === "name" ? scope.parameter(condition.name) : -1;
      if (position >= 0) positions.set(position, failsWhen);
    });
    return positions;
  }

  /** Whether a statement ends the whole call: it reverts, traps or throws. */
  stops(statement: Statement, scope: Scope): boolean {
    switch (statement.type) {
      case "throw":
        return true;
      case "block":
        return statement.statements.some((each) => this.stops(each, scope));
      case "expression": {
        const { expression } = statement;
        if (expression.type !== "call") return false;
        const { callee, builtin } = scope.resolveCall(expression);
        return builtin === "unreachable" || (callee !== null && this.isStopping(callee));
      }
      default:
        return false;
    }
  }

  /** Whether what follows a statement is not reached over it. */
  private leaves(statement: Statement, scope: Scope): boolean {
    if (statement.type === "block") {
      return statement.statements.some((each) => this.leaves(each, scope));
    }
    const jumps = ["return", "break", "continue"];
    return jumps.includes(statement.type) || this.stops(statement, scope);
  }

  private isStopping(of: SourceFunction): boolean {
    const known = this.stopping.get(of.id);
    if (known !== undefined) return known;
    this.stopping.set(of.id, false);
    const { body } = of.syntax;
    const isEnd = of.effect === "revert" || of.effect === "abort";
    const stopping = isEnd || (body !== null && this.stops(body, this.program.scopeOf(of)));
    this.stopping.set(of.id, stopping);
    return stopping;
  }

  /** Whether a function compares any of the given names or paths with something. */
  compares(of: SourceFunction, paths: ReadonlySet<string>): boolean {
    return this.testsOf(of).some(({ condition }) => {
      let isFound = false;
      visitExpression(condition, (each) => {
        if (each.type !== "binary" || !RELATION.test(each.operator)) return;
        for (const path of pathsIn(each)) if (paths.has(path)) isFound = true;
      });
      return isFound;
    });
  }

  /** What a function demands a path to be at most. */
  limitsOf(of: SourceFunction, path: string): readonly Expression[] {
    return this.testsOf(of).flatMap(({ condition, failsWhen }) =>
      upperLimits(condition, failsWhen, path),
    );
  }
}

const negated: Readonly<Record<string, string>> = {
  "<": ">=",
  ">=": "<",
  ">": "<=",
  "<=": ">",
  "!=": "==",
  "!==": "===",
};

/** Upper limits of a path where a condition did not have the outcome `failsWhen`. */
function upperLimits(
  condition: Expression,
  failsWhen: boolean,
  path: string,
): readonly Expression[] {
  if (condition.type === "unary" && condition.operator === "!") {
    return upperLimits(condition.operand, !failsWhen, path);
  }
  if (condition.type !== "binary") return [];
  const { operator, left, right } = condition;
  if (operator === (failsWhen ? "||" : "&&")) {
    return [...upperLimits(left, failsWhen, path), ...upperLimits(right, failsWhen, path)];
  }
  const holds = failsWhen ? (negated[operator] ?? "") : operator;
  // A cast may change the sign: what limits it does not limit the value.
  const isPath = (side: Expression): boolean => side.type !== "cast" && pathOf(side) === path;
  if (/^(?:<=?|===?)$/.test(holds) && isPath(left)) return [right];
  if (/^(?:>=?|===?)$/.test(holds) && isPath(right)) return [left];
  return [];
}

/** `a.b` for names and members of names, null for anything else. */
export function pathOf(expression: Expression): string | null {
  if (expression.type === "name") return expression.name;
  if (expression.type === "cast") return pathOf(expression.operand);
  if (expression.type !== "member") return null;
  const object = pathOf(expression.object);
  return object === null ? null : `${object}.${expression.property}`;
}

/** The longest paths inside an expression. */
export function pathsIn(expression: Expression): ReadonlySet<string> {
  const found = new Set<string>();
  const walk = (each: Expression): void => {
    const path = pathOf(each);
    if (path !== null) {
      found.add(path);
      return;
    }
    visitParts(each, walk);
  };
  walk(expression);
  return found;
}

function visitParts(expression: Expression, visit: (part: Expression) => void): void {
  let isTop = true;
  visitExpression(expression, (each) => {
    if (isTop) {
      isTop = false;
      return;
    }
    if (pathOf(each) !== null) visit(each);
  });
}

/** Whether a constant, or a tested value, bounds how often a loop runs. */
export class LoopBounds {
  private readonly program: SourceProgram;
  private readonly guards: Guards;
  private readonly running = new Set<string>();

  constructor(program: SourceProgram, guards: Guards) {
    this.program = program;
    this.guards = guards;
  }

  isBounded(loop: Extract<Statement, { type: "loop" }>, scope: Scope): boolean {
    return loop.condition !== null && this.hasBound(loop.condition, scope);
  }

  private hasBound(condition: Expression, scope: Scope): boolean {
    if (condition.type !== "binary") return false;
    const { operator, left, right } = condition;
    if (operator === "&&") return this.hasBound(left, scope) || this.hasBound(right, scope);
    if (operator === "||") return this.hasBound(left, scope) && this.hasBound(right, scope);
    if (operator === "!=") return this.isLimited(left, scope) && this.isLimited(right, scope);
    if (operator === "<" || operator === "<=") return this.isLimited(right, scope);
    return (operator === ">" || operator === ">=") && this.isLimited(left, scope)
      ? true
      : operator === ">" && right.type === "integer" && this.isLimitedStart(left, scope);
  }

  /** A value that counts down is bounded by where it starts. */
  private isLimitedStart(value: Expression, scope: Scope): boolean {
    return value.type === "name" && this.isLimited(value, scope);
  }

  /** Whether a value cannot be larger than some constant. */
  isLimited(value: Expression, scope: Scope): boolean {
    switch (value.type) {
      case "integer":
        return true;
      case "cast":
        return this.isLimited(value.operand, scope);
      case "binary":
        if (value.operator === "%" || value.operator === "&") {
          return this.isLimited(value.right, scope);
        }
        return this.isLimited(value.left, scope) && this.isLimited(value.right, scope);
      case "name":
        return this.isLimitedName(value.name, scope);
      case "member":
        return this.isLimitedMember(value, scope);
      case "call":
        return this.isLimitedCall(value, scope);
      default:
        return false;
    }
  }

  private isLimitedName(name: string, scope: Scope): boolean {
    const global = scope.global(name);
    if (global !== null) {
      return global.isConstant && global.initializer?.type === "integer";
    }
    if (this.hasLimit(name, scope)) return true;
    const initializer = scope.variables.get(name)?.initializer ?? null;
    // Blocks may name variables after each other in a circle, which limits none of them.
    const key = `${scope.function.id}=${name}`;
    if (initializer === null || this.running.has(key)) return false;
    this.running.add(key);
    const isLimited = this.isLimited(initializer, scope);
    this.running.delete(key);
    return isLimited;
  }

  /** A field is limited when all that is ever put there is. */
  private isLimitedMember(value: Extract<Expression, { type: "member" }>, scope: Scope): boolean {
    const path = pathOf(value);
    if (path !== null && this.hasLimit(path, scope)) return true;
    const type = scope.typeOf(value.object);
    const found = type && this.program.classOf(scope.function.file, type.name);
    if (!found) return false;
    const field = found.class.fields.find(({ name }) => name === value.property);
    const key = `${found.file.path}#${found.class.name}.${value.property}`;
    if (this.running.has(key)) return true;
    this.running.add(key);
    const maker = found.class.methods.find((method) => method.name === "constructor");
    const position =
      maker?.parameters.findIndex((each) => each.name === value.property && each.isField) ?? -1;
    const isLimited =
      position >= 0
        ? this.isLimitedParameter(found.class, position)
        : field !== undefined && this.isLimitedField(found.class, field);
    this.running.delete(key);
    return isLimited;
  }

  /** A constructor's parameter that is a field: limited when whoever makes one hands in a limit. */
  private isLimitedParameter(owner: ClassSyntax, position: number): boolean {
    let isLimited = true;
    for (const each of this.program.functions.values()) {
      const inside = this.program.scopeOf(each);
      visitBody(each.syntax.body, (expression) => {
        if (expression.type !== "new" || expression.className !== owner.name) return;
        const arg = expression.args[position];
        if (arg === undefined || !this.isLimited(arg, inside)) isLimited = false;
      });
    }
    return isLimited;
  }

  private isLimitedField(owner: ClassSyntax, field: Variable): boolean {
    let isLimited = field.initializer?.type === "integer";
    for (const each of this.program.functions.values()) {
      const inside = this.program.scopeOf(each);
      visitBody(each.syntax.body, (expression) => {
        if (expression.type !== "binary" || expression.operator !== "=") return;
        const { left, right } = expression;
        if (left.type !== "member" || left.property !== field.name) return;
        if (inside.typeOf(left.object)?.name !== owner.name) return;
        if (!this.isLimited(right, inside)) isLimited = false;
        else if (field.initializer === null) isLimited = true;
      });
    }
    return isLimited;
  }

  /** A call is limited when its function tests what it returns against a limited argument. */
  private isLimitedCall(value: Extract<Expression, { type: "call" }>, scope: Scope): boolean {
    const { callee } = scope.resolveCall(value);
    if (callee === null || this.running.has(callee.id)) return false;
    const inside = this.program.scopeOf(callee);
    const returned: Expression[] = [];
    visitStatements(callee.syntax.body, (statement) => {
      if (statement.type === "return" && statement.value !== null) returned.push(statement.value);
    });
    if (returned.length === 0) return false;
    this.running.add(callee.id);
    const isLimited = returned.every((each) => {
      if (each.type !== "name" || inside.parameter(each.name) >= 0) {
        return this.isLimited(each, inside);
      }
      const limits = this.guards.limitsOf(callee, each.name);
      return limits.some((limit) => {
        const position = limit.type === "name" ? inside.parameter(limit.name) : -1;
        const arg = value.args[position];
        return arg === undefined ? this.isLimited(limit, inside) : this.isLimited(arg, scope);
      });
    });
    this.running.delete(callee.id);
    return isLimited;
  }

  private hasLimit(path: string, scope: Scope): boolean {
    // Two values that limit each other are limited by neither.
    const key = `${scope.function.id}/${path}`;
    if (this.running.has(key)) return false;
    this.running.add(key);
    const limits = this.guards.limitsOf(scope.function, path);
    const hasLimit = limits.some((limit) => this.isLimited(limit, scope));
    this.running.delete(key);
    return hasLimit;
  }
}
