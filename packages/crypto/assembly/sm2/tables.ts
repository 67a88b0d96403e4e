/*
 * Tables of a key: for each of 32 windows of eight bits the points 1 … 128 times 2^(8w)·P, affine. So
 * a product with a scalar is at most 32 additions and no doubling.
 */
import { combine, FIELD, invert, ONE } from "./field";
import { AFFINE, double, JACOBIAN, setAffine } from "./points";
import { copy, multiply, multiplyLess, square, squareLess, subtractLazily } from "./products";
import { WINDOWS } from "./words";

/** Points of one window. */
const ENTRIES: i32 = 128;
/** Bytes of a table. */
export const TABLE: usize = <usize>WINDOWS * <usize>ENTRIES * 72;
/** What is to be inverted, 2,048 at most, then its inverses; and the products of all up to each. */
const denominators = memory.data(2048 * 36, 8);
const prefixes = memory.data(2048 * 36, 8);

const inverse = memory.data(36, 8);
const bases = memory.data(32 * 108, 8);
const slope = memory.data(36, 8);
const step = memory.data(36, 8);
const run = memory.data(36, 8);

// @ts-ignore: decorator
@inline
export function entryOf(table: usize, window: i32, multiple: i32): usize {
  return table + <usize>(window * ENTRIES + multiple - 1) * AFFINE;
}

// @ts-ignore: decorator
@inline
export function denominator(i: i32): usize {
  return denominators + <usize>i * FIELD;
}

/** Product of the first `count` denominators: zero when one of them is. */
export function multiplyDenominators(count: i32): usize {
  copy(prefixes, denominators);
  for (let i = 1; i < count; i++) {
    const at = prefixes + <usize>i * FIELD;
    multiply(at, at - FIELD, denominator(i));
  }
  return prefixes + <usize>(count - 1) * FIELD;
}

/**
 * Replaces the denominators, of which none is zero and which `multiplyDenominators` saw, by their
 * inverses. @see Montgomery 1987, Speeding the Pollard and elliptic curve methods, §10.3.1
 */
export function invertDenominators(count: i32): void {
  invert(inverse, prefixes + <usize>(count - 1) * FIELD);
  for (let i = count - 1; i > 0; i--) {
    const at = denominator(i);
    const before = prefixes + <usize>(i - 1) * FIELD;
    multiply(before, before, inverse);
    multiply(inverse, inverse, at);
    copy(at, before);
  }
  copy(denominators, inverse);
}

/** out = a + b by the slope, numerator · 1 / denominator. `out` may be `a` or `b`. */
export function addBySlope(out: usize, a: usize, b: usize, numerator: usize, inverted: usize): void {
  multiply(slope, numerator, inverted);
  // y = slope · (x_a − x) − y_a
  const y = a + FIELD;
  squareLess(step, slope, a, b);
  subtractLazily(run, a, step);
  multiplyLess(out + FIELD, slope, run, y);
  copy(out, step);
}

const numerator = memory.data(36, 8);

/** Builds the table of an affine point of the curve: about 25,000 products. */
export function buildTable(table: usize, x: usize, y: usize): void {
  placeBases(table, x, y);
  for (let known = 1; known < ENTRIES; known <<= 1) doubleEntries(table, known);
}

/** The first entry of each window, 2^(8w)·P. */
function placeBases(table: usize, x: usize, y: usize): void {
  const last = bases + <usize>(WINDOWS - 1) * JACOBIAN;
  setAffine(bases, x, y);
  for (let base = bases; base < last; base += JACOBIAN) {
    memory.copy(base + JACOBIAN, base, JACOBIAN);
    for (let i = 0; i < 8; i++) double(base + JACOBIAN);
  }
  for (let w = 0; w < WINDOWS; w++) {
    copy(denominator(w), bases + <usize>w * JACOBIAN + 2 * FIELD);
  }
  multiplyDenominators(WINDOWS);
  invertDenominators(WINDOWS);
  for (let w = 0; w < WINDOWS; w++) {
    toAffine(entryOf(table, w, 1), bases + <usize>w * JACOBIAN, denominator(w));
  }
}

/** The affine form of a point whose 1 / Z is known. */
export function toAffine(out: usize, point: usize, inverted: usize): void {
  square(step, inverted);
  multiply(out, point, step);
  multiply(step, step, inverted);
  multiply(out + FIELD, point + FIELD, step);
}

/** Entries known + 1 … 2·known of every window, from those up to `known`. */
function doubleEntries(table: usize, known: i32): void {
  // n is prime and far above 256: no two entries of a window have the same x, and no y is 0.
  let count = 0;
  for (let w = 0; w < WINDOWS; w++) {
    const top = entryOf(table, w, known);
    for (let k = 1; k < known; k++) {
      subtractLazily(denominator(count), entryOf(table, w, k), top);
      count++;
    }
    combine(denominator(count), 2, top + FIELD, 0, top);
    count++;
  }
  multiplyDenominators(count);
  invertDenominators(count);
  let place = 0;
  for (let w = 0; w < WINDOWS; w++) {
    const top = entryOf(table, w, known);
    for (let k = 1; k < known; k++) {
      const entry = entryOf(table, w, k);
      subtractLazily(numerator, entry + FIELD, top + FIELD);
      addBySlope(entryOf(table, w, known + k), entry, top, numerator, denominator(place));
      place++;
    }
    // The slope of the tangent: 3 (x² − 1) / 2y.
    square(numerator, top);
    combine(numerator, 3, numerator, -3, ONE);
    addBySlope(entryOf(table, w, known << 1), top, top, numerator, denominator(place));
    place++;
  }
}
