import { invariant } from "@credlink/primitives";
import { InstructionReader } from "./instructions.ts";
import type { FunctionBody, FunctionType, WasmModule } from "./module.ts";
import { EMPTY_BLOCK, op } from "./opcodes.ts";

interface Frame {
  /** Height of the operand stack below the block. */
  readonly base: number;
  /** Values that the block leaves. */
  readonly results: number;
}

/**
 * Most values that a function's operand stack ever holds, parameters and locals not counted.
 * The module must have been validated: types are taken for granted, only values are counted.
 */
export function maxOperandHeight(module: WasmModule, body: FunctionBody): number {
  const instruction = new InstructionReader(module.bytes, body.instructions, body.end);
  // What the function's own block leaves is the caller's from then on.
  const frames: Frame[] = [{ base: 0, results: 0 }];
  let height = 0;
  let highest = 0;
  const top = (): Frame => {
    const frame = frames[frames.length - 1];
    invariant(frame !== undefined, "an instruction stands inside a block");
    return frame;
  };
  // Unreachable code may pop what was never pushed; the height never falls below its block.
  const apply = (pops: number, pushes: number): void => {
    height = Math.max(height - pops, top().base) + pushes;
    if (height > highest) highest = height;
  };
  while (!instruction.done) {
    instruction.next();
    const { code, opcode, index } = instruction;
    apply(opcode.pops, opcode.pushes);
    if (code === op.block || code === op.loop || code === op.if) {
      frames.push({ base: height, results: index === EMPTY_BLOCK ? 0 : 1 });
    } else if (code === op.else) {
      height = top().base;
    } else if (code === op.end) {
      const { base, results } = top();
      frames.pop();
      height = base + results;
      if (height > highest) highest = height;
    } else if (code === op.call) {
      const type = calledType(module, index);
      apply(type.parameters.length, type.results.length);
    } else if (code === op.callIndirect) {
      const type = module.types[index];
      invariant(type !== undefined, "a validated module names types that exist");
      apply(type.parameters.length, type.results.length);
    } else if (isJump(code)) {
      height = top().base;
    }
  }
  return highest;
}

function isJump(code: number): boolean {
  return code === op.br || code === op.brTable || code === op.return || code === op.unreachable;
}

function calledType(module: WasmModule, index: number): FunctionType {
  const typeIndex =
    module.imports[index]?.typeIndex ?? module.functions[index - module.imports.length];
  const type = typeIndex === undefined ? undefined : module.types[typeIndex];
  invariant(type !== undefined, "a validated module calls functions that exist");
  return type;
}
