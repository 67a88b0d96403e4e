import { bulkOp, op } from "./wasm/opcodes.ts";

/**
 * The schedule's version; it changes with every figure of this file, and stands on chain.
 * One gas is about one nanosecond of one core of the reference machine.
 */
export const GAS_SCHEDULE = 1;

/** A charge of `base`, and `perByte` for every byte that the operation moves or digests. */
export interface HostCost {
  readonly base: number;
  readonly perByte: number;
}

/** What every transaction costs before it runs: envelope, receipt, and its arguments' bytes. */
export const transactionCost: HostCost = { base: 50_000, perByte: 10 };

/** A fresh instance of a WebAssembly contract: once per call, from outside or by a contract. */
export const instanceCost = {
  base: 60_000,
  /** Per page of initial memory. */
  perPage: 2_000,
  /** Per byte of data segments, rounded up to eights, for eight. */
  perEightBytes: 1,
} as const;

/** A call of a built-in contract. */
export const BUILT_IN_CALL_GAS = 5_000;
/** One certificate or revocation list parsed and its chain verified. */
export const CERTIFICATE_GAS = 1_000_000;
/** Per entry of a revocation list. */
export const REVOCATION_GAS = 5_000;
/** Validation and instrumentation of a module, per byte. */
export const INSTALL_GAS_PER_BYTE = 100;

/** Charges of the host functions. */
export const hostCosts = {
  input: { base: 100, perByte: 1 },
  buffer: { base: 100, perByte: 1 },
  returnValue: { base: 200, perByte: 2 },
  revert: { base: 500, perByte: 1 },
  stateGet: { base: 2_000, perByte: 2 },
  statePut: { base: 8_000, perByte: 20 },
  stateDelete: { base: 8_000, perByte: 2 },
  stateRange: { base: 10_000, perByte: 4 },
  /** Added to `stateRange` for every entry. */
  rangeEntry: { base: 500, perByte: 0 },
  event: { base: 2_000, perByte: 10 },
  caller: { base: 1_000, perByte: 0 },
  /** Added to `caller` for every signer. */
  signer: { base: 500, perByte: 0 },
  block: { base: 100, perByte: 0 },
  sm3: { base: 3_000, perByte: 6 },
  sm2Verify: { base: 400_000, perByte: 6 },
  /** About 6 µs for a point of 64 bytes. */
  commitmentSum: { base: 1_000, perByte: 96 },
  contractCall: { base: 2_000, perByte: 2 },
} as const satisfies Record<string, HostCost>;

/** Charges that the instrumented code makes by itself, by an operand. */
export const dynamicCosts = {
  /** memory.grow: per page that is granted. */
  page: 2_000,
  /** table.init and table.copy: per element. */
  element: 4,
  // memory.copy, fill and init: one gas for every eight bytes, rounded up.
} as const;

/** A function's entry: one gas for every four parameters and locals, rounded up, on top of this. */
export const FUNCTION_ENTRY_GAS = 2;
export const SLOTS_PER_ENTRY_GAS = 4;

const FREE: ReadonlySet<number> = new Set([op.nop, op.block, op.loop, op.else, op.end]);

const dearer: ReadonlyMap<number, number> = new Map<number, number>([
  [op.if, 2],
  [op.br, 2],
  [op.brIf, 2],
  [op.brTable, 4],
  [op.return, 2],
  [op.call, 8],
  [op.callIndirect, 12],
  [op.globalGet, 2],
  [op.globalSet, 2],
  [op.memorySize, 2],
  [op.memoryGrow, 100],
  [op.i32Mul, 2],
  [op.i64Mul, 2],
]);

const bulk: ReadonlyMap<number, number> = new Map<number, number>([
  [bulkOp.memoryInit, 20],
  [bulkOp.dataDrop, 4],
  [bulkOp.memoryCopy, 20],
  [bulkOp.memoryFill, 20],
  [bulkOp.tableInit, 20],
  [bulkOp.elementDrop, 4],
  [bulkOp.tableCopy, 20],
]);

/** Gas of one allowed instruction; `second` is the byte after the bulk prefix, else 0. */
export function opcodeGas(code: number, second: number): number {
  if (FREE.has(code)) return 0;
  if (code === op.bulk) return bulk.get(second) ?? 1;
  if (code >= op.i32DivS && code <= op.i32RemU) return 8;
  if (code >= op.i64DivS && code <= op.i64RemU) return 8;
  if (code >= op.i32Load && code <= op.i64Store32) return 2;
  return dearer.get(code) ?? 1;
}

const table: readonly number[] = Array.from({ length: 256 }, (_, code) => opcodeGas(code, 0));

/** `opcodeGas` for single-byte instructions, by table. */
export function plainOpcodeGas(code: number): number {
  return table[code] ?? 1;
}
