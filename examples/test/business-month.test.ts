import { payloadSchemas, validatePayload, verifyCredentialFile } from "@credlink/contracts";
import { addressFromPublicKey, publicKeyFromPrivate, sm3 } from "@credlink/crypto";
import { address, toHex, utf8 } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import { checkOriginals, checkSums } from "../src/co-signed/checks.ts";
import { expectedRecords } from "../src/co-signed/expected.ts";
import { generateBusinessMonth, generateRefusedCases } from "../src/index.ts";

const START_MS = Date.UTC(2026, 9, 20);

function makeMonth(seed: string) {
  let count = 0;
  return generateBusinessMonth({
    seed,
    startMs: START_MS,
    institutionAddress: address(new Uint8Array(32).fill(1)),
    workers: 12,
    createKey: () => {
      const privateKey = sm3(utf8(`key/${count++}`));
      privateKey[0] = 0x11;
      const publicKey = publicKeyFromPrivate(privateKey);
      return { privateKey, publicKey, address: addressFromPublicKey(publicKey) };
    },
  });
}

const month = makeMonth("a");

describe("the generated month", () => {
  it("is decided by its seed", () => {
    const all = (seed: string): string =>
      makeMonth(seed)
        .steps.map(({ args }) => toHex(args))
        .join();
    expect(all("a")).toBe(month.steps.map(({ args }) => toHex(args)).join());
    expect(all("a")).not.toBe(all("b"));
  });

  it("every payload fits its schema and its commitment", () => {
    for (const { record, payload, salts, openings, name } of month.steps) {
      if (record === null) continue;
      const schema = payloadSchemas[record.type];
      const judged = validatePayload(schema, payload);
      expect(judged.ok ? "" : judged.detail, name).toBe("");
      const file = { record, payload, salts, openings };
      expect(verifyCredentialFile(file, record), name).toEqual({ ok: true, value: true });
    }
  });

  it("every stage depends on earlier stages only", () => {
    const stages = new Map<string, number>();
    for (const { id, stage, dependsOn, name } of month.steps) {
      for (const on of dependsOn) expect(stages.get(toHex(on)), name).toBeLessThan(stage);
      stages.set(toHex(id), stage);
    }
  });

  it("T-4.6.1-2: no plain value of a payload is in what goes on chain", () => {
    const onChain = month.steps.map(({ args }) => toHex(args)).join("/");
    for (const { name, identityNumber, mobile, card } of month.works.map(({ worker }) => worker)) {
      for (const secret of [name, identityNumber, mobile, card.number]) {
        expect(onChain.includes(toHex(utf8(secret)))).toBe(false);
      }
    }
    for (const { type, payload } of month.steps) {
      for (const { path, level } of payloadSchemas[type].fields) {
        const value = payload[path];
        if (level > 1 && typeof value === "string") {
          expect(onChain.includes(toHex(utf8(value))), value).toBe(false);
        }
      }
    }
  });

  it("S-5.5: no relation key stands in two contracts", () => {
    const holders = month.works.map(({ worker }) => toHex(worker.serviceKey.address));
    const identities = month.works.map(({ worker }) => toHex(worker.identityKey.address));
    const all = [...holders, ...identities];
    expect(new Set(all).size).toBe(all.length);
  });

  it("refused cases name what they must", () => {
    const cases = generateRefusedCases(month);
    expect(cases.length).toBeGreaterThan(40);
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
    expect(new Set(cases.map(({ expectedCode }) => expectedCode)).size).toBeGreaterThan(30);
  });
});

describe("what holds a co-signed month together", () => {
  const stored = new Map(
    month.steps.flatMap(({ record }) =>
      record === null ? [] : [[toHex(record.id), { record } as const] as const],
    ),
  );

  it("every sum is proven on commitments alone, and one amount that is another's breaks it", () => {
    // Twelve works: settlement twice, payment, tax; three invoices twice, one red.
    expect(checkSums(stored)).toBe(12 * 4 + 3 * 2 + 1);
    const [first, second] = month.works.map(({ settlement }) => settlement);
    if (first === undefined || second === undefined) return expect.fail("no works");
    const [, ...rest] = first.amounts;
    const record = { ...first, amounts: [second.amounts[0] ?? new Uint8Array(64), ...rest] };
    const altered = new Map(stored).set(toHex(first.id), { record });
    expect(() => checkSums(altered)).toThrow("a sum does not hold");
  });

  it("an original does not open another's record, nor one that is missing", () => {
    expect(checkOriginals(month.steps, stored)).toBe(stored.size);
    const [first, second] = month.works.map(({ insurance }) => insurance);
    if (first === undefined || second === undefined) return expect.fail("no works");
    const altered = new Map(stored).set(toHex(first.id), { record: second });
    expect(() => checkOriginals(month.steps, altered)).toThrow("CONTRACTS_COMMITMENT_MISMATCH");
    const lacking = new Map(stored);
    lacking.delete(toHex(second.id));
    expect(() => checkOriginals(month.steps, lacking)).toThrow("is missing");
  });

  it("expects what the month does, and nothing else, to have changed a status", () => {
    const changed = expectedRecords(month).filter(({ status }) => status !== "active");
    expect(changed.map(({ record: { type }, status }) => `${type} ${status}`).toSorted()).toEqual([
      "bill.insurance corrected",
      "bill.invoice corrected",
      "contract.service revoked",
      "identity.individual on-hold",
    ]);
  });
});
