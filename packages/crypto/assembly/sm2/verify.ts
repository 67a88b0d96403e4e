/*
 * SM2 verification: t = r + s, (x, y) = s·G + t·P, and r = e + x modulo n.
 *
 * @see GB/T 32918.2-2016 §7.1
 */
import { equalLimbs, FIELD, isOnCurve, isZero, limbsOf, readElement, toElement } from "./field";
import {
  AFFINE,
  addAffine,
  addAffineCompletely,
  double,
  isInfinity,
  JACOBIAN,
  setAffine,
  setInfinity,
  withSign,
} from "./points";
import { multiply, square, subtractLazily } from "./products";
import { buildTable, denominator, entryOf, invertDenominators, multiplyDenominators, toAffine } from "./tables";
import {
  addScalars,
  isScalar,
  isZeroWords,
  loadWords,
  otherCandidate,
  sparseDigits,
  subtractFromScalar,
  WINDOWS,
  windowDigits,
} from "./words";

/** x ‖ y of G, big-endian. */
const G = memory.data<u8>([
  0x32, 0xc4, 0xae, 0x2c, 0x1f, 0x19, 0x81, 0x19, 0x5f, 0x99, 0x04, 0x46, 0x6a, 0x39, 0xc9, 0x94,
  0x8f, 0xe3, 0x0b, 0xbf, 0xf2, 0x66, 0x0b, 0xe1, 0x71, 0x5a, 0x45, 0x89, 0x33, 0x4c, 0x74, 0xc7,
  0xbc, 0x37, 0x36, 0xa2, 0xf4, 0xf6, 0x77, 0x9c, 0x59, 0xbd, 0xce, 0xe3, 0x6b, 0x69, 0x21, 0x53,
  0xd0, 0xa9, 0x87, 0x7c, 0xc6, 0x2a, 0x47, 0x40, 0x02, 0xdf, 0x32, 0xe5, 0x21, 0x39, 0xf0, 0xa0,
]);
export const baseTable = memory.data(32 * 128 * 72, 8);

const key = memory.data(72, 8);
const r = memory.data(32, 8);
export const s = memory.data(32, 8);
export const t = memory.data(32, 8);
const e = memory.data(32, 8);
const wanted = memory.data(32, 8);
const candidate = memory.data(32, 8);
const baseDigits = memory.data(32 * 2, 8);
const keyDigits = memory.data(257, 8);
const sum = memory.data(108, 8);
const limbs = memory.data(36, 8);
const x = memory.data(36, 8);
const zz = memory.data(36, 8);

/** Makes the table of G: before anything else, once. */
export function prepare(): void {
  readElement(key, G);
  readElement(key + FIELD, G + 32);
  buildTable(baseTable, key, key + FIELD);
}

/** Reads x ‖ y, 64 big-endian bytes. @returns whether it is a point of the curve. */
export function readPoint(bytes: usize): bool {
  if (!readElement(key, bytes) || !readElement(key + FIELD, bytes + 32)) return false;
  return isOnCurve(key, key + FIELD);
}

/** Builds the table of the point that `readPoint` read. */
export function buildKeyTable(table: usize): void {
  buildTable(table, key, key + FIELD);
}

/** Reads r ‖ s and e. @returns whether r and s are in range and r + s is not n. */
export function readSignature(signature: usize, digest: usize): bool {
  loadWords(r, signature);
  loadWords(s, signature + 32);
  if (!isScalar(r) || !isScalar(s)) return false;
  addScalars(t, r, s);
  if (isZeroWords(t)) return false;
  loadWords(e, digest);
  subtractFromScalar(wanted, r, e);
  return true;
}

/** Whether the affine x, a number below p, is what was wanted modulo n. */
export function isWantedX(plain: usize): bool {
  limbsOf(limbs, wanted);
  if (equalLimbs(limbs, plain)) return true;
  if (!otherCandidate(candidate, wanted)) return false;
  limbsOf(limbs, candidate);
  return equalLimbs(limbs, plain);
}

