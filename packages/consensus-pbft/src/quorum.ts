/**
 * The thresholds of the protocol; every count in the code base is held against one of these.
 *
 * @see Castro & Liskov 1999 §2; for n other than 3f + 1 a quorum of 2f + 1 is unsafe or too small
 */
import { invariant } from "@credlink/primitives";

/** Largest number of faulty validators that `validatorCount` tolerate: ⌊(n − 1) / 3⌋. */
export function faultBound(validatorCount: number): number {
  invariant(Number.isSafeInteger(validatorCount) && validatorCount > 0, "no validators");
  return Math.floor((validatorCount - 1) / 3);
}

/**
 * Distinct validators that make a certificate: ⌊(n + f) / 2⌋ + 1. Two quorums meet in at least
 * f + 1 validators, so in an honest one, and n − f honest validators suffice for one.
 */
export function quorum(validatorCount: number): number {
  return Math.floor((validatorCount + faultBound(validatorCount)) / 2) + 1;
}

/** Distinct validators among which one at least is honest: f + 1. */
export function honestOne(validatorCount: number): number {
  return faultBound(validatorCount) + 1;
}
