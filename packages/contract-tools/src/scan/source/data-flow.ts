import type { Guards } from "./guards.ts";
import type { Scope, SourceFunction, SourceProgram } from "./program.ts";
import type { Expression, Statement } from "./syntax.ts";

/**
 * Where a value comes from: names of host functions, `param:0` and `this` while it is not known who
 * calls.
 */
export type Tags = ReadonlySet<string>;

/** What values can be used for; rules name these. */
export type Sink =
  | "condition"
  | "state-key"
  | "state-value"
  | "event"
  | "callee-name"
  | "callee-args"
  | "remainder"
  | "equality"
  | "length";

/** What a function does with values, in terms of its parameters. */
interface Summary {
  readonly result: Set<string>;
  readonly sinks: Map<Sink, Set<string>>;
}

const NO_TAGS: Tags = new Set();
/** Names under which host functions mark what they answer. */
const SOURCE_OF: Readonly<Record<string, string>> = {
  input_size: "input",
  input_read: "input",
  state_get: "state",
  state_range: "state",
  caller: "caller",
  signers: "signers",
  block_time: "time",
  block_height: "height",
  contract_call: "call",
  sm2_verify: "verify",
  commitment_sum: "sum",
};
/** Position of a host function's argument -> what it is used for. */
const SINK_OF: Readonly<Record<string, Readonly<Record<number, Sink>>>> = {
  state_put: { 0: "state-key", 2: "state-value" },
  state_delete: { 0: "state-key" },
  event: { 2: "event" },
  contract_call: { 0: "callee-name", 4: "callee-args" },
};
const MAX_ROUNDS = 12;

/**
 * Follows values through functions: flow-insensitive inside a function, by summaries between them.
 * What the SDK does inside itself counts only for the values that its callers hand in.
 */
export class DataFlow {
  private readonly program: SourceProgram;
  private readonly guards: Guards;
  private readonly summaries = new Map<string, Summary>();
  /** `Class.field` -> what was ever put there. */
  private readonly fields = new Map<string, Set<string>>();
  private readonly variables = new Map<string, Map<string, Set<string>>>();
  /** What callers hand in, by function and position (−1: the object). */
  private readonly handedIn = new Map<string, Map<number, Set<string>>>();
  private hasChanged = false;

