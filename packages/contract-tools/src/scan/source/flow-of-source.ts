import { type Flow, type Location, nothing } from "../flow.ts";
import type { LoopBounds } from "./guards.ts";
import type { Scope, SourceFunction, SourceProgram } from "./program.ts";
import type { Expression, Place, Statement } from "./syntax.ts";
import { partsOf } from "./visit.ts";

/** The flow of every function of the sources. */
export function flowsOfSources(
  program: SourceProgram,
  bounds: LoopBounds,
): ReadonlyMap<string, Flow> {
  const flows = new Map<string, Flow>();
  for (const each of program.functions.values()) {
    flows.set(each.id, new SourceFlow(program, bounds, each).flow());
  }
  return flows;
}

/** Where a place of the sources is. */
export function locationOf({ file, line, column }: Place): Location {
  return { kind: "source", file, line, column };
}

class SourceFlow {
  private readonly function: SourceFunction;
  private readonly program: SourceProgram;
  private readonly scope: Scope;
  private readonly bounds: LoopBounds;
  private labels = 0;
  /** Innermost last: where `break` and `continue` lead. */
  private readonly targets: { readonly exit: number; readonly next: number | null }[] = [];

  constructor(program: SourceProgram, bounds: LoopBounds, of: SourceFunction) {
    this.function = of;
    this.program = program;
    this.scope = program.scopeOf(of);
    this.bounds = bounds;
  }

  flow(): Flow {
    const { effect, syntax } = this.function;
    if (effect !== null) return { type: "effect", effect, at: null };
    return syntax.body === null ? nothing : this.statement(syntax.body);
  }

  private at(place: Place): Location | null {
    return this.function.isSdk ? null : locationOf(place);
  }

  private statement(statement: Statement): Flow {
    switch (statement.type) {
      case "expression":
        return this.expression(statement.expression);
      case "variables":
        return this.all(statement.variables.flatMap(({ initializer }) => initializer ?? []));
      case "block":
        return sequence(statement.statements.map((each) => this.statement(each)));
      case "if": {
        const { condition, whenTrue, whenFalse } = statement;
        const arms = [
          this.statement(whenTrue),
          whenFalse === null ? nothing : this.statement(whenFalse),
        ];
        return sequence([this.expression(condition), { type: "choice", arms }]);
      }
      case "loop":
        return this.loop(statement);
      case "switch":
        return this.switch(statement);
      case "return": {
        const value = statement.value === null ? nothing : this.expression(statement.value);
        return sequence([value, { type: "exit", isReturn: true }]);
      }
      case "throw":
        return sequence([this.expression(statement.value), { type: "exit", isReturn: false }]);
      case "break": {
        const target = this.targets.at(-1);
        return target === undefined ? nothing : { type: "jump", label: target.exit };
      }
      case "continue": {
        const target = this.targets.findLast(({ next }) => next !== null)?.next;
        return target === null || target === undefined ? nothing : { type: "jump", label: target };
      }
      case "empty":
        return nothing;
    }
  }

  private loop(of: Extract<Statement, { type: "loop" }>): Flow {
    const [exit, head, next] = [this.labels++, this.labels++, this.labels++];
    const condition = of.condition === null ? nothing : this.expression(of.condition);
    const leave: Flow = { type: "choice", arms: [nothing, { type: "jump", label: exit }] };
    const test = of.condition === null ? nothing : sequence([condition, leave]);
    this.targets.push({ exit, next });
    const body: Flow = { type: "block", label: next, body: this.statement(of.body) };
    this.targets.pop();
    const step = of.step === null ? nothing : this.expression(of.step);
    const again: Flow = { type: "jump", label: head };
    const round = of.isBodyFirst ? [body, step, test, again] : [test, body, step, again];
    const isBounded = this.bounds.isBounded(of, this.scope);
    const loop: Flow = { type: "loop", label: head, isBounded, body: sequence(round) };
    const initializer = of.initializer === null ? nothing : this.statement(of.initializer);
    return sequence([initializer, { type: "block", label: exit, body: loop }]);
  }

  private switch(of: Extract<Statement, { type: "switch" }>): Flow {
    const exit = this.labels++;
    this.targets.push({ exit, next: null });
    const bodies = of.cases.map(({ statements }) =>
      sequence(statements.map((each) => this.statement(each))),
    );
    this.targets.pop();
    // Entering at a case runs on through those behind it.
    const arms = bodies.map((_, from) => sequence(bodies.slice(from)));
    const hasDefault = of.cases.some(({ label }) => label === null);
    const choice: Flow = { type: "choice", arms: hasDefault ? arms : [...arms, nothing] };
    return sequence([this.expression(of.value), { type: "block", label: exit, body: choice }]);
  }

  private all(expressions: readonly Expression[]): Flow {
    return sequence(expressions.map((each) => this.expression(each)));
  }

  private expression(expression: Expression): Flow {
    if (expression.type === "choice") {
      const { condition, whenTrue, whenFalse } = expression;
      const arms = [this.expression(whenTrue), this.expression(whenFalse)];
      return sequence([this.expression(condition), { type: "choice", arms }]);
    }
    if (expression.type === "binary" && /^(?:&&|\|\|)$/.test(expression.operator)) {
      const arms = [nothing, this.expression(expression.right)];
      return sequence([this.expression(expression.left), { type: "choice", arms }]);
    }
    const parts = this.all(partsOf(expression));
    const at = this.at(expression.place);
    const value = this.scope.valueOf(expression);
    // Whoever gets a function may call it.
    if (value !== null) return this.perhaps([value.id], at);
    if (expression.type !== "call" && expression.type !== "new") return parts;
    const { callee, builtin } = this.scope.resolveCall(expression);
    if (builtin === "unreachable") return sequence([parts, { type: "exit", isReturn: false }]);
    if (callee === null) {
      if (expression.type === "new" || !this.scope.isIndirect(expression)) return parts;
      return sequence([parts, this.perhaps(this.program.values, at)]);
    }
    const { effect } = callee;
    const callees = [callee, ...this.program.overridesOf(callee)].map(({ id }) => id);
    const step: Flow =
      effect === null ? { type: "call", callees, at } : { type: "effect", effect, at };
    return sequence([parts, step]);
  }

  private perhaps(callees: readonly string[], at: Location | null): Flow {
    if (callees.length === 0) return nothing;
    return { type: "choice", arms: [nothing, { type: "call", callees, at }] };
  }
}

function sequence(steps: readonly Flow[]): Flow {
  const real = steps.filter((step) => step !== nothing);
  if (real.length === 0) return nothing;
  const [only] = real;
  return real.length === 1 && only !== undefined ? only : { type: "sequence", steps: real };
}
