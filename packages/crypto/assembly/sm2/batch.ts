/*
 * Batches of signatures under keys with tables. The points of each are added in pairs, affine, and all
 * pairs of a level share one inversion: six products an addition where Jacobian form takes eleven.
 */
import { canonical, FIELD, isZero } from "./field";
import { AFFINE } from "./points";
import { copy, negate, subtractLazily } from "./products";
import { addBySlope, denominator, entryOf, invertDenominators, multiplyDenominators } from "./tables";
import { baseTable, isWantedX, readSignature, s, t, verifyKnown } from "./verify";
import { WINDOWS, windowDigits } from "./words";

/** Signatures of a batch. */
export const MAX_BATCH: i32 = 64;
/** Points of one signature: a digit of s and one of t for every window. */
const POINTS: i32 = 64;
/** Bytes of an item: address of the key's table (u32), r ‖ s, e. */
export const ITEM: usize = 4 + 64 + 32;

export const items = memory.data(64 * 100, 8);
/** One byte a signature: 1 = good. */
export const answers = memory.data(64, 8);

const digits = memory.data(32 * 2, 8);
const points = memory.data(64 * 64 * 72, 8);
const counts = memory.data(64 * 4, 4);
/** One byte a signature: 1 = two points with the same x met, so it is verified by itself. */
const apart = memory.data(64, 8);
const rise = memory.data(36, 8);
const plain = memory.data(36, 8);

// @ts-ignore: decorator
@inline
function pointOf(signature: i32, place: i32): usize {
  return points + <usize>(signature * POINTS + place) * AFFINE;
}

// @ts-ignore: decorator
@inline
function countOf(signature: i32): i32 {
  return load<i32>(counts + (<usize>signature << 2));
}

function setCount(signature: i32, count: i32): void {
  store<i32>(counts + (<usize>signature << 2), count);
}

/** Puts what the digits say of a table behind the signature's points. */
function gather(signature: i32, table: usize): void {
  let count = countOf(signature);
  for (let w = 0; w < WINDOWS; w++) {
    const digit = <i32>load<i16>(digits + (<usize>w << 1));
    if (digit == 0) continue;
    const entry = entryOf(table, w, abs(digit));
    const target = pointOf(signature, count++);
    copy(target, entry);
    if (digit < 0) negate(target + FIELD, entry + FIELD);
    else copy(target + FIELD, entry + FIELD);
  }
  setCount(signature, count);
}

/** Verifies the first `count` items, 1 to 64. */
export function verifyBatch(count: i32): void {
  memory.fill(answers, 0, <usize>count);
  memory.fill(apart, 0, <usize>count);
  for (let i = 0; i < count; i++) {
    const item = items + <usize>i * ITEM;
    setCount(i, 0);
    if (!readSignature(item + 4, item + 68)) continue;
    windowDigits(digits, s);
    gather(i, baseTable);
    windowDigits(digits, t);
    gather(i, <usize>load<u32>(item));
  }
  while (addPairs(count)) {}
  for (let i = 0; i < count; i++) {
    const item = items + <usize>i * ITEM;
    let isGood = false;
    if (load<u8>(apart + i) == 1) {
      isGood = verifyKnown(<usize>load<u32>(item), item + 4, item + 68);
    } else if (countOf(i) == 1) {
      readSignature(item + 4, item + 68);
      canonical(plain, pointOf(i, 0));
      isGood = isWantedX(plain);
    }
    store<u8>(answers + i, isGood ? 1 : 0);
  }
}

/** Adds the points of each signature in pairs. @returns whether there were any. */
function addPairs(count: i32): bool {
  let pairs = 0;
  for (let i = 0; i < count; i++) {
    const all = countOf(i);
    for (let k = 0; k + 1 < all; k += 2) {
      subtractLazily(denominator(pairs++), pointOf(i, k), pointOf(i, k + 1));
    }
  }
  if (pairs == 0) return false;
  if (isZero(multiplyDenominators(pairs))) {
    setApart(count);
    return true;
  }
  invertDenominators(pairs);
  let pair = 0;
  for (let i = 0; i < count; i++) {
    const all = countOf(i);
    for (let k = 0; k + 1 < all; k += 2) {
      const a = pointOf(i, k);
      const b = pointOf(i, k + 1);
      subtractLazily(rise, a + FIELD, b + FIELD);
      addBySlope(pointOf(i, k >> 1), a, b, rise, denominator(pair++));
    }
    if ((all & 1) == 1 && all > 1) memory.copy(pointOf(i, all >> 1), pointOf(i, all - 1), AFFINE);
    setCount(i, (all + 1) >> 1);
  }
  return true;
}

/** Takes signatures out whose own points meet: they must not spoil the inversion of the others. */
function setApart(count: i32): void {
  for (let i = 0; i < count; i++) {
    const all = countOf(i);
    for (let k = 0; k + 1 < all; k += 2) {
      subtractLazily(rise, pointOf(i, k), pointOf(i, k + 1));
      if (!isZero(rise)) continue;
      store<u8>(apart + i, 1);
      setCount(i, 0);
      break;
    }
  }
}
