import { expect, test } from "vitest";
import { sm2Verify } from "../../src/index.ts";
import { randomCases } from "../support/cases.ts";
import { describeCase, nobleVerify } from "../support/oracle.ts";

test("S-9.6-1: noble agrees with OpenSSL on 5,000 random signatures, half b of 10,000", () => {
  let good = 0;
  let bad = 0;
  for (const question of randomCases(20261122, 5_000, 10)) {
    const answer = sm2Verify(question.publicKey, question.message, question.signature);
    if (answer !== nobleVerify(question)) throw new Error(describeCase(question));
    if (answer) good++;
    else bad++;
  }
  expect(good).toBeGreaterThan(2_000);
  expect(bad).toBeGreaterThan(1_500);
});
