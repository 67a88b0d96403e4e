/** What the numeric instructions give, on `i32` as signed numbers and `i64` as signed bigints. */

/** Ends a run of the reference interpreter. */
export class Trap extends Error {
  readonly kind: "unreachable" | "divide" | "memory" | "stack" | "gas";

  constructor(kind: Trap["kind"]) {
    super(kind);
    this.kind = kind;
  }
}

const signed = (value: bigint): bigint => BigInt.asIntN(64, value);
const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);

function divide<T>(isZero: boolean, overflows: boolean, quotient: () => T): T {
  if (isZero || overflows) throw new Trap("divide");
  return quotient();
}

function countTrailing(bits: string): number {
  const place = bits.lastIndexOf("1");
  return place < 0 ? bits.length : bits.length - 1 - place;
}

function countLeading(bits: string): number {
  const place = bits.indexOf("1");
  return place < 0 ? bits.length : place;
}

const bits32 = (a: number): string => (a >>> 0).toString(2).padStart(32, "0");
const bits64 = (a: bigint): string => unsigned(a).toString(2).padStart(64, "0");
const ones = (bits: string): number => bits.replaceAll("0", "").length;

/** Numeric instructions of two `i32`. */
export const binary32: Readonly<Record<number, (a: number, b: number) => number>> = {
  70: (a, b) => Number(a === b),
  71: (a, b) => Number(a !== b),
  72: (a, b) => Number(a < b),
  73: (a, b) => Number(a >>> 0 < b >>> 0),
  74: (a, b) => Number(a > b),
  75: (a, b) => Number(a >>> 0 > b >>> 0),
  76: (a, b) => Number(a <= b),
  77: (a, b) => Number(a >>> 0 <= b >>> 0),
  78: (a, b) => Number(a >= b),
  79: (a, b) => Number(a >>> 0 >= b >>> 0),
  106: (a, b) => (a + b) | 0,
  107: (a, b) => (a - b) | 0,
  108: (a, b) => Math.imul(a, b),
  109: (a, b) => divide(b === 0, a === -(2 ** 31) && b === -1, () => (a / b) | 0),
  110: (a, b) => divide(b === 0, false, () => ((a >>> 0) / (b >>> 0)) | 0),
  111: (a, b) => divide(b === 0, false, () => (a % b) | 0),
  112: (a, b) => divide(b === 0, false, () => ((a >>> 0) % (b >>> 0)) | 0),
  113: (a, b) => a & b,
  114: (a, b) => a | b,
  115: (a, b) => a ^ b,
  116: (a, b) => a << b,
  117: (a, b) => a >> b,
  118: (a, b) => (a >>> b) | 0,
  119: (a, b) => (a << b) | (a >>> (-b & 31)),
  120: (a, b) => (a >>> b) | (a << (-b & 31)),
};

/** Numeric instructions of two `i64`; comparisons leave an `i32`. */
export const binary64: Readonly<Record<number, (a: bigint, b: bigint) => bigint | number>> = {
  81: (a, b) => Number(a === b),
  82: (a, b) => Number(a !== b),
  83: (a, b) => Number(a < b),
  84: (a, b) => Number(unsigned(a) < unsigned(b)),
  85: (a, b) => Number(a > b),
  86: (a, b) => Number(unsigned(a) > unsigned(b)),
  87: (a, b) => Number(a <= b),
  88: (a, b) => Number(unsigned(a) <= unsigned(b)),
  89: (a, b) => Number(a >= b),
  90: (a, b) => Number(unsigned(a) >= unsigned(b)),
  124: (a, b) => signed(a + b),
  125: (a, b) => signed(a - b),
  126: (a, b) => signed(a * b),
  127: (a, b) => divide(b === 0n, a === -(2n ** 63n) && b === -1n, () => a / b),
  128: (a, b) => divide(b === 0n, false, () => signed(unsigned(a) / unsigned(b))),
  129: (a, b) => divide(b === 0n, false, () => a % b),
  130: (a, b) => divide(b === 0n, false, () => signed(unsigned(a) % unsigned(b))),
  131: (a, b) => a & b,
  132: (a, b) => a | b,
  133: (a, b) => a ^ b,
  134: (a, b) => signed(a << (b & 63n)),
  135: (a, b) => a >> (b & 63n),
  136: (a, b) => signed(unsigned(a) >> (b & 63n)),
  137: (a, b) => rotate(a, b & 63n),
  138: (a, b) => rotate(a, -b & 63n),
};

function rotate(a: bigint, left: bigint): bigint {
  return signed((a << left) | (unsigned(a) >> (64n - left)));
}

/** Numeric instructions of one `i32`. */
export const unary32: Readonly<Record<number, (a: number) => number | bigint>> = {
  69: (a) => Number(a === 0),
  103: (a) => countLeading(bits32(a)),
  104: (a) => countTrailing(bits32(a)),
  105: (a) => ones(bits32(a)),
  172: (a) => BigInt(a),
  173: (a) => BigInt(a >>> 0),
  192: (a) => (a << 24) >> 24,
  193: (a) => (a << 16) >> 16,
};

/** Numeric instructions of one `i64`. */
export const unary64: Readonly<Record<number, (a: bigint) => number | bigint>> = {
  80: (a) => Number(a === 0n),
  121: (a) => BigInt(countLeading(bits64(a))),
  122: (a) => BigInt(countTrailing(bits64(a))),
  123: (a) => BigInt(ones(bits64(a))),
  167: (a) => Number(BigInt.asIntN(32, a)),
  194: (a) => BigInt.asIntN(8, a),
  195: (a) => BigInt.asIntN(16, a),
  196: (a) => BigInt.asIntN(32, a),
};

/** Loads and stores: bytes, whether the value is an `i64`, whether a narrow one keeps its sign. */
export const accesses: Readonly<
  Record<number, { readonly bytes: number; readonly isWide: boolean; readonly isSigned: boolean }>
> = Object.fromEntries(
  (
    [
      [0x28, 4, false, true],
      [0x29, 8, true, true],
      [0x2c, 1, false, true],
      [0x2d, 1, false, false],
      [0x2e, 2, false, true],
      [0x2f, 2, false, false],
      [0x30, 1, true, true],
      [0x31, 1, true, false],
      [0x32, 2, true, true],
      [0x33, 2, true, false],
      [0x34, 4, true, true],
      [0x35, 4, true, false],
      [0x36, 4, false, false],
      [0x37, 8, true, false],
      [0x3a, 1, false, false],
      [0x3b, 2, false, false],
      [0x3c, 1, true, false],
      [0x3d, 2, true, false],
      [0x3e, 4, true, false],
    ] as const
  ).map(([code, bytes, isWide, isSigned]) => [code, { bytes, isWide, isSigned }]),
);
