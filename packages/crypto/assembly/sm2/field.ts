/*
 * The field of the SM2 curve, p = 2^256 − 2^224 − 2^96 + 2^64 − 1. An element is nine signed limbs of
 * 29 bits in 36 bytes and stands for a·R, R = 2^261 (Montgomery's form).
 *
 * Bounds. Products and `combine` leave limbs 0 to 7 within −2^27 … 2^29 + 2^27 and a value within
 * ±2^257. A lazy difference of two such elements may be an input of a product; so may a lazy sum whose
 * other factor is none: in a column nine products of limbs must stay below 2^63, so the product of the
 * limbs' sizes below 2^59.8. Nothing here is secret: branches and addresses depend on the numbers.
 */
import { copy, multiply, square, subtractLazily } from "./products";
import { isBelow, loadWords } from "./words";

/** Bytes of an element. */
export const FIELD: usize = 36;

const LIMBS: i32 = 9;
const LIMB_BITS: i32 = 29;
const LIMB_MASK: i64 = (1 << LIMB_BITS) - 1;

const P_LIMBS = memory.data<i32>([
  0x1fffffff, 0x1fffffff, 0x3f, 0x1ffffe00, 0x1fffffff, 0x1fffffff, 0x1fffffff, 0x1fdfffff,
  0xffffff,
]);
/** R² modulo p: a product with it brings a number into Montgomery's form. */
const R_SQUARED = memory.data<i32>([
  0xc00, 0x4000, 0x1fff0000, 0x17ffff, 0x400000, 0x2000000, 0, 1, 0x10,
]);
/** The number 1: a product with it brings an element out of Montgomery's form. */
const PLAIN_ONE = memory.data<i32>([1, 0, 0, 0, 0, 0, 0, 0, 0]);
/** 1 and the curve's b in Montgomery's form. */
export const ONE = memory.data<i32>([0x20, 0, 0x1ffff800, 0x3fff, 0, 0, 0, 0x4000000, 0]);
const B = memory.data<i32>([
  0x181ba844, 0x1230632b, 0x9bd5b86, 0xde6c26d, 0x1878e39e, 0x1505ea51, 0x4293cc0, 0x368838b,
  0x81fc31,
]);
/** p as four words, least first. */
export const P_WORDS = memory.data<u64>([
  0xffffffffffffffff, 0xffffffff00000000, 0xffffffffffffffff, 0xfffffffeffffffff,
]);

const scratch = memory.data(6 * 36, 8);
const words = memory.data(32, 8);

/** out = k·a + l·b within the bounds of a product's result; k and l are small. */
export function combine(out: usize, k: i64, a: usize, l: i64, b: usize): void {
  let sum: i64 = 0;
  for (let i: usize = 0; i < FIELD - 4; i += 4) {
    sum += k * <i64>load<i32>(a + i) + l * <i64>load<i32>(b + i);
    store<i32>(out + i, <i32>(sum & LIMB_MASK));
    sum >>= LIMB_BITS;
  }
  sum += k * <i64>load<i32>(a, 32) + l * <i64>load<i32>(b, 32);
  // t · 2^256 = t · (2^224 + 2^96 − 2^64 + 1) modulo p.
  const t = <i32>(sum >> 24);
  store<i32>(out, load<i32>(out) + t);
  store<i32>(out, load<i32>(out, 8) - (t << 6), 8);
  store<i32>(out, load<i32>(out, 12) + (t << 9), 12);
  store<i32>(out, load<i32>(out, 28) + (t << 21), 28);
  store<i32>(out, <i32>sum - (t << 24), 32);
}

/** out = the number that `a` stands for, from 0 to p − 1, as limbs from 0 to 2^29 − 1. */
export function canonical(out: usize, a: usize): void {
  // (a + q·p) / R with q < R and a above −R lies from 0 to p.
  multiply(out, a, PLAIN_ONE);
  if (equalLimbs(out, P_LIMBS)) memory.fill(out, 0, FIELD);
}

export function equalLimbs(a: usize, b: usize): bool {
  for (let i: usize = 0; i < FIELD; i += 4) {
    if (load<i32>(a + i) != load<i32>(b + i)) return false;
  }
  return true;
}

/** Whether a ≡ 0 modulo p. */
export function isZero(a: usize): bool {
  const out = scratch;
  canonical(out, a);
  for (let i: usize = 0; i < FIELD; i += 4) if (load<i32>(out + i) != 0) return false;
  return true;
}

/** Limbs of four words, least first: a number as it is, not in Montgomery's form. */
export function limbsOf(out: usize, from: usize): void {
  for (let i = 0; i < LIMBS; i++) {
    const bit = LIMB_BITS * i;
    const word = (<usize>(bit >> 6)) << 3;
    const shift = <u64>(bit & 63);
    let value = load<u64>(from + word) >> shift;
    if (shift > 35 && word < 24) value |= load<u64>(from + word + 8) << (64 - shift);
    store<i32>(out + ((<usize>i) << 2), <i32>(value & <u64>LIMB_MASK));
  }
}

/** An element from four words below p. */
export function toElement(out: usize, from: usize): void {
  limbsOf(out, from);
  multiply(out, out, R_SQUARED);
}

/** An element from 32 big-endian bytes; false when they are not below p. */
export function readElement(out: usize, bytes: usize): bool {
  loadWords(words, bytes);
  if (!isBelow(words, P_WORDS)) return false;
  toElement(out, words);
  return true;
}

/** Whether y² = x³ − 3x + b. */
export function isOnCurve(x: usize, y: usize): bool {
  const left = scratch + FIELD;
  const right = scratch + 2 * FIELD;
  square(right, x);
  combine(right, 1, right, -3, ONE);
  multiply(right, right, x);
  combine(right, 1, right, 1, B);
  square(left, y);
  subtractLazily(left, left, right);
  return isZero(left);
}

function squareTimes(out: usize, a: usize, times: i32): void {
  square(out, a);
  for (let i = 1; i < times; i++) square(out, out);
}

/** out = a · 2^times-th power, times b: one link of the chain below. */
function link(out: usize, a: usize, times: i32, b: usize): void {
  squareTimes(out, a, times);
  multiply(out, out, b);
}

const chain = memory.data(6 * 36, 8);

/** out = 1 / a as a^(p − 2): 256 squarings and 16 products; 0 for 0. `out` may be `a`. */
export function invert(out: usize, a: usize): void {
  const one = chain;
  const two = chain + FIELD;
  const ones = chain + 2 * FIELD;
  const thirty = chain + 3 * FIELD;
  const thirtyTwo = chain + 4 * FIELD;
  const sum = chain + 5 * FIELD;
  copy(one, a);
  // Exponents of k one bits: 2, 4, 8, 16, 24, 28, 30, 31, 32.
  link(two, one, 1, one);
  link(ones, two, 2, two);
  copy(thirty, ones);
  link(ones, ones, 4, thirty);
  copy(thirtyTwo, ones);
  link(sum, ones, 8, thirtyTwo);
  link(sum, sum, 8, thirtyTwo);
  link(sum, sum, 4, thirty);
  link(thirty, sum, 2, two);
  link(sum, thirty, 1, one);
  link(thirtyTwo, sum, 1, one);
  // p − 2 by words of 32 bits: fffffffe, four times ffffffff, 0, ffffffff, fffffffd.
  squareTimes(sum, sum, 1);
  for (let i = 0; i < 4; i++) link(sum, sum, 32, thirtyTwo);
  link(sum, sum, 64, thirtyTwo);
  link(sum, sum, 30, thirty);
  link(out, sum, 2, one);
}