/** Whether X = x·Z² for an x that was wanted. */
function isWanted(point: usize): bool {
  square(zz, point + 2 * FIELD);
  if (isCandidate(point, wanted)) return true;
  return otherCandidate(candidate, wanted) && isCandidate(point, candidate);
}

function isCandidate(point: usize, number: usize): bool {
  toElement(x, number);
  multiply(x, x, zz);
  subtractLazily(x, x, point);
  return isZero(x);
}

/** Adds what the digits say of a table; the first point is put in place. */
function addFromTable(table: usize, digits: usize): void {
  for (let w = 0; w < WINDOWS; w++) {
    const digit = <i32>load<i16>(digits + (<usize>w << 1));
    if (digit == 0) continue;
    const entry = withSign(entryOf(table, w, abs(digit)), digit < 0);
    if (isInfinity(sum)) setAffine(sum, entry, entry + FIELD);
    else addAffine(sum, entry, entry + FIELD);
  }
}

/** The same, whatever the points are. */
function addFromTableCompletely(table: usize, digits: usize): void {
  for (let w = 0; w < WINDOWS; w++) {
    const digit = <i32>load<i16>(digits + (<usize>w << 1));
    if (digit == 0) continue;
    const entry = withSign(entryOf(table, w, abs(digit)), digit < 0);
    addAffineCompletely(sum, entry, entry + FIELD);
  }
}

/** Verifies with the table of the key. @param digest e, 32 bytes */
export function verifyKnown(table: usize, signature: usize, digest: usize): bool {
  if (!readSignature(signature, digest)) return false;
  windowDigits(baseDigits, s);
  windowDigits(keyDigits, t);
  setInfinity(sum);
  addFromTable(baseTable, baseDigits);
  addFromTable(table, keyDigits);
  if (!isZero(sum + 2 * FIELD)) return isWanted(sum);
  // Two equal or opposite points met, or the sum is infinity.
  setInfinity(sum);
  addFromTableCompletely(baseTable, baseDigits);
  addFromTableCompletely(table, keyDigits);
  return !isInfinity(sum) && isWanted(sum);
}

/** 1, 3, … 15 times the key: affine, and before in Jacobian form. */
const odd = memory.data(8 * 72, 8);
const multiples = memory.data(16 * 108, 8);

// @ts-ignore: decorator
@inline
function multiple(k: i32): usize {
  return multiples + <usize>k * JACOBIAN;
}

function makeOddMultiples(): void {
  setAffine(multiple(1), key, key + FIELD);
  for (let k = 2; k < 16; k++) {
    const isEven = (k & 1) == 0;
    memory.copy(multiple(k), multiple(isEven ? k >> 1 : k - 1), JACOBIAN);
    // k − 1 is neither 0, 1 nor −1 modulo n.
    if (isEven) double(multiple(k));
    else addAffine(multiple(k), key, key + FIELD);
  }
  for (let i = 0; i < 8; i++) {
    memory.copy(denominator(i), multiple(2 * i + 1) + 2 * FIELD, FIELD);
  }
  multiplyDenominators(8);
  invertDenominators(8);
  for (let i = 0; i < 8; i++) toAffine(odd + <usize>i * AFFINE, multiple(2 * i + 1), denominator(i));
}

/** Verifies for the point that `readPoint` read, without a table, whatever the points are. */
export function verifyCold(signature: usize, digest: usize): bool {
  if (!readSignature(signature, digest)) return false;
  makeOddMultiples();
  windowDigits(baseDigits, s);
  const count = sparseDigits(keyDigits, t);
  setInfinity(sum);
  for (let i = count - 1; i >= 0; i--) {
    if (!isInfinity(sum)) double(sum);
    const digit = <i32>load<i8>(keyDigits + i);
    if (digit == 0) continue;
    const entry = withSign(odd + <usize>(abs(digit) >> 1) * AFFINE, digit < 0);
    addAffineCompletely(sum, entry, entry + FIELD);
  }
  addFromTableCompletely(baseTable, baseDigits);
  return !isInfinity(sum) && isWanted(sum);
}
