import type { ByteReader } from "./byte-reader.ts";
import { InstructionReader, readConstant, readValueType } from "./instructions.ts";
import { limits } from "./limits.ts";
import { type FunctionBody, PAGE_BYTES } from "./module.ts";
import { ModuleRefused } from "./module-refused.ts";
import { op, valueType } from "./opcodes.ts";

/** Offset of an active segment, as the unsigned number it is. */
function readOffset(reader: ByteReader): number {
  const { type, value } = readConstant(reader);
  if (type !== valueType.i32) throw new ModuleRefused("VM_MODULE_MALFORMED", "offset of a segment");
  return Number(BigInt.asUintN(32, value));
}

/** Holds the element segments to plain function indexes inside the initial table. */
export function readElements(reader: ByteReader, tableElements: number): void {
  if (reader.done) return;
  for (let left = reader.count(limits.elementSegments, "element segments"); left > 0; left--) {
    const flags = reader.u32();
    if (flags > 2) throw new ModuleRefused("VM_MODULE_REFERENCE_TYPES", "element segment");
    if (flags === 2 && reader.u32() !== 0) {
      throw new ModuleRefused("VM_MODULE_REFERENCE_TYPES", "another table");
    }
    const offset = flags === 1 ? 0 : readOffset(reader);
    if (flags !== 0 && reader.byte() !== 0) {
      throw new ModuleRefused("VM_MODULE_REFERENCE_TYPES", "kind of elements");
    }
    const count = reader.count(limits.tableElements, "elements");
    if (flags !== 1 && offset + count > tableElements) {
      throw new ModuleRefused("VM_MODULE_SEGMENT", "elements outside the table");
    }
    for (let i = 0; i < count; i++) reader.u32();
  }
}

/** Bytes of all data segments; active ones must lie inside the initial memory. */
export function readData(reader: ByteReader, minimumPages: number): number {
  if (reader.done) return 0;
  let total = 0;
  for (let left = reader.count(limits.dataSegments, "data segments"); left > 0; left--) {
    const flags = reader.u32();
    if (flags > 2) throw new ModuleRefused("VM_MODULE_MALFORMED", "kind of data");
    if (flags === 2 && reader.u32() !== 0) {
      throw new ModuleRefused("VM_MODULE_MULTI_MEMORY", "data for another memory");
    }
    const offset = flags === 1 ? 0 : readOffset(reader);
    const length = reader.u32();
    reader.skip(length);
    if (flags !== 1 && offset + length > minimumPages * PAGE_BYTES) {
      throw new ModuleRefused("VM_MODULE_SEGMENT", "data outside the memory");
    }
    total += length;
  }
  return total;
}

export function readBodies(reader: ByteReader): readonly FunctionBody[] {
  if (reader.done) return [];
  const bodies: FunctionBody[] = [];
  for (let left = reader.count(limits.functions, "functions"); left > 0; left--) {
    const size = reader.u32();
    if (size > limits.functionBytes) {
      throw new ModuleRefused("VM_MODULE_FUNCTION_TOO_LARGE", `${size} bytes`);
    }
    const start = reader.at;
    reader.skip(size);
    bodies.push(readBody(reader, start, reader.at));
  }
  return bodies;
}

function readBody(outer: ByteReader, start: number, end: number): FunctionBody {
  outer.at = start;
  let localCount = 0;
  for (let left = outer.count(limits.functionSlots, "groups of locals"); left > 0; left--) {
    localCount += outer.u32();
    if (localCount > limits.functionSlots) {
      throw new ModuleRefused("VM_MODULE_FUNCTION_TOO_LARGE", `${localCount} locals`);
    }
    readValueType(outer);
  }
  const instructions = outer.at;
  if (instructions >= end) throw new ModuleRefused("VM_MODULE_MALFORMED", "a function without end");
  checkInstructions(new InstructionReader(outer.bytes, instructions, end));
  outer.at = end;
  return { localCount, start, instructions, end };
}

function checkInstructions(instruction: InstructionReader): void {
  let depth = 1;
  while (!instruction.done) {
    if (depth === 0) throw new ModuleRefused("VM_MODULE_MALFORMED", "code after a function's end");
    instruction.next();
    const { code } = instruction;
    if (code === op.block || code === op.loop || code === op.if) {
      if (++depth > limits.nestedBlocks) {
        throw new ModuleRefused("VM_MODULE_FUNCTION_TOO_LARGE", "nested blocks");
      }
    } else if (code === op.end) {
      depth--;
    }
  }
  if (depth !== 0) throw new ModuleRefused("VM_MODULE_MALFORMED", "a function without end");
}
