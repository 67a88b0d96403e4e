import { op } from "@credlink/contracts-vm/inspect";

/** A trap, under the status that the node gives it. */
export class Trap extends Error {
  readonly status: string;

  constructor(status: string) {
    super(status);
    this.status = status;
  }
}

const I64_MIN = -(2n ** 63n);
const s64 = (value: bigint): bigint => BigInt.asIntN(64, value);
const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);

/** i32 instructions that take one value. */
export function unary32(code: number, a: number): number {
  switch (code) {
    case op.i32Eqz:
      return a === 0 ? 1 : 0;
    case 0x67:
      return Math.clz32(a);
    case 0x68:
      return a === 0 ? 32 : 31 - Math.clz32(a & -a);
    case 0x69:
      return ones(BigInt(a >>> 0));
    case 0xc0:
      return (a << 24) >> 24;
    case 0xc1:
      return (a << 16) >> 16;
    default:
      throw new RangeError(`opcode ${code}`);
  }
}

/** i64 instructions that take one value and leave an i64. */
export function unary64(code: number, a: bigint): bigint {
  switch (code) {
    case 0x79:
      return BigInt(64 - lengthOf(u64(a)));
    case 0x7a:
      return a === 0n ? 64n : BigInt(lengthOf(u64(a) & u64(-a)) - 1);
    case 0x7b:
      return BigInt(ones(u64(a)));
    case 0xc2:
      return BigInt.asIntN(8, a);
    case 0xc3:
      return BigInt.asIntN(16, a);
    case 0xc4:
      return BigInt.asIntN(32, a);
    default:
      throw new RangeError(`opcode ${code}`);
  }
}

function lengthOf(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}

function ones(value: bigint): number {
  return value.toString(2).replaceAll("0", "").length;
}

/** Comparisons: i32 0x46 to 0x4f, i64 0x51 to 0x5a. */
export function compare(code: number, a: number | bigint, b: number | bigint): number {
  const isWide = code >= op.i64Eq;
  const kind = code - (isWide ? op.i64Eq : op.i32Eq);
  const unsigned = (value: number | bigint): number | bigint =>
    typeof value === "bigint" ? u64(value) : value >>> 0;
  // eq, ne, then lt, gt, le, ge, each signed and unsigned.
  const isUnsigned = kind >= 2 && (kind & 1) === 1;
  const [left, right] = isUnsigned ? [unsigned(a), unsigned(b)] : [a, b];
  const outcomes = [
    left === right,
    left !== right,
    left < right,
    left > right,
    left <= right,
    left >= right,
  ];
  return outcomes[kind < 2 ? kind : 2 + ((kind - 2) >> 1)] === true ? 1 : 0;
}

/** i32.add 0x6a to i32.rotr 0x78. */
export function binary32(code: number, a: number, b: number): number {
  switch (code - op.i32Add) {
    case 0:
      return (a + b) | 0;
    case 1:
      return (a - b) | 0;
    case 2:
      return Math.imul(a, b);
    case 3:
      if (b === 0 || (a === -0x8000_0000 && b === -1)) throw new Trap("VM_TRAP_DIVIDE");
      return (a / b) | 0;
    case 4:
      if (b === 0) throw new Trap("VM_TRAP_DIVIDE");
      return ((a >>> 0) / (b >>> 0)) | 0;
    case 5:
      if (b === 0) throw new Trap("VM_TRAP_DIVIDE");
      return (a % b) | 0;
    case 6:
      if (b === 0) throw new Trap("VM_TRAP_DIVIDE");
      return ((a >>> 0) % (b >>> 0)) | 0;
    case 7:
      return a & b;
    case 8:
      return a | b;
    case 9:
      return a ^ b;
    case 10:
      return a << b;
    case 11:
      return a >> b;
    case 12:
      return (a >>> b) | 0;
    case 13:
      return (b & 31) === 0 ? a : (a << b) | (a >>> (32 - (b & 31)));
    default:
      return (b & 31) === 0 ? a : (a >>> b) | (a << (32 - (b & 31)));
  }
}

/** i64.add 0x7c to i64.rotr 0x8a. */
export function binary64(code: number, a: bigint, b: bigint): bigint {
  const shift = u64(b) & 63n;
  switch (code - op.i64Add) {
    case 0:
      return s64(a + b);
    case 1:
      return s64(a - b);
    case 2:
      return s64(a * b);
    case 3:
      if (b === 0n || (a === I64_MIN && b === -1n)) throw new Trap("VM_TRAP_DIVIDE");
      return s64(a / b);
    case 4:
      if (b === 0n) throw new Trap("VM_TRAP_DIVIDE");
      return s64(u64(a) / u64(b));
    case 5:
      if (b === 0n) throw new Trap("VM_TRAP_DIVIDE");
      return s64(a % b);
    case 6:
      if (b === 0n) throw new Trap("VM_TRAP_DIVIDE");
      return s64(u64(a) % u64(b));
    case 7:
      return s64(a & b);
    case 8:
      return s64(a | b);
    case 9:
      return s64(a ^ b);
    case 10:
      return s64(a << shift);
    case 11:
      return s64(a >> shift);
    case 12:
      return s64(u64(a) >> shift);
    case 13:
      return shift === 0n ? a : s64((u64(a) << shift) | (u64(a) >> (64n - shift)));
    default:
      return shift === 0n ? a : s64((u64(a) >> shift) | (u64(a) << (64n - shift)));
  }
}
