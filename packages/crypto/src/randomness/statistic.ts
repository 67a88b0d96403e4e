import { erfc } from "./special-functions.ts";

/** Bits of a sample, one a byte, each 0 or 1. */
export type Bits = Uint8Array;

/** The bits of bytes, the highest of each first. */
export function bitsOf(bytes: Uint8Array): Bits {
  const bits = new Uint8Array(bytes.length * 8);
  let at = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) bits[at++] = (byte >>> bit) & 1;
  }
  return bits;
}

/** What a test says of one sample. */
export interface Statistic {
  /** Chance that a perfect generator gives a sample that is no better. */
  readonly p: number;
  /** What must be spread evenly over many samples; `p` unless the statistic has a sign. */
  readonly q: number;
}

/** Of a statistic that a perfect generator gives normally distributed, mean 0, deviation 1. */
export function ofNormal(v: number): Statistic {
  return { p: erfc(Math.abs(v) / Math.SQRT2), q: erfc(v / Math.SQRT2) / 2 };
}

/** Of a statistic that is large for a bad generator and never for a good one. */
export function ofTail(p: number): Statistic {
  return { p, q: p };
}

/** Σ (observed − expected)² / expected. */
export function chiSquare(observed: readonly number[], expected: readonly number[]): number {
  return observed.reduce((sum, count, i) => {
    const mean = expected[i] ?? 1;
    return sum + (count - mean) ** 2 / mean;
  }, 0);
}
