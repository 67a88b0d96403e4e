/**
 * The cost table and the stack rule of docs/protocol/contracts.md §5, written from its text alone:
 * what another implementation would start from.
 */
import { at, type DecodedModule, type Instruction, type Signature } from "./wasm-decoder.ts";

const FREE = [0x01, 0x02, 0x03, 0x05, 0x0b];
const TWO = [0x04, 0x0c, 0x0d, 0x0f, 0x23, 0x24, 0x3f, 0x6c, 0x7e];
const ENDS_BLOCK = [0x00, 0x03, 0x04, 0x05, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f];

export function costOf(code: number): number {
  if (FREE.includes(code)) return 0;
  if (TWO.includes(code) || (code >= 0x28 && code <= 0x3e)) return 2;
  if ((code >= 0x6d && code <= 0x70) || (code >= 0x7f && code <= 0x82)) return 8;
  if (code === 0x0e) return 4;
  if (code === 0x10) return 8;
  if (code === 0x11) return 12;
  if (code === 0x40) return 100;
  if (code === 0xfc09 || code === 0xfc0d) return 4;
  return code >= 0xfc00 ? 20 : 1;
}

/** Gas to be paid at each place where a basic block begins; 0 elsewhere. */
export function blockCosts(code: readonly Instruction[], slots: number): readonly number[] {
  const costs = new Array<number>(code.length).fill(0);
  let begin = 0;
  costs[0] = 2 + Math.ceil(slots / 4);
  for (const [place, instruction] of code.entries()) {
    costs[begin] = (costs[begin] ?? 0) + costOf(instruction.code);
    if (ENDS_BLOCK.includes(instruction.code)) begin = place + 1;
  }
  return costs;
}

/** Values that an instruction takes and leaves, where that depends on its opcode alone. */
function effectOf(code: number): readonly [takes: number, leaves: number] {
  if ([0x04, 0x0d, 0x0e, 0x11, 0x1a, 0x21, 0x24].includes(code)) return [1, 0];
  if (code === 0x1b) return [3, 1];
  if ([0x20, 0x23, 0x3f, 0x41, 0x42].includes(code)) return [0, 1];
  if (code === 0x22 || code === 0x40 || code === 0x45 || code === 0x50) return [1, 1];
  if (code >= 0x28 && code <= 0x35) return [1, 1];
  if (code >= 0x36 && code <= 0x3e) return [2, 0];
  if ((code >= 0x67 && code <= 0x69) || (code >= 0x79 && code <= 0x7b)) return [1, 1];
  if (code === 0xa7 || (code >= 0xac && code <= 0xc4)) return [1, 1];
  if (code >= 0x46 && code <= 0x8a) return [2, 1];
  if (code >= 0xfc00) return code === 0xfc09 || code === 0xfc0d ? [0, 0] : [3, 0];
  return [0, 0];
}

/** The highest operand stack of a function: every instruction counted once, in their order. */
export function highestStack(module: DecodedModule, code: readonly Instruction[]): number {
  const blocks: { readonly floor: number; readonly results: number }[] = [{ floor: 0, results: 0 }];
  let height = 0;
  let highest = 0;
  const step = (takes: number, leaves: number): void => {
    height = Math.max(height - takes, at(blocks, blocks.length - 1).floor) + leaves;
    highest = Math.max(highest, height);
  };
  const callOf = ({ parameters, results }: Signature) => step(parameters.length, results.length);
  for (const { code: opcode, values } of code) {
    step(...effectOf(opcode));
    const first = values[0] ?? 0;
    if (opcode >= 0x02 && opcode <= 0x04) {
      blocks.push({ floor: height, results: first === 0x40 ? 0 : 1 });
    } else if (opcode === 0x05) height = at(blocks, blocks.length - 1).floor;
    else if (opcode === 0x0b) {
      const { floor, results } = at(blocks, blocks.length - 1);
      blocks.pop();
      height = floor + results;
      highest = Math.max(highest, height);
    } else if (opcode === 0x10) callOf(at(module.functionTypes, first));
    else if (opcode === 0x11) callOf(at(module.types, first));
    else if ([0x00, 0x0c, 0x0e, 0x0f].includes(opcode)) {
      height = at(blocks, blocks.length - 1).floor;
    }
  }
  return highest;
}
