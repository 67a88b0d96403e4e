import { ByteReader } from "./byte-reader.ts";
import { limits } from "./limits.ts";
import { ModuleRefused } from "./module-refused.ts";
import { bulkOp, EMPTY_BLOCK, type Opcode, op, opcodeOf, refusalOf, valueType } from "./opcodes.ts";

/**
 * Steps through the instructions of one function body; the fields describe the last one read.
 * Throws `ModuleRefused` at the first that contracts may not use.
 */
export class InstructionReader {
  private readonly reader: ByteReader;
  /** Where the instruction starts in the module's bytes. */
  start = 0;
  code = 0;
  /** Byte after the bulk prefix, else 0. */
  second = 0;
  /** Function, type, local, global or label index, or a block's type byte. */
  index = 0;
  opcode: Opcode = { immediate: "none", pops: 0, pushes: 0 };

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.reader = new ByteReader(bytes, start, end);
  }

  get done(): boolean {
    return this.reader.done;
  }

  /** Where the instruction ends. */
  get end(): number {
    return this.reader.at;
  }

  next(): void {
    this.start = this.reader.at;
    this.code = this.reader.byte();
    this.second = 0;
    const opcode = opcodeOf(this.code);
    if (opcode === undefined) {
      throw new ModuleRefused(refusalOf(this.code), `opcode 0x${this.code.toString(16)}`);
    }
    this.opcode = opcode;
    this.immediate();
  }

  private immediate(): void {
    const { reader } = this;
    switch (this.opcode.immediate) {
      case "none":
        return;
      case "block":
        this.index = blockType(reader);
        return;
      case "label":
      case "function":
      case "local":
      case "global":
        this.index = reader.u32();
        return;
      case "labels":
        for (let left = reader.count(limits.branchTargets, "branch targets"); left >= 0; left--) {
          reader.u32();
        }
        return;
      case "indirect":
        this.index = reader.u32();
        zero(reader, "VM_MODULE_REFERENCE_TYPES", "call_indirect through another table");
        return;
      case "memory-argument":
        if (reader.u32() >= 32) throw new ModuleRefused("VM_MODULE_MULTI_MEMORY", "memory index");
        reader.u32();
        return;
      case "memory":
        zero(reader, "VM_MODULE_MULTI_MEMORY", "memory index");
        return;
      case "i32":
        reader.s32();
        return;
      case "i64":
        reader.s64();
        return;
      case "bulk":
        this.bulk();
    }
  }

  private bulk(): void {
    const { reader } = this;
    this.second = reader.u32();
    switch (this.second) {
      case bulkOp.memoryInit:
        reader.u32();
        zero(reader, "VM_MODULE_MULTI_MEMORY", "memory index");
        break;
      case bulkOp.memoryCopy:
        zero(reader, "VM_MODULE_MULTI_MEMORY", "memory index");
        zero(reader, "VM_MODULE_MULTI_MEMORY", "memory index");
        break;
      case bulkOp.memoryFill:
        zero(reader, "VM_MODULE_MULTI_MEMORY", "memory index");
        break;
      case bulkOp.tableInit:
        reader.u32();
        zero(reader, "VM_MODULE_REFERENCE_TYPES", "table index");
        break;
      case bulkOp.tableCopy:
        zero(reader, "VM_MODULE_REFERENCE_TYPES", "table index");
        zero(reader, "VM_MODULE_REFERENCE_TYPES", "table index");
        break;
      case bulkOp.dataDrop:
      case bulkOp.elementDrop:
        reader.u32();
        this.opcode = DROP;
        return;
      default:
        throw new ModuleRefused(bulkRefusal(this.second), `opcode 0xfc ${this.second}`);
    }
    this.opcode = BULK;
  }
}

const BULK: Opcode = { immediate: "bulk", pops: 3, pushes: 0 };
const DROP: Opcode = { immediate: "bulk", pops: 0, pushes: 0 };

function bulkRefusal(
  second: number,
): "VM_MODULE_FLOAT" | "VM_MODULE_REFERENCE_TYPES" | "VM_MODULE_OPCODE" {
  if (second < bulkOp.memoryInit) return "VM_MODULE_FLOAT";
  return second <= 17 ? "VM_MODULE_REFERENCE_TYPES" : "VM_MODULE_OPCODE";
}

function zero(
  reader: ByteReader,
  code: "VM_MODULE_MULTI_MEMORY" | "VM_MODULE_REFERENCE_TYPES",
  detail: string,
): void {
  if (reader.byte() !== 0) throw new ModuleRefused(code, detail);
}

function blockType(reader: ByteReader): number {
  const byte = reader.peek();
  if (byte === EMPTY_BLOCK) reader.skip(1);
  else if (isTypeIndex(byte)) throw new ModuleRefused("VM_MODULE_MULTI_VALUE", "block type");
  else readValueType(reader);
  return byte;
}

/** A block's type is one byte for a value, or an index, whose first byte has bit 6 clear or 7 set. */
function isTypeIndex(byte: number): boolean {
  return byte >= 0x80 || (byte & 0x40) === 0;
}

/** One value type, which must be i32 or i64. */
export function readValueType(reader: ByteReader): number {
  const byte = reader.byte();
  if (byte === valueType.i32 || byte === valueType.i64) return byte;
  if (byte === 0x7d || byte === 0x7c) throw new ModuleRefused("VM_MODULE_FLOAT", "value type");
  if (byte === 0x7b) throw new ModuleRefused("VM_MODULE_SIMD", "value type");
  if (byte === 0x70 || byte === 0x6f) {
    throw new ModuleRefused("VM_MODULE_REFERENCE_TYPES", "value type");
  }
  if (byte >= 0x62 && byte <= 0x74) throw new ModuleRefused("VM_MODULE_GC", "value type");
  throw new ModuleRefused("VM_MODULE_MALFORMED", `value type 0x${byte.toString(16)}`);
}

/** A constant expression: one integer constant and `end`. */
export function readConstant(reader: ByteReader): {
  readonly type: number;
  readonly value: bigint;
} {
  const code = reader.byte();
  let constant: { readonly type: number; readonly value: bigint };
  if (code === op.i32Const) constant = { type: valueType.i32, value: BigInt(reader.s32()) };
  else if (code === op.i64Const) constant = { type: valueType.i64, value: reader.s64() };
  else if (opcodeOf(code) !== undefined) {
    throw new ModuleRefused("VM_MODULE_CONSTANT", `opcode 0x${code.toString(16)}`);
  } else throw new ModuleRefused(refusalOf(code), "in a constant");
  if (reader.byte() !== op.end)
    throw new ModuleRefused("VM_MODULE_CONSTANT", "more than one value");
  return constant;
}
