import { type Code, END, i32, i64, s, u } from "./assembler.ts";

/** A 32-bit generator: the same seed, the same program. @see mulberry32 */
export function createGenerator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** A program as a tree: written once as WebAssembly and once walked by the reference. */
export type Expression =
  | { readonly type: "i32"; readonly value: number }
  | { readonly type: "get"; readonly local: number }
  | { readonly type: "global" }
  | {
      readonly type: "binary";
      readonly code: number;
      readonly a: Expression;
      readonly b: Expression;
    }
  | { readonly type: "eqz"; readonly a: Expression }
  | { readonly type: "load"; readonly at: Expression }
  | { readonly type: "wide"; readonly a: Expression; readonly b: Expression }
  | { readonly type: "call"; readonly a: Expression; readonly b: Expression }
  | {
      readonly type: "if";
      readonly condition: Expression;
      readonly yes: Expression;
      readonly no: Expression;
    };

export type Statement =
  | { readonly type: "set"; readonly local: number; readonly value: Expression }
  | { readonly type: "global"; readonly value: Expression }
  | { readonly type: "store"; readonly at: Expression; readonly value: Expression }
  | { readonly type: "fill"; readonly length: number }
  | { readonly type: "grow"; readonly pages: number }
  | { readonly type: "return"; readonly condition: Expression }
  | { readonly type: "break"; readonly condition: Expression; readonly body: readonly Statement[] }
  | {
      readonly type: "loop";
      readonly counter: number;
      readonly times: number;
      readonly body: readonly Statement[];
    }
  | {
      readonly type: "if";
      readonly condition: Expression;
      readonly yes: readonly Statement[];
      readonly no: readonly Statement[];
    };

/** Locals 0 to 3 hold values; from 4 on each nested loop has its counter. */
export const VALUES = 4;
export const COUNTERS = 4;

const BINARY = [
  0x6a, 0x6b, 0x6c, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x6d, 0x6e,
  0x6f, 0x70,
] as const;

export function randomExpression(below: (n: number) => number, depth: number): Expression {
  const inner = () => randomExpression(below, depth - 1);
  const kind = depth <= 0 ? below(3) : below(10);
  switch (kind) {
    case 0:
      return { type: "i32", value: below(2) === 0 ? below(100) : below(2 ** 32) | 0 };
    case 1:
      return { type: "get", local: below(VALUES) };
    case 2:
      return { type: "global" };
    case 3:
      return { type: "eqz", a: inner() };
    case 4:
      return { type: "load", at: inner() };
    case 5:
      return { type: "wide", a: inner(), b: inner() };
    case 6:
      return { type: "call", a: inner(), b: inner() };
    case 7:
      return { type: "if", condition: inner(), yes: inner(), no: inner() };
    default: {
      const code = BINARY[below(BINARY.length)] ?? 0x6a;
      return { type: "binary", code, a: inner(), b: inner() };
    }
  }
}

export function randomStatements(
  below: (n: number) => number,
  depth: number,
  loops: number,
): readonly Statement[] {
  return Array.from({ length: 1 + below(4) }, () => randomStatement(below, depth, loops));
}

function randomStatement(below: (n: number) => number, depth: number, loops: number): Statement {
  const value = () => randomExpression(below, 2);
  const body = (inLoop = 0) => randomStatements(below, depth - 1, loops + inLoop);
  const kind = depth <= 0 ? below(4) : below(10);
  switch (kind) {
    case 0:
    case 1:
      return { type: "set", local: below(VALUES), value: value() };
    case 2:
      return { type: "store", at: value(), value: value() };
    case 3:
      return { type: "global", value: value() };
    case 4:
      return { type: "fill", length: below(300) };
    case 5:
      return { type: "grow", pages: below(3) };
    case 6:
      return { type: "break", condition: value(), body: body() };
    case 7:
      if (loops >= COUNTERS) return { type: "global", value: value() };
      return { type: "loop", counter: VALUES + loops, times: 1 + below(6), body: body(1) };
    case 8:
      return { type: "return", condition: value() };
    default:
      return { type: "if", condition: value(), yes: body(), no: body() };
  }
}

/** Stores and loads stay inside the first page. */
const MASK: Code = [i32(0xfff0), 0x71];

/** Index of the helper function `(a, b) -> a * 31 + b`. */
export const MIX = 1;

export function emitExpression(e: Expression): Code {
  switch (e.type) {
    case "i32":
      return i32(e.value);
    case "get":
      return [0x20, u(e.local)];
    case "global":
      return [0x23, 0];
    case "binary":
      return [emitExpression(e.a), emitExpression(e.b), e.code];
    case "eqz":
      return [emitExpression(e.a), 0x45];
    case "load":
      return [emitExpression(e.at), MASK, 0x28, 2, 0];
    case "wide": // (i64(a) * 2^33 + i64(b)) >> 7, low half
      return [
        [emitExpression(e.a), 0xac, i64(2n ** 33n), 0x7e],
        [emitExpression(e.b), 0xac, 0x7c, i64(7), 0x87, 0xa7],
      ];
    case "call":
      return [emitExpression(e.a), emitExpression(e.b), 0x10, u(MIX)];
    case "if":
      return [
        emitExpression(e.condition),
        [0x04, 0x7f, emitExpression(e.yes), 0x05, emitExpression(e.no), END],
      ];
  }
}

export function emitStatements(statements: readonly Statement[]): Code {
  return statements.map(emitStatement);
}

function emitStatement(t: Statement): Code {
  switch (t.type) {
    case "set":
      return [emitExpression(t.value), 0x21, u(t.local)];
    case "global":
      return [emitExpression(t.value), 0x24, 0];
    case "store":
      return [emitExpression(t.at), MASK, emitExpression(t.value), 0x36, 2, 0];
    case "fill":
      return [i32(0), i32(7), i32(t.length), 0xfc, 11, 0];
    case "grow":
      return [i32(t.pages), 0x40, 0, 0x24, 0];
    case "return":
      return [emitExpression(t.condition), 0x04, 0x40, 0x0f, END];
    case "break":
      return [0x02, 0x40, emitExpression(t.condition), 0x0d, 0, emitStatements(t.body), END];
    case "loop":
      return [
        [0x41, s(t.times), 0x21, u(t.counter), 0x03, 0x40, emitStatements(t.body)],
        [0x20, u(t.counter), i32(1), 0x6b, 0x22, u(t.counter), 0x0d, 0, END],
      ];
    case "if":
      return [
        [emitExpression(t.condition), 0x04, 0x40, emitStatements(t.yes)],
        [0x05, emitStatements(t.no), END],
      ];
  }
}
