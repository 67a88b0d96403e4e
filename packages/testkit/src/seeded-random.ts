import { allocateBytes, invariant, type Random } from "@credlink/primitives";

/** Randomness that one seed decides: equal seeds give equal sequences on every machine. */
export interface SeededRandom extends Random {
  /** Uniform in [0, 1), 32 bits of resolution. */
  next(): number;
  /** True with the given probability; 0 never, 1 always. */
  chance(probability: number): boolean;
  /** Uniform in [from, to). */
  between(from: number, to: number): number;
  /** One of the items; the list must not be empty. */
  pick<T>(items: readonly T[]): T;
  /** The items in a random order; the list itself is left alone. */
  shuffle<T>(items: readonly T[]): T[];
  /** An independent generator: draws on it do not shift ours. */
  fork(label: string): SeededRandom;
}

const TWO_32 = 2 ** 32;

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** Spreads a seed over the generator's state. @see Steele, Lea & Flood 2014, SplitMix */
function splitMix(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}

/** FNV-1a over the label's UTF-16 units, so that forks of different names differ. */
function hashLabel(label: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < label.length; i++) {
    hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}

/** xoshiro128**. @see Blackman & Vigna 2021, Scrambled linear pseudorandom number generators */
function xoshiro(seed: number): () => number {
  const mix = splitMix(seed);
  let [a, b, c, d] = [mix(), mix(), mix(), mix()];
  return () => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return result;
  };
}

/** Makes a generator from a seed; only its low 53 bits count. Not fit for keys. */
export function createSeededRandom(seed: number): SeededRandom {
  invariant(Number.isSafeInteger(seed) && seed >= 0, "a seed is a safe integer from 0");
  const draw = xoshiro((seed % TWO_32) ^ Math.floor(seed / TWO_32));
  const next = (): number => draw() / TWO_32;
  const integer = (exclusiveMax: number): number => {
    invariant(exclusiveMax > 0 && exclusiveMax <= TWO_32, "a range has 1 to 2^32 values");
    return Math.floor(next() * exclusiveMax);
  };
  return {
    next,
    integer,
    chance: (probability) => next() < probability,
    between: (from, to) => from + next() * (to - from),
    bytes(length) {
      const bytes = allocateBytes(length);
      for (let i = 0; i < length; i++) bytes[i] = draw() >>> 24;
      return bytes;
    },
    pick(items) {
      const item = items[integer(items.length)];
      invariant(item !== undefined, "picked from a list with holes");
      return item;
    },
    shuffle(items) {
      const keyed = items.map((item) => ({ item, key: draw() }));
      return keyed.sort((x, y) => x.key - y.key).map(({ item }) => item);
    },
    fork: (label) => createSeededRandom((hashLabel(label) ^ draw()) >>> 0),
  };
}
