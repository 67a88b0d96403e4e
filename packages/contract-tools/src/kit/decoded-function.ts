import {
  ByteReader,
  bulkOp,
  EMPTY_BLOCK,
  endsBasicBlock,
  FRAME_SLOTS,
  FUNCTION_ENTRY_GAS,
  functionType,
  InstructionReader,
  maxOperandHeight,
  op,
  opcodeGas,
  SLOTS_PER_ENTRY_GAS,
  sectionId,
  type WasmModule,
} from "@credlink/contracts-vm/inspect";

/** An instruction, ready to run. */
export interface DecodedInstruction {
  readonly code: number;
  /** Byte after the bulk prefix, else 0. */
  readonly second: number;
  /** Offset in the module. */
  readonly offset: number;
  /** Index, label, or offset of a memory access. */
  readonly index: number;
  readonly value: bigint;
  /** Targets of a br_table, the default last. */
  readonly targets: readonly number[];
  /** Position of the matching `end`, of a block, loop or if; of the `if`'s end for an else. */
  end: number;
  /** Position of the matching `else`, −1 without. */
  otherwise: number;
  /** Gas of the basic block that starts here, 0 inside one. */
  blockGas: number;
  /** Gas of the instruction alone. */
  readonly gas: number;
  /** Values that a block, loop or if leaves. */
  readonly arity: number;
}

export interface DecodedFunction {
  readonly index: number;
  readonly parameters: number;
  readonly results: number;
  /** Initial values of parameters and locals. */
  readonly localTypes: readonly number[];
  /** Values that it holds while it runs, as the node counts them. */
  readonly slots: number;
  readonly instructions: readonly DecodedInstruction[];
}

/** A charge in the instrumented code needs as many operands above the function's. */
const CHARGE_SLOTS = 2;

/** A function of the module's own, by its position among them. */
export function decodeFunction(module: WasmModule, position: number): DecodedFunction {
  const body = module.bodies[position];
  const index = module.imports.length + position;
  const { parameters, results } = functionType(module, index);
  if (body === undefined) throw new RangeError(`no function ${index}`);
  const localTypes = [...parameters, ...readLocals(module, body.start, body.instructions)];
  const slots = localTypes.length + maxOperandHeight(module, body);
  const instructions = readInstructions(module, body.instructions, body.end);
  matchBlocks(instructions);
  chargeBlocks(
    instructions,
    FUNCTION_ENTRY_GAS + Math.ceil(localTypes.length / SLOTS_PER_ENTRY_GAS),
  );
  return {
    index,
    parameters: parameters.length,
    results: results.length,
    localTypes,
    slots: slots + FRAME_SLOTS + CHARGE_SLOTS,
    instructions,
  };
}

function readLocals(module: WasmModule, start: number, end: number): readonly number[] {
  const reader = new ByteReader(module.bytes, start, end);
  const types: number[] = [];
  for (let left = reader.u32(); left > 0; left--) {
    const count = reader.u32();
    const type = reader.byte();
    for (let i = 0; i < count; i++) types.push(type);
  }
  return types;
}

function readInstructions(module: WasmModule, start: number, end: number): DecodedInstruction[] {
  const reader = new InstructionReader(module.bytes, start, end);
  const instructions: DecodedInstruction[] = [];
  while (!reader.done) {
    reader.next();
    const { code, second, start: offset } = reader;
    const at = new ByteReader(module.bytes, offset + 1);
    let index = reader.index;
    let value = 0n;
    const targets: number[] = [];
    if (code === op.i32Const) value = BigInt(at.s32());
    else if (code === op.i64Const) value = at.s64();
    else if (code >= op.i32Load && code <= op.i64Store32) {
      at.u32();
      index = at.u32();
    } else if (code === op.brTable) {
      for (let left = at.u32(); left >= 0; left--) targets.push(at.u32());
    } else if (code === op.bulk) {
      at.u32();
      index = second === bulkOp.memoryFill || second === bulkOp.memoryCopy ? 0 : at.u32();
    }
    const isBlock = code === op.block || code === op.loop || code === op.if;
    const arity = isBlock && reader.index !== EMPTY_BLOCK ? 1 : 0;
    const gas = opcodeGas(code, second);
    instructions.push({
      code,
      second,
      offset,
      index,
      value,
      targets,
      end: 0,
      otherwise: -1,
      blockGas: 0,
      gas,
      arity,
    });
  }
  return instructions;
}

function matchBlocks(instructions: readonly DecodedInstruction[]): void {
  const open: DecodedInstruction[] = [];
  for (const [position, instruction] of instructions.entries()) {
    const { code } = instruction;
    if (code === op.block || code === op.loop || code === op.if) open.push(instruction);
    else if (code === op.else) {
      const start = open.at(-1);
      if (start !== undefined) start.otherwise = position;
    } else if (code === op.end) {
      const start = open.pop();
      if (start === undefined) continue;
      start.end = position;
      const otherwise = instructions[start.otherwise];
      if (otherwise !== undefined) otherwise.end = position;
    }
  }
}

/** Puts each basic block's gas at its first instruction. */
function chargeBlocks(instructions: readonly DecodedInstruction[], entryGas: number): void {
  let first: DecodedInstruction | null = null;
  let gas = entryGas;
  for (const instruction of instructions) {
    first ??= instruction;
    gas += instruction.gas;
    if (!endsBasicBlock(instruction.code)) continue;
    first.blockGas = gas;
    first = null;
    gas = 0;
  }
}

/** A data segment: where it goes at the start (−1: nowhere), and its bytes. */
export interface DataSegment {
  readonly at: number;
  readonly bytes: Uint8Array;
}

export function readDataSegments(module: WasmModule): readonly DataSegment[] {
  const range = module.sections.get(sectionId.data);
  if (range === undefined) return [];
  const reader = new ByteReader(module.bytes, range.start, range.end);
  const segments: DataSegment[] = [];
  for (let left = reader.u32(); left > 0; left--) {
    const flags = reader.u32();
    if (flags === 2) reader.u32();
    const at = flags === 1 ? -1 : readOffset(reader);
    const length = reader.u32();
    segments.push({ at, bytes: module.bytes.slice(reader.at, reader.at + length) });
    reader.skip(length);
  }
  return segments;
}

/** `i32.const N end`. */
function readOffset(reader: ByteReader): number {
  reader.byte();
  const value = reader.s32() >>> 0;
  reader.byte();
  return value;
}

/** The table's functions: indexes, −1 where none stands. */
export function readTableElements(module: WasmModule): readonly number[] {
  const table = new Array<number>(module.tableElements).fill(-1);
  const range = module.sections.get(sectionId.element);
  if (range === undefined) return table;
  const reader = new ByteReader(module.bytes, range.start, range.end);
  for (let left = reader.u32(); left > 0; left--) {
    const flags = reader.u32();
    if (flags === 2) reader.u32();
    const at = flags === 1 ? -1 : readOffset(reader);
    if (flags !== 0) reader.byte();
    for (let count = reader.u32(), i = 0; i < count; i++) {
      const index = reader.u32();
      if (at >= 0) table[at + i] = index;
    }
  }
  return table;
}

/** Initial values of the module's globals. */
export function readGlobals(module: WasmModule): (number | bigint)[] {
  const range = module.sections.get(sectionId.global);
  if (range === undefined) return [];
  const reader = new ByteReader(module.bytes, range.start, range.end);
  const values: (number | bigint)[] = [];
  for (let left = reader.u32(); left > 0; left--) {
    reader.byte();
    reader.byte();
    values.push(reader.byte() === op.i32Const ? reader.s32() : reader.s64());
    reader.byte();
  }
  return values;
}
