import { openSumKernel, POINT_BYTES, type SumKernel } from "../kernel/sum-kernel.ts";
import { SM2_CURVE } from "../sm2-curve.ts";

export { POINT_BYTES };

const { p, a, b } = SM2_CURVE;

/*
 * Field elements stand for themselves modulo p and may be negative: `%` keeps the sign, zero is
 * zero either way, and nothing here is compared with anything else. Nothing is secret: points
 * come from the chain, so branches may depend on them.
 */

/** A sum that is under way: x = X / Z², y = Y / Z³; null is infinity. */
interface JacobianPoint {
  readonly x: bigint;
  readonly y: bigint;
  readonly z: bigint;
}

function readNumber(view: DataView, at: number): bigint {
  return (
    (view.getBigUint64(at) << 192n) |
    (view.getBigUint64(at + 8) << 128n) |
    (view.getBigUint64(at + 16) << 64n) |
    view.getBigUint64(at + 24)
  );
}

/** @see Hankerson, Menezes, Vanstone 2004, algorithm 3.21: a = −3. No point has y = 0. */
function double({ x, y, z }: JacobianPoint): JacobianPoint {
  const delta = (z * z) % p;
  const gamma = (y * y) % p;
  const beta = (x * gamma) % p;
  const alpha = (3n * (x - delta) * (x + delta)) % p;
  const x3 = (alpha * alpha - 8n * beta) % p;
  return {
    x: x3,
    y: (alpha * (4n * beta - x3) - 8n * gamma * gamma) % p,
    z: (2n * y * z) % p,
  };
}

/**
 * Adds a point in affine form; every case is told apart, so the sum is always right.
 * @see Hankerson, Menezes, Vanstone 2004, algorithm 3.22
 */
function add(sum: JacobianPoint | null, x2: bigint, y2: bigint): JacobianPoint | null {
  if (sum === null) return { x: x2, y: y2, z: 1n };
  const { x, y, z } = sum;
  const zz = (z * z) % p;
  const h = (x2 * zz - x) % p;
  const r = (((y2 * z) % p) * zz - y) % p;
  if (h === 0n) return r === 0n ? double(sum) : null;
  const hh = (h * h) % p;
  const hhh = (h * hh) % p;
  const v = (x * hh) % p;
  const x3 = (r * r - hhh - 2n * v) % p;
  return { x: x3, y: (r * (v - x3) - y * hhh) % p, z: (z * h) % p };
}

/**
 * `isZeroPointSum` in arithmetic of the language: where the kernel does not run, and what it is held to.
 * No inversion and no square root: about a dozen field multiplications a point.
 */
export function isZeroPointSumByBigint(points: Uint8Array, plus: number): boolean | null {
  if (points.length % POINT_BYTES !== 0) return null;
  const view = new DataView(points.buffer, points.byteOffset, points.length);
  let sum: JacobianPoint | null = null;
  for (let at = 0; at < points.length; at += POINT_BYTES) {
    const x = readNumber(view, at);
    const y = readNumber(view, at + 32);
    // The cofactor is 1: whatever is on the curve has the right order.
    if (x >= p || y >= p || (y * y - x * (x * x + a) - b) % p !== 0n) return null;
    sum = add(sum, x, at < plus * POINT_BYTES ? y : p - y);
  }
  return sum === null;
}

/** Undefined until the first sum; null where the kernel does not run. */
let kernel: SumKernel | null | undefined;

/**
 * Tests the kernel of sums on this machine, which the first sum does by itself.
 * @returns whether it computes from here on; else the language's own numbers do
 */
export function preparePointSums(): boolean {
  if (kernel === undefined) kernel = openSumKernel();
  return kernel !== null;
}

/**
 * Whether the first `plus` points, less all that follow, are nothing: Σ first = Σ rest. Null when
 * the bytes are not whole points, or one of them is not on the SM2 curve. No points sum to nothing.
 */
export function isZeroPointSum(points: Uint8Array, plus: number): boolean | null {
  if (points.length % POINT_BYTES !== 0) return null;
  preparePointSums();
  if (kernel == null || points.length > kernel.maxBytes)
    return isZeroPointSumByBigint(points, plus);
  return kernel.isZeroSum(points, plus);
}
