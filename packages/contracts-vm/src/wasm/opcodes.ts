import type { ModuleErrorCode } from "./module-refused.ts";

/** Opcodes that the code names one by one. @see WebAssembly Core 2.0 §5.4 */
export const op = {
  unreachable: 0x00,
  nop: 0x01,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  drop: 0x1a,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  i32Load: 0x28,
  i64Load: 0x29,
  i32Store: 0x36,
  i64Store32: 0x3e,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  i32Eqz: 0x45,
  i32Eq: 0x46,
  i32GtU: 0x4b,
  i64Eqz: 0x50,
  i64Eq: 0x51,
  i64LtS: 0x53,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Mul: 0x6c,
  i32DivS: 0x6d,
  i32RemU: 0x70,
  i32And: 0x71,
  i64Add: 0x7c,
  i64Sub: 0x7d,
  i64Mul: 0x7e,
  i64DivS: 0x7f,
  i64RemU: 0x82,
  i64ShrU: 0x88,
  i64ExtendI32U: 0xad,
  bulk: 0xfc,
} as const;

/** Second byte of the instructions behind `op.bulk`. */
export const bulkOp = {
  memoryInit: 8,
  dataDrop: 9,
  memoryCopy: 10,
  memoryFill: 11,
  tableInit: 12,
  elementDrop: 13,
  tableCopy: 14,
} as const;

/** Value types that contracts may use. */
export const valueType = { i32: 0x7f, i64: 0x7e } as const;
export const EMPTY_BLOCK = 0x40;
export const FUNCREF = 0x70;

/** What follows an opcode. */
export type Immediate =
  | "none"
  | "block"
  | "label"
  | "labels"
  | "function"
  | "indirect"
  | "local"
  | "global"
  | "memory-argument"
  | "memory"
  | "i32"
  | "i64"
  | "bulk";

/** An allowed instruction: its immediate, and the values it takes and leaves. */
export interface Opcode {
  readonly immediate: Immediate;
  /** Values popped and pushed; what depends on a type or label is counted by the walker. */
  readonly pops: number;
  readonly pushes: number;
}

const table: (Opcode | undefined)[] = new Array(256).fill(undefined);

function allow(
  from: number,
  to: number,
  pops: number,
  pushes: number,
  immediate: Immediate = "none",
): void {
  for (let code = from; code <= to; code++) table[code] = { immediate, pops, pushes };
}

allow(op.unreachable, op.nop, 0, 0);
allow(op.block, op.loop, 0, 0, "block");
allow(op.if, op.if, 1, 0, "block");
allow(op.else, op.else, 0, 0);
allow(op.end, op.end, 0, 0);
allow(op.br, op.br, 0, 0, "label");
allow(op.brIf, op.brIf, 1, 0, "label");
allow(op.brTable, op.brTable, 1, 0, "labels");
allow(op.return, op.return, 0, 0);
allow(op.call, op.call, 0, 0, "function");
allow(op.callIndirect, op.callIndirect, 1, 0, "indirect");
allow(op.drop, op.drop, 1, 0);
allow(op.select, op.select, 3, 1);
allow(op.localGet, op.localGet, 0, 1, "local");
allow(op.localSet, op.localSet, 1, 0, "local");
allow(op.localTee, op.localTee, 1, 1, "local");
allow(op.globalGet, op.globalGet, 0, 1, "global");
allow(op.globalSet, op.globalSet, 1, 0, "global");
allow(op.i32Load, op.i64Load, 1, 1, "memory-argument");
allow(0x2c, 0x35, 1, 1, "memory-argument"); // the narrow integer loads
allow(op.i32Store, 0x37, 2, 0, "memory-argument");
allow(0x3a, op.i64Store32, 2, 0, "memory-argument"); // the narrow integer stores
allow(op.memorySize, op.memorySize, 0, 1, "memory");
allow(op.memoryGrow, op.memoryGrow, 1, 1, "memory");
allow(op.i32Const, op.i32Const, 0, 1, "i32");
allow(op.i64Const, op.i64Const, 0, 1, "i64");
allow(op.i32Eqz, op.i32Eqz, 1, 1);
allow(op.i32Eq, 0x4f, 2, 1);
allow(op.i64Eqz, op.i64Eqz, 1, 1);
allow(op.i64Eq, 0x5a, 2, 1);
allow(0x67, 0x69, 1, 1); // i32.clz, ctz, popcnt
allow(op.i32Add, 0x78, 2, 1);
allow(0x79, 0x7b, 1, 1); // i64.clz, ctz, popcnt
allow(op.i64Add, 0x8a, 2, 1);
allow(0xa7, 0xa7, 1, 1); // i32.wrap_i64
allow(0xac, op.i64ExtendI32U, 1, 1);
allow(0xc0, 0xc4, 1, 1); // sign extension
allow(op.bulk, op.bulk, 0, 0, "bulk");

/** The instruction, or undefined when contracts may not use it. */
export function opcodeOf(code: number): Opcode | undefined {
  return table[code];
}

/** Ends a basic block: what follows is reached by a jump or not at all. */
export function endsBasicBlock(code: number): boolean {
  return (
    code === op.loop ||
    code === op.if ||
    code === op.else ||
    code === op.end ||
    code === op.unreachable ||
    (code >= op.br && code <= op.return)
  );
}

/** Under which name an instruction outside the allowed set is refused. */
export function refusalOf(code: number): ModuleErrorCode {
  if (isFloat(code)) return "VM_MODULE_FLOAT";
  if (code >= 0x12 && code <= 0x15) return code === 0x14 ? "VM_MODULE_GC" : "VM_MODULE_TAIL_CALL";
  if ((code >= 0x06 && code <= 0x0a) || code === 0x18 || code === 0x19 || code === 0x1f) {
    return "VM_MODULE_EXCEPTIONS";
  }
  if (code === 0x1c || code === 0x25 || code === 0x26 || (code >= 0xd0 && code <= 0xd2)) {
    return "VM_MODULE_REFERENCE_TYPES";
  }
  if (code === 0xfb || (code >= 0xd3 && code <= 0xd6)) return "VM_MODULE_GC";
  if (code === 0xfd) return "VM_MODULE_SIMD";
  if (code === 0xfe) return "VM_MODULE_THREADS";
  return "VM_MODULE_OPCODE";
}

function isFloat(code: number): boolean {
  return (
    code === 0x2a ||
    code === 0x2b ||
    code === 0x38 ||
    code === 0x39 ||
    code === 0x43 ||
    code === 0x44 ||
    (code >= 0x5b && code <= 0x66) ||
    (code >= 0x8b && code <= 0xa6) ||
    (code >= 0xa8 && code <= 0xab) ||
    (code >= 0xae && code <= 0xbf)
  );
}
