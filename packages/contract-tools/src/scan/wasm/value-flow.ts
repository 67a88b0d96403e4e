import {
  functionType,
  InstructionReader,
  op,
  type WasmModule,
} from "@credlink/contracts-vm/inspect";
import { importOf, type ModuleFunction } from "./flow-of-module.ts";

/** Whether a value may come from one of the wanted host functions. */
type Mark = boolean;

/**
 * Offsets of the remainders that a function takes of what given host functions answered. Values are
 * followed through operands and locals of the function; across a join the stack counts as unknown.
 */
export function remaindersOf(
  module: WasmModule,
  of: ModuleFunction,
  effects: readonly string[],
): readonly number[] {
  const locals = new Map<number, Mark>();
  let found: readonly number[] = [];
  // A local may be read above the place where it is set: a loop.
  for (let round = 0; round < 2; round++) found = walk(module, of, effects, locals);
  return found;
}

function walk(
  module: WasmModule,
  of: ModuleFunction,
  effects: readonly string[],
  locals: Map<number, Mark>,
): readonly number[] {
  const body = module.bodies[of.index - module.imports.length];
  if (body === undefined) return [];
  const reader = new InstructionReader(module.bytes, body.instructions, body.end);
  const found: number[] = [];
  let stack: Mark[] = [];
  const pop = (): Mark => stack.pop() ?? false;
  while (!reader.done) {
    reader.next();
    const { code, index, opcode, start } = reader;
    if (code === op.localGet) stack.push(locals.get(index) ?? false);
    else if (code === op.localSet) locals.set(index, pop() || locals.get(index) === true);
    else if (code === op.localTee) {
      const mark = pop();
      locals.set(index, mark || locals.get(index) === true);
      stack.push(mark);
    } else if (code === op.call) {
      const { parameters, results } = functionType(module, index);
      const marks = parameters.map(pop);
      const imported = importOf(module, index);
      const mark = imported === null ? marks.includes(true) : effects.includes(imported);
      for (const _ of results) stack.push(mark);
    } else if (isControl(code)) stack = [];
    else {
      const marks = Array.from({ length: opcode.pops }, pop);
      if (isRemainder(code) && marks.includes(true)) found.push(start);
      for (let left = opcode.pushes; left > 0; left--) stack.push(marks.includes(true));
    }
  }
  return found;
}

function isControl(code: number): boolean {
  return code <= op.return || code === op.callIndirect;
}

/** i32.rem_s, i32.rem_u, i64.rem_s, i64.rem_u; and masks, which serve the same purpose. */
function isRemainder(code: number): boolean {
  return code === 0x6f || code === op.i32RemU || code === 0x81 || code === op.i64RemU;
}
