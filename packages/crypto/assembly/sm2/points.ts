/*
 * Points of the curve in Jacobian form, X ‖ Y ‖ Z for x = X / Z², y = Y / Z³; Z = 0 limb by limb is
 * infinity. Affine points are x ‖ y.
 *
 * @see Hankerson, Menezes, Vanstone 2004, algorithms 3.21 and 3.22
 */
import { combine, FIELD, isZero, ONE } from "./field";
import {
  addLazily,
  copy,
  multiply,
  multiplyBoth,
  multiplyLess,
  negate,
  square,
  squareLessEight,
  squareLessTwice,
  subtractLazily,
} from "./products";

/** Bytes of an affine point and of one in Jacobian form. */
export const AFFINE: usize = 2 * FIELD;
export const JACOBIAN: usize = 3 * FIELD;

const zz = memory.data(36, 8);
const h = memory.data(36, 8);
const r = memory.data(36, 8);
const hh = memory.data(36, 8);
const hhh = memory.data(36, 8);
const v = memory.data(36, 8);
const w = memory.data(36, 8);
const signed = memory.data(72, 8);

// @ts-ignore: decorator
@inline
function yOf(point: usize): usize {
  return point + FIELD;
}

// @ts-ignore: decorator
@inline
function zOf(point: usize): usize {
  return point + 2 * FIELD;
}

export function setInfinity(point: usize): void {
  memory.fill(point, 0, JACOBIAN);
}

export function isInfinity(point: usize): bool {
  const z = zOf(point);
  for (let i: usize = 0; i < FIELD; i += 4) if (load<i32>(z + i) != 0) return false;
  return true;
}

export function setAffine(point: usize, x: usize, y: usize): void {
  copy(point, x);
  copy(yOf(point), y);
  copy(zOf(point), ONE);
}

/** The affine point at `entry`, or its negative: x ‖ y. Good until the next call. */
export function withSign(entry: usize, isNegative: bool): usize {
  if (!isNegative) return entry;
  copy(signed, entry);
  negate(signed + FIELD, entry + FIELD);
  return signed;
}

/** h = x·Z² − X and r = y·Z³ − Y: both zero for the same point, h alone for the opposite one. */
function differences(point: usize, x: usize, y: usize): void {
  const z = zOf(point);
  square(zz, z);
  multiplyLess(h, x, zz, point);
  multiply(zz, zz, z);
  multiplyLess(r, y, zz, yOf(point));
}

/** point += the affine point that `differences` was called with. */
function finishAddition(point: usize): void {
  const y = yOf(point);
  square(hh, h);
  multiply(hhh, hh, h);
  multiply(v, point, hh);
  multiply(zOf(point), zOf(point), h);
  squareLessTwice(point, r, hhh, v);
  subtractLazily(w, v, point);
  multiplyBoth(y, r, w, y, hhh);
}

/**
 * point += (x, y). Neither may be infinity, nor the one plus or minus the other: Z becomes 0 modulo
 * p then, and stays 0 whatever is added.
 */
export function addAffine(point: usize, x: usize, y: usize): void {
  differences(point, x, y);
  finishAddition(point);
}

/** point += (x, y), whatever they are. */
export function addAffineCompletely(point: usize, x: usize, y: usize): void {
  if (isInfinity(point)) {
    setAffine(point, x, y);
    return;
  }
  differences(point, x, y);
  if (!isZero(h)) finishAddition(point);
  else if (isZero(r)) double(point);
  else setInfinity(point);
}

/** point += point. Infinity stays; no other point has y = 0. */
export function double(point: usize): void {
  const x = point;
  const y = yOf(point);
  const z = zOf(point);
  // With the names of the source: γ = Y², β = X·γ, α = 3 (X − Z²)(X + Z²).
  square(zz, z);
  subtractLazily(h, x, zz);
  addLazily(r, x, zz);
  multiply(r, h, r);
  combine(r, 3, r, 0, r);
  multiply(z, y, z);
  combine(z, 2, z, 0, z);
  square(hh, y);
  multiply(v, x, hh);
  squareLessEight(x, r, v);
  combine(w, 4, v, -1, x);
  combine(hhh, 8, hh, 0, hh);
  multiplyBoth(y, r, w, hhh, hh);
}
