import { igamc, normal } from "./special-functions.ts";
import { type Bits, ofNormal, ofTail, type Statistic } from "./statistic.ts";

/** Tests that count ones, patterns and sums. Clauses are those of GM/T 0005-2021, annex A. */

function countOnes(bits: Bits, from = 0, to = bits.length): number {
  let ones = 0;
  for (let i = from; i < to; i++) ones += bits[i] ?? 0;
  return ones;
}

/** 1: as many ones as zeros. */
export function monobit(bits: Bits): Statistic {
  const n = bits.length;
  return ofNormal((2 * countOnes(bits) - n) / Math.sqrt(n));
}

/** 2: and in every block of m bits. */
export function blockFrequency(bits: Bits, m: number): Statistic {
  const blocks = Math.floor(bits.length / m);
  let sum = 0;
  for (let i = 0; i < blocks; i++) sum += (countOnes(bits, i * m, (i + 1) * m) / m - 0.5) ** 2;
  return ofTail(igamc(blocks / 2, 2 * m * sum));
}

/** 3: every m-bit word as often as every other, words side by side. */
export function poker(bits: Bits, m: number): Statistic {
  const words = Math.floor(bits.length / m);
  const counts = new Float64Array(2 ** m);
  for (let i = 0; i < words; i++) {
    let word = 0;
    for (let j = 0; j < m; j++) word = (word << 1) | (bits[i * m + j] ?? 0);
    counts[word] = (counts[word] ?? 0) + 1;
  }
  const squares = counts.reduce((sum, count) => sum + count * count, 0);
  const v = (2 ** m / words) * squares - words;
  return ofTail(igamc((2 ** m - 1) / 2, v / 2));
}

/** How often each m-bit word stands in the bits taken as a ring, at every place. */
function countOverlapping(bits: Bits, m: number): Float64Array {
  const n = bits.length;
  const counts = new Float64Array(2 ** m);
  const mask = 2 ** m - 1;
  let word = 0;
  for (let i = 0; i < n + m - 1; i++) {
    word = ((word << 1) | (bits[i < n ? i : i - n] ?? 0)) & mask;
    if (i >= m - 1) counts[word] = (counts[word] ?? 0) + 1;
  }
  return counts;
}

function psiSquare(bits: Bits, m: number): number {
  if (m <= 0) return 0;
  const n = bits.length;
  const squares = countOverlapping(bits, m).reduce((sum, count) => sum + count * count, 0);
  return (2 ** m / n) * squares - n;
}

/** 4: every m-bit word as often as every other, at every place. Two statistics. */
export function overlapping(bits: Bits, m: number): readonly [Statistic, Statistic] {
  const [a, b, c] = [psiSquare(bits, m), psiSquare(bits, m - 1), psiSquare(bits, m - 2)];
  return [
    ofTail(igamc(2 ** (m - 2), (a - b) / 2)),
    ofTail(igamc(2 ** (m - 3), (a - 2 * b + c) / 2)),
  ];
}

/** 12: words of m + 1 bits are no better foretold by their first m than by chance. */
export function approximateEntropy(bits: Bits, m: number): Statistic {
  const n = bits.length;
  const phi = (length: number): number =>
    countOverlapping(bits, length).reduce(
      (sum, count) => (count === 0 ? sum : sum + (count / n) * Math.log(count / n)),
      0,
    );
  const v = 2 * n * (Math.LN2 - (phi(m) - phi(m + 1)));
  return ofTail(igamc(2 ** (m - 1), v / 2));
}

/** 8: as many ones as zeros after k times replacing each bit by its sum with the next. */
export function binaryDerivative(bits: Bits, k: number): Statistic {
  const derived = bits.slice();
  const n = bits.length - k;
  for (let round = 1; round <= k; round++) {
    for (let i = 0; i < bits.length - round; i++) {
      derived[i] = (derived[i] ?? 0) ^ (derived[i + 1] ?? 0);
    }
  }
  return ofNormal((2 * countOnes(derived, 0, n) - n) / Math.sqrt(n));
}

/** 9: bits at distance d are alike as often as not. */
export function autocorrelation(bits: Bits, d: number): Statistic {
  const n = bits.length - d;
  let unlike = 0;
  for (let i = 0; i < n; i++) unlike += (bits[i] ?? 0) ^ (bits[i + d] ?? 0);
  return ofNormal((2 * unlike - n) / Math.sqrt(n));
}

/** 11: the walk of ±1 strays no further than chance lets it. */
export function cumulativeSums(bits: Bits, direction: "forward" | "backward"): Statistic {
  const n = bits.length;
  let sum = 0;
  let z = 0;
  for (let i = 0; i < n; i++) {
    sum += 2 * (bits[direction === "forward" ? i : n - 1 - i] ?? 0) - 1;
    z = Math.max(z, Math.abs(sum));
  }
  const root = Math.sqrt(n);
  // Beyond ten deviations every term is below 10^-22: a walk that goes nowhere has half a million.
  const far = Math.ceil((10 * root) / (4 * z)) + 1;
  const last = Math.min(far, Math.trunc((n / z - 1) / 4));
  let p = 1;
  for (let k = Math.max(-far, Math.trunc((-n / z + 1) / 4)); k <= last; k++) {
    p -= normal(((4 * k + 1) * z) / root) - normal(((4 * k - 1) * z) / root);
  }
  for (let k = Math.max(-far, Math.trunc((-n / z - 3) / 4)); k <= last; k++) {
    p += normal(((4 * k + 3) * z) / root) - normal(((4 * k + 1) * z) / root);
  }
  return ofTail(Math.min(1, Math.max(0, p)));
}
