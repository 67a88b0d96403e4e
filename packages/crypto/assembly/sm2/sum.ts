/*
 * Sums of points of the SM2 curve, a module of its own without the tables of the verification
 * kernel. Points come from a chain: nothing here is secret.
 */
import { FIELD, isOnCurve, readElement } from "./field";
import { addAffineCompletely, isInfinity, setInfinity, withSign } from "./points";

/** Most points of one sum. */
const MAX_POINTS: i32 = 64;
const POINT_BYTES: usize = 64;

const points = memory.data(64 * 64, 8);
const point = memory.data(72, 8);
const total = memory.data(108, 8);

/** Where `sum` reads its points: x ‖ y, 64 bytes each, big-endian. */
export function pointsAddress(): usize {
  return points;
}

export function maxPoints(): i32 {
  return MAX_POINTS;
}

/**
 * Σ of the first `plus` points less Σ of the others: 1 when it is nothing, 0 when it is a point, −1
 * when one of the `count` is not on the curve.
 */
export function sum(plus: i32, count: i32): i32 {
  setInfinity(total);
  for (let i = 0; i < count; i++) {
    const bytes = points + <usize>i * POINT_BYTES;
    if (!readElement(point, bytes) || !readElement(point + FIELD, bytes + 32)) return -1;
    if (!isOnCurve(point, point + FIELD)) return -1;
    const term = withSign(point, i >= plus);
    addAffineCompletely(total, term, term + FIELD);
  }
  return isInfinity(total) ? 1 : 0;
}
