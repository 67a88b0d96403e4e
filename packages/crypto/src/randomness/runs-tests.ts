import { igamc } from "./special-functions.ts";
import { type Bits, chiSquare, ofNormal, ofTail, type Statistic } from "./statistic.ts";

/** Tests on runs of equal bits. Clauses are those of GM/T 0005-2021, annex A. */

/** 5: as many runs as chance makes of so many ones. */
export function runs(bits: Bits): Statistic {
  const n = bits.length;
  let ones = bits[0] ?? 0;
  let total = 1;
  for (let i = 1; i < n; i++) {
    ones += bits[i] ?? 0;
    if (bits[i] !== bits[i - 1]) total++;
  }
  const pi = ones / n;
  const spread = pi * (1 - pi);
  // All bits alike: no run ends, and the statistic is without bound.
  if (spread === 0) return ofTail(0);
  return ofNormal((total - 2 * n * spread) / (2 * Math.sqrt(n) * spread));
}

/** The longest run that is counted by itself: of which at least five are expected. */
function longestCounted(n: number): number {
  let k = 0;
  while ((n - (k + 1) + 3) / 2 ** (k + 3) >= 5) k++;
  return k;
}

/** 6: half of the runs have length 1, a quarter length 2, and so on, of ones as of zeros. */
export function runsDistribution(bits: Bits): Statistic {
  const n = bits.length;
  const k = longestCounted(n);
  const counts = [new Array<number>(k).fill(0), new Array<number>(k).fill(0)];
  let length = 0;
  let total = 0;
  for (let i = 0; i < n; i++) {
    length++;
    if (i + 1 < n && bits[i] === bits[i + 1]) continue;
    const row = counts[bits[i] ?? 0];
    const place = Math.min(length, k) - 1;
    if (row !== undefined) row[place] = (row[place] ?? 0) + 1;
    total++;
    length = 0;
  }
  const expected = Array.from({ length: k }, (_, i) => total / 2 ** (i < k - 1 ? i + 2 : i + 1));
  const v = counts.reduce((sum, row) => sum + chiSquare(row, expected), 0);
  return ofTail(igamc(k - 1, v / 2));
}

/** Blocks of m bits, the shortest longest run told apart, and the chances of each class. */
const LONGEST = {
  8: { from: 1, chances: [0.2148, 0.3672, 0.2305, 0.1875] },
  128: { from: 4, chances: [0.1174, 0.243, 0.2493, 0.1752, 0.1027, 0.1124] },
  10000: { from: 10, chances: [0.0882, 0.2092, 0.2483, 0.1933, 0.1208, 0.0675, 0.0727] },
} as const;

/** 7: the longest run of ones, or of zeros, in each block of m bits. */
export function longestRun(bits: Bits, m: keyof typeof LONGEST, value: 0 | 1): Statistic {
  const { from, chances } = LONGEST[m];
  const last = chances.length - 1;
  const blocks = Math.floor(bits.length / m);
  const counts = new Array<number>(chances.length).fill(0);
  for (let block = 0; block < blocks; block++) {
    let run = 0;
    let longest = 0;
    for (let i = block * m; i < (block + 1) * m; i++) {
      run = bits[i] === value ? run + 1 : 0;
      if (run > longest) longest = run;
    }
    const place = Math.min(last, Math.max(0, longest - from));
    counts[place] = (counts[place] ?? 0) + 1;
  }
  const v = chiSquare(
    counts,
    chances.map((chance) => blocks * chance),
  );
  return ofTail(igamc(last / 2, v / 2));
}
