import { igamc } from "./special-functions.ts";
import { type Bits, chiSquare, ofNormal, ofTail, type Statistic } from "./statistic.ts";

/** Tests on linear structure and compressibility. Clauses are those of GM/T 0005-2021, annex A. */

const SIDE = 32;

/** The rank over GF(2) of 32 rows; the rows are used up. */
function rankOf(rows: Int32Array): number {
  let rank = 0;
  for (let column = SIDE - 1; column >= 0; column--) {
    let pivot = rank;
    while (pivot < SIDE && (((rows[pivot] ?? 0) >>> column) & 1) === 0) pivot++;
    if (pivot === SIDE) continue;
    const row = rows[pivot] ?? 0;
    rows[pivot] = rows[rank] ?? 0;
    rows[rank] = row;
    for (let i = rank + 1; i < SIDE; i++) {
      const other = rows[i] ?? 0;
      if (((other >>> column) & 1) === 1) rows[i] = other ^ row;
    }
    rank++;
  }
  return rank;
}

/** 10: 32 × 32 matrices have full rank as often as random ones. */
export function matrixRank(bits: Bits): Statistic {
  const matrices = Math.floor(bits.length / SIDE ** 2);
  const counts = [0, 0, 0];
  const rows = new Int32Array(SIDE);
  for (let matrix = 0; matrix < matrices; matrix++) {
    for (let i = 0; i < SIDE; i++) {
      let row = 0;
      const at = matrix * SIDE ** 2 + i * SIDE;
      for (let j = 0; j < SIDE; j++) row = (row << 1) | (bits[at + j] ?? 0);
      rows[i] = row;
    }
    const place = Math.min(2, SIDE - rankOf(rows));
    counts[place] = (counts[place] ?? 0) + 1;
  }
  const expected = [0.2888, 0.5776, 0.1336].map((chance) => matrices * chance);
  return ofTail(igamc(1, chiSquare(counts, expected) / 2));
}

function parity(word: number): number {
  let folded = word ^ (word >>> 16);
  folded ^= folded >>> 8;
  folded ^= folded >>> 4;
  return (0x6996 >>> (folded & 15)) & 1;
}

/** words ^= other << shift, over 32-bit words, lowest first. */
function xorShifted(words: Int32Array, other: Int32Array, shift: number): void {
  const whole = shift >>> 5;
  const part = shift & 31;
  for (let i = words.length - 1; i >= whole; i--) {
    const high = (other[i - whole] ?? 0) << part;
    const low = part === 0 ? 0 : (other[i - whole - 1] ?? 0) >>> (32 - part);
    words[i] = (words[i] ?? 0) ^ (high | low);
  }
}

/**
 * The length of the shortest shift register that makes the m bits from `from` on.
 * @see Massey 1969, Shift-register synthesis and BCH decoding
 */
export function shortestRegister(bits: Bits, from: number, m: number): number {
  const size = (m >>> 5) + 1;
  let connection = new Int32Array(size);
  let before = new Int32Array(size);
  // Bit j is the bit that came j places ago.
  const window = new Int32Array(size);
  connection[0] = 1;
  before[0] = 1;
  let length = 0;
  let changedAt = -1;
  for (let n = 0; n < m; n++) {
    for (let i = size - 1; i > 0; i--) {
      window[i] = ((window[i] ?? 0) << 1) | ((window[i - 1] ?? 0) >>> 31);
    }
    window[0] = ((window[0] ?? 0) << 1) | (bits[from + n] ?? 0);
    let folded = 0;
    for (let i = 0; i < size; i++) folded ^= (window[i] ?? 0) & (connection[i] ?? 0);
    if (parity(folded) === 0) continue;
    const old = connection.slice();
    xorShifted(connection, before, n - changedAt);
    if (2 * length > n) continue;
    length = n + 1 - length;
    changedAt = n;
    before = old;
    connection = connection.slice();
  }
  return length;
}

const COMPLEXITY_CHANCES = [0.010417, 0.03125, 0.125, 0.5, 0.25, 0.0625, 0.020833];

/** 13: the shift registers of blocks of m bits are as long as those of random ones. */
export function linearComplexity(bits: Bits, m: number): Statistic {
  const blocks = Math.floor(bits.length / m);
  const sign = m % 2 === 0 ? 1 : -1;
  const mean = m / 2 + (9 - sign) / 36 - (m / 3 + 2 / 9) / 2 ** m;
  const counts = new Array<number>(7).fill(0);
  for (let block = 0; block < blocks; block++) {
    const t = sign * (shortestRegister(bits, block * m, m) - mean) + 2 / 9;
    const place = Math.min(6, Math.max(0, Math.ceil(t + 2.5)));
    counts[place] = (counts[place] ?? 0) + 1;
  }
  const expected = COMPLEXITY_CHANCES.map((chance) => blocks * chance);
  return ofTail(igamc(3, chiSquare(counts, expected) / 2));
}

/** For words of 7 bits: mean and variance of log2 of the distance to the last such word. */
const WORD_BITS = 7;
const UNIVERSAL_MEAN = 6.1962507;
const UNIVERSAL_VARIANCE = 3.125;
const FIRST_WORDS = 1_280;

/** 14: Maurer's universal statistic: the sample cannot be compressed. */
export function maurerUniversal(bits: Bits): Statistic {
  const words = Math.floor(bits.length / WORD_BITS);
  const tested = words - FIRST_WORDS;
  const lastPlace = new Float64Array(2 ** WORD_BITS);
  let sum = 0;
  for (let i = 1; i <= words; i++) {
    let word = 0;
    for (let j = 0; j < WORD_BITS; j++) {
      word = (word << 1) | (bits[(i - 1) * WORD_BITS + j] ?? 0);
    }
    if (i > FIRST_WORDS) sum += Math.log2(i - (lastPlace[word] ?? 0));
    lastPlace[word] = i;
  }
  const l = WORD_BITS;
  const c = 0.7 - 0.8 / l + ((4 + 32 / l) * tested ** (-3 / l)) / 15;
  const deviation = Math.sqrt(UNIVERSAL_VARIANCE / tested) * c;
  return ofNormal((sum / tested - UNIVERSAL_MEAN) / deviation);
}
