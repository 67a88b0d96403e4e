import { expect } from "vitest";
import { sm2Verify } from "../../src/index.ts";
import { randomCases } from "./cases.ts";
import { describeCase, nobleVerify } from "./oracle.ts";

/** Random signatures that one file asks noble about: 5,000 where there is time, as in `.ci/run`. */
export const RANDOM_SIGNATURES = process.env.CREDLINK_UNIT_LARGE === "1" ? 5_000 : 1_000;

/** Holds our answers on random signatures, valid and mutated, to noble's. */
export function holdToNoble(seed: number): void {
  let good = 0;
  let bad = 0;
  for (const question of randomCases(seed, RANDOM_SIGNATURES, 10)) {
    const answer = sm2Verify(question.publicKey, question.message, question.signature);
    if (answer !== nobleVerify(question)) throw new Error(describeCase(question));
    if (answer) good++;
    else bad++;
  }
  expect(good).toBeGreaterThan(0.4 * RANDOM_SIGNATURES);
  expect(bad).toBeGreaterThan(0.3 * RANDOM_SIGNATURES);
}
