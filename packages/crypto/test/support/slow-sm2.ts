import { numberToBytes, SM2_CURVE } from "../../src/sm2-curve.ts";

/* SM2 verification as the standard's text has it, in the plainest arithmetic there is. */

const { p, a, n, Gx, Gy } = SM2_CURVE;

/** An affine point; null is infinity. */
export type SlowPoint = { readonly x: bigint; readonly y: bigint } | null;

export const G: SlowPoint = { x: Gx, y: Gy };

function mod(value: bigint, modulus: bigint): bigint {
  return ((value % modulus) + modulus) % modulus;
}

/** By Euclid's algorithm. */
export function inverse(value: bigint, modulus: bigint): bigint {
  let [r0, r1, s0, s1] = [modulus, mod(value, modulus), 0n, 1n];
  while (r1 !== 0n) {
    const q = r0 / r1;
    [r0, r1, s0, s1] = [r1, r0 - q * r1, s1, s0 - q * s1];
  }
  if (r0 !== 1n) throw new RangeError("no inverse");
  return mod(s0, modulus);
}

export function add(left: SlowPoint, right: SlowPoint): SlowPoint {
  if (left === null) return right;
  if (right === null) return left;
  if (left.x === right.x && mod(left.y + right.y, p) === 0n) return null;
  const slope =
    left.x === right.x
      ? (3n * left.x * left.x + a) * inverse(2n * left.y, p)
      : (right.y - left.y) * inverse(right.x - left.x, p);
  const x = mod(slope * slope - left.x - right.x, p);
  return { x, y: mod(slope * (left.x - x) - left.y, p) };
}

/** 1, 2, 4, … times a point that is multiplied often. */
const doublings = new WeakMap<NonNullable<SlowPoint>, SlowPoint[]>();

function powersOf(point: NonNullable<SlowPoint>): readonly SlowPoint[] {
  const known = doublings.get(point);
  if (known !== undefined) return known;
  const powers: SlowPoint[] = [point];
  for (let bit = 1; bit < 256; bit++) {
    const last = powers.at(-1) ?? null;
    powers.push(add(last, last));
  }
  doublings.set(point, powers);
  return powers;
}

export function multiply(scalar: bigint, point: SlowPoint): SlowPoint {
  if (point === null) return null;
  let sum: SlowPoint = null;
  let rest = mod(scalar, n);
  for (const power of powersOf(point)) {
    if (rest === 0n) break;
    if (rest % 2n === 1n) sum = add(sum, power);
    rest >>= 1n;
  }
  return sum;
}

/** s·G + (r + s)·key. */
export function sumOf(key: SlowPoint, r: bigint, s: bigint): SlowPoint {
  return add(multiply(s, G), multiply(r + s, key));
}

/** GB/T 32918.2-2016 §7.1, from the digest and the sum on. */
export function isAccepted(sum: SlowPoint, e: bigint, r: bigint, s: bigint): boolean {
  if (r < 1n || r >= n || s < 1n || s >= n) return false;
  if (mod(r + s, n) === 0n) return false;
  return sum !== null && mod(e + sum.x, n) === r;
}

/** A point whose x is the first on the curve from `from` on. */
export function pointFrom(from: bigint): NonNullable<SlowPoint> {
  for (let x = from; ; x++) {
    const square = mod(x * x * x + a * x + SM2_CURVE.b, p);
    const y = power(square, (p + 1n) / 4n);
    if (mod(y * y, p) === square) return { x, y };
  }
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest % 2n === 1n) result = mod(result * square, p);
    square = mod(square * square, p);
  }
  return result;
}

/** x ‖ y, 64 bytes. */
export function pointBytes(point: NonNullable<SlowPoint>): Uint8Array {
  return Uint8Array.from([...numberToBytes(point.x), ...numberToBytes(point.y)]);
}
