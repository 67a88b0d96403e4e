import { randomBytes } from "@credlink/crypto";
import { toHex } from "@credlink/primitives";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AmountOpening,
  amountPaths,
  commitAmount,
  createOpenings,
  credentialTypes,
  MAX_AMOUNT_FEN,
  openAmount,
  type Payload,
  payloadSchemas,
  sumBlinding,
  verifyAmounts,
} from "../../src/index.ts";

const opening = (value: bigint, fill = 7): AmountOpening => ({
  value,
  blinding: new Uint8Array(32).fill(fill),
});

describe("an amount", () => {
  it("keeps its golden commitment", () => {
    expect(toHex(commitAmount(opening(123_45n)))).toMatchInlineSnapshot(
      `"294c13bba6cef2b70e5ed32b3cbf21d0de26c520a3f4027559192818d6844d2b7c1d733510d0c05cf04d2992cf4b970fa518df24e1e7ed67ab091730f2a71c6f"`,
    );
  });

  it("opens by its own value and blinding factor, and by no other", () => {
    const own = opening(100n);
    const commitment = commitAmount(own);
    expect(openAmount(commitment, own)).toEqual({ ok: true, value: 100n });
    for (const wrong of [opening(101n), opening(100n, 8), opening(100n, 0xff)]) {
      expect(openAmount(commitment, wrong)).toMatchObject({ code: "CONTRACTS_AMOUNT_MISMATCH" });
    }
    const short = { value: 100n, blinding: own.blinding.subarray(1) };
    expect(openAmount(commitment, short)).toMatchObject({ code: "CONTRACTS_AMOUNT_MISMATCH" });
  });

  it("is 0 to 2^53 - 1 fen, at commitment and at opening", () => {
    for (const value of [0n, MAX_AMOUNT_FEN]) {
      expect(openAmount(commitAmount(opening(value)), opening(value)).ok).toBe(true);
    }
    for (const value of [-1n, MAX_AMOUNT_FEN + 1n]) {
      expect(() => commitAmount(opening(value))).toThrow(
        expect.objectContaining({ code: "CONTRACTS_AMOUNT_RANGE" }),
      );
      expect(openAmount(new Uint8Array(64), opening(value))).toMatchObject({
        code: "CONTRACTS_AMOUNT_RANGE",
      });
    }
  });
});

describe("the amounts of a type", () => {
  it("are fields of its schema that hold whole fen", () => {
    for (const type of credentialTypes) {
      const kinds = new Map(payloadSchemas[type].fields.map(({ path, kind }) => [path, kind]));
      for (const path of amountPaths[type]) expect(kinds.get(path)?.holds(1n), path).toBe(true);
    }
  });

  const settlement: Payload = { gross: 100n, serviceFee: 6n, net: 94n };

  it("are opened so that every sum holds, whatever the numbers", () => {
    const fen = fc.bigInt({ min: 0n, max: 10n ** 12n });
    fc.assert(
      fc.property(fc.array(fen, { minLength: 1, maxLength: 4 }), fen, (amounts, fee) => {
        const parents = amounts.map((amount) =>
          createOpenings("transaction.acceptance", { amount }, [], randomBytes),
        );
        const net = amounts.reduce((sum, amount) => sum + amount, 0n);
        const payload: Payload = { gross: net + fee, serviceFee: fee, net };
        const made = createOpenings("transaction.settlement", payload, parents, randomBytes);
        const [gross, ...parts] = made;
        if (gross === undefined) return expect.fail("a settlement has amounts");
        expect(gross.blinding).toEqual(sumBlinding(parents.flat()));
        expect(gross.blinding).toEqual(sumBlinding(parts));
        const points = made.map(commitAmount);
        expect(verifyAmounts("transaction.settlement", payload, made, points).ok).toBe(true);
      }),
      { numRuns: 5 },
    );
  });

  it("are held to the payload, and absent fields to nothing", () => {
    const parents = [createOpenings("transaction.acceptance", { amount: 100n }, [], randomBytes)];
    const made = createOpenings("transaction.settlement", settlement, parents, randomBytes);
    const points = made.map(commitAmount);
    const verdict = (payload: Payload, openings = made, amounts = points) =>
      verifyAmounts("transaction.settlement", payload, openings, amounts);
    expect(verdict(settlement).ok).toBe(true);
    const mismatch = { code: "CONTRACTS_AMOUNT_MISMATCH" };
    expect(verdict({ ...settlement, taxWithheld: 1n })).toMatchObject(mismatch);
    expect(verdict({ ...settlement, gross: 101n })).toMatchObject(mismatch);
    expect(verdict(settlement, made.slice(1))).toMatchObject(mismatch);
    expect(verdict(settlement, made, points.slice(1))).toMatchObject(mismatch);
    const negative = made.map((each, i) => (i === 1 ? { ...each, value: -6n } : each));
    expect(verdict({ ...settlement, serviceFee: -6n }, negative)).toMatchObject({
      code: "CONTRACTS_AMOUNT_RANGE",
      detail: "serviceFee",
    });
  });

  it("are no other kind of value, which would stand in the payload and count for nothing", () => {
    const nothing = [opening(0n)];
    const points = nothing.map(commitAmount);
    const verdict = (payload: Payload) =>
      verifyAmounts("transaction.acceptance", payload, nothing, points);
    expect(verdict({ amount: 0n }).ok).toBe(true);
    for (const amount of [500_000, 0, "500000", null, [500_000n]]) {
      expect(verdict({ amount })).toMatchObject({ code: "CONTRACTS_AMOUNT_MISMATCH" });
      expect(() => createOpenings("transaction.acceptance", { amount }, [], randomBytes)).toThrow(
        expect.objectContaining({ code: "CONTRACTS_AMOUNT_RANGE" }),
      );
    }
  });

  it("need the parents that they are the sum of", () => {
    expect(() =>
      createOpenings("transaction.payment", { amount: 1n }, [[opening(1n)]], randomBytes),
    ).toThrow(expect.objectContaining({ code: "CONTRACTS_AMOUNT_PARENT" }));
  });
});