  constructor(program: SourceProgram, guards: Guards) {
    this.program = program;
    this.guards = guards;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      this.hasChanged = false;
      for (const each of program.functions.values()) this.summarise(each);
      if (!this.hasChanged) break;
    }
  }

  /** Everything that reaches a use inside a method and what it calls. */
  sinkOf(method: SourceFunction, sink: Sink): Tags {
    return this.known(this.summaryOf(method.id).sinks.get(sink) ?? NO_TAGS, method.id);
  }

  /** Where an expression's value may come from, callers included. */
  originsOf(expression: Expression, scope: Scope): Tags {
    return this.known(this.evaluate(expression, scope), scope.function.id);
  }

  /** Replaces what only callers know by what any of them hands in. */
  private known(tags: Tags, id: string, seen: ReadonlySet<string> = new Set()): Set<string> {
    const known = new Set<string>();
    for (const tag of tags) {
      const position = positionOf(tag);
      if (position === null) known.add(tag);
      else if (!seen.has(`${id}/${tag}`)) {
        const handed = this.handedIn.get(id)?.get(position) ?? NO_TAGS;
        for (const each of handed) known.add(each);
      }
    }
    return known;
  }

  private summaryOf(id: string): Summary {
    let summary = this.summaries.get(id);
    if (summary === undefined) {
      summary = { result: new Set(), sinks: new Map() };
      this.summaries.set(id, summary);
    }
    return summary;
  }

  private add(target: Set<string>, tags: Tags): void {
    const before = target.size;
    for (const tag of tags) target.add(tag);
    if (target.size !== before) this.hasChanged = true;
  }

  private addSink(id: string, sink: Sink, tags: Tags): void {
    const { sinks } = this.summaryOf(id);
    let known = sinks.get(sink);
    if (known === undefined) {
      known = new Set();
      sinks.set(sink, known);
    }
    this.add(known, tags);
  }

  private summarise(of: SourceFunction): void {
    const scope = this.program.scopeOf(of);
    if (of.effect !== null) {
      const source = SOURCE_OF[of.effect];
      if (source !== undefined) this.add(this.summaryOf(of.id).result, new Set([source]));
      return;
    }
    this.visit(of.syntax.body, scope);
  }

  private visit(statement: Statement | null, scope: Scope): void {
    if (statement === null) return;
    const { id } = scope.function;
    switch (statement.type) {
      case "expression":
      case "throw":
        this.evaluate(statement.type === "throw" ? statement.value : statement.expression, scope);
        return;
      case "variables":
        for (const { name, initializer } of statement.variables) {
          if (initializer !== null) this.assign(name, this.evaluate(initializer, scope), scope);
        }
        return;
      case "block":
        for (const each of statement.statements) this.visit(each, scope);
        return;
      case "if":
        this.test(statement, scope);
        this.visit(statement.whenTrue, scope);
        this.visit(statement.whenFalse, scope);
        return;
      case "loop":
        this.visit(statement.initializer, scope);
        if (statement.condition !== null) this.evaluate(statement.condition, scope);
        this.visit(statement.body, scope);
        if (statement.step !== null) this.evaluate(statement.step, scope);
        return;
      case "switch":
        this.use(id, "condition", this.evaluate(statement.value, scope), scope);
        for (const { statements } of statement.cases) {
          for (const each of statements) this.visit(each, scope);
        }
        return;
      case "return":
        if (statement.value !== null) {
          this.add(this.summaryOf(id).result, this.evaluate(statement.value, scope));
        }
    }
  }

  /** The SDK decides for a contract only where it ends the call: `demand`. */
  private test(statement: Extract<Statement, { type: "if" }>, scope: Scope): void {
    const tags = this.evaluate(statement.condition, scope);
    const { syntax, id, isSdk } = scope.function;
    // A function that answers yes or no hands on what it decided by.
    if (syntax.returnType.name === "bool") this.add(this.summaryOf(id).result, tags);
    const isDecision =
      syntax.returnType.name === "void" && this.guards.stops(statement.whenTrue, scope);
    if (!isSdk || isDecision) this.use(id, "condition", tags, scope);
  }

  /** The SDK's own tests of its own values say nothing about the contract. */
  private use(id: string, sink: Sink, tags: Tags, scope: Scope): void {
    if (!scope.function.isSdk) this.addSink(id, sink, tags);
    else this.addSink(id, sink, new Set([...tags].filter((tag) => positionOf(tag) !== null)));
  }

  private assign(name: string, tags: Tags, scope: Scope): void {
    const { id } = scope.function;
    let variables = this.variables.get(id);
    if (variables === undefined) {
      variables = new Map();
      this.variables.set(id, variables);
    }
    let known = variables.get(name);
    if (known === undefined) {
      known = new Set();
      variables.set(name, known);
    }
    this.add(known, tags);
  }

  /** Marks whatever variable or field an expression stands for. */
  private assignTo(target: Expression, tags: Tags, scope: Scope): void {
    if (target.type === "name") this.assign(target.name, tags, scope);
    else if (target.type === "index") this.assignTo(target.object, tags, scope);
    else if (target.type === "cast") this.assignTo(target.operand, tags, scope);
    else if (target.type === "binary") {
      // An address that is reckoned from another.
      this.assignTo(target.left, tags, scope);
      this.assignTo(target.right, tags, scope);
    } else if (target.type === "member") {
      const owner = scope.typeOf(target.object)?.name;
      const isOwn = target.object.type === "name" && target.object.name === "this";
      if (owner !== undefined) this.assignField(`${owner}.${target.property}`, tags);
      if (!isOwn) this.assignTo(target.object, tags, scope);
    }
  }

  private assignField(name: string, tags: Tags): void {
    let known = this.fields.get(name);
    if (known === undefined) {
      known = new Set();
      this.fields.set(name, known);
    }
    this.add(known, new Set([...tags].filter((tag) => positionOf(tag) === null)));
  }

  private evaluate(expression: Expression, scope: Scope): Set<string> {
    const of = (each: Expression): Set<string> => this.evaluate(each, scope);
    const { id } = scope.function;
    switch (expression.type) {
      case "name": {
        const own = this.variables.get(id)?.get(expression.name) ?? NO_TAGS;
        const position = scope.parameter(expression.name);
        const tags = new Set(own);
        if (expression.name === "this") tags.add("this");
        if (position >= 0) tags.add(`param:${position}`);
        return tags;
      }
      case "member": {
        const tags = of(expression.object);
        const owner = scope.typeOf(expression.object)?.name;
        for (const tag of this.fields.get(`${owner}.${expression.property}`) ?? []) tags.add(tag);
        return tags;
      }
      case "index":
        return union(of(expression.object), of(expression.index));
      case "unary":
      case "cast":
        return of(expression.operand);
      case "choice":
        if (!scope.function.isSdk) this.use(id, "condition", of(expression.condition), scope);
        return union(of(expression.whenTrue), of(expression.whenFalse));
      case "binary":
        return this.binary(expression, scope);
      case "call":
      case "new":
        return this.call(expression, scope);
      case "list":
        return union(...expression.items.map(of));
      case "other":
        return union(...expression.parts.map(of));
      default:
        return new Set();
    }
  }

  private binary(of: Extract<Expression, { type: "binary" }>, scope: Scope): Set<string> {
    const { operator } = of;
    const { id } = scope.function;
    const right = this.evaluate(of.right, scope);
    if (operator === "=" || /^[^=!<>]+=$/.test(operator) || /^(?:<<|>>>?)=$/.test(operator)) {
      this.assignTo(of.left, right, scope);
      return union(this.evaluate(of.left, scope), right);
    }
    const left = this.evaluate(of.left, scope);
    if (operator === "%") this.use(id, "remainder", left, scope);
    if (/^[=!]==?$/.test(operator)) this.use(id, "equality", union(left, right), scope);
    return union(left, right);
  }

  private call(of: Extract<Expression, { type: "call" | "new" }>, scope: Scope): Set<string> {
    const { callee, receiver, args } = scope.resolveCall(of);
    const given = args.map((arg) => this.evaluate(arg, scope));
    const object = receiver === null ? new Set<string>() : this.evaluate(receiver, scope);
    const made = of.type === "new" ? this.fieldsOf(of.className) : new Set<string>();
    if (callee === null) {
      // The language's own functions that write memory take where to first.
      const [target] = args;
      if (target !== undefined) this.assignTo(target, union(...given.slice(1)), scope);
      return union(made, object, ...given);
    }
    this.handIn(callee.id, given, object, scope);
    if (callee.effect !== null) return this.effect(callee.effect, args, given, scope);
    const summary = this.summaryOf(callee.id);
    for (const [sink, tags] of summary.sinks) {
      // What the callee does with its own values is a method's doing as well as its caller's.
      this.use(scope.function.id, sink, substitute(tags, given, object), scope);
    }
    if (receiver !== null) this.assignTo(receiver, union(...given), scope);
    const result = substitute(summary.result, given, object);
    return of.type === "new" ? union(made, result, ...given) : result;
  }

  private effect(
    effect: string,
    args: readonly Expression[],
    given: readonly Tags[],
    scope: Scope,
  ): Set<string> {
    const { id } = scope.function;
    for (const [position, sink] of Object.entries(SINK_OF[effect] ?? {})) {
      this.addSink(id, sink, given[Number(position)] ?? NO_TAGS);
    }
    if (effect === "input_read" && args[0]) this.assignTo(args[0], new Set(["input"]), scope);
    if (effect === "sm3" && args[2]) this.assignTo(args[2], given[0] ?? NO_TAGS, scope);
    const source = SOURCE_OF[effect];
    return new Set(source === undefined ? [] : [source]);
  }

  private fieldsOf(className: string): Set<string> {
    const tags = new Set<string>();
    for (const [name, known] of this.fields) {
      if (name.startsWith(`${className}.`)) for (const tag of known) tags.add(tag);
    }
    return tags;
  }

  private handIn(callee: string, given: readonly Tags[], object: Tags, scope: Scope): void {
    let known = this.handedIn.get(callee);
    if (known === undefined) {
      known = new Map();
      this.handedIn.set(callee, known);
    }
    for (const [position, tags] of [[-1, object] as const, ...given.entries()]) {
      let all = known.get(position);
      if (all === undefined) {
        all = new Set();
        known.set(position, all);
      }
      this.add(all, this.known(tags, scope.function.id));
    }
  }
}

/** Which parameter a tag stands for; −1 the object, null none. */
function positionOf(tag: string): number | null {
  if (tag === "this") return -1;
  return tag.startsWith("param:") ? Number(tag.slice(6)) : null;
}

function union(...sets: readonly Tags[]): Set<string> {
  const all = new Set<string>();
  for (const set of sets) for (const tag of set) all.add(tag);
  return all;
}

function substitute(tags: Tags, given: readonly Tags[], object: Tags): Set<string> {
  const found = new Set<string>();
  for (const tag of tags) {
    const position = positionOf(tag);
    const by = position === null ? [tag] : position < 0 ? object : (given[position] ?? NO_TAGS);
    for (const each of by) found.add(each);
  }
  return found;
}
