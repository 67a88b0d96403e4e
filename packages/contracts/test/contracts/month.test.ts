import { SUCCESS } from "@credlink/ledger";
import { decode, encode, toHex } from "@credlink/primitives";
import { beforeAll, describe, expect, it } from "vitest";
import {
  type BusinessMonth,
  generateBusinessMonth,
  generateRefusedCases,
} from "../../../../examples/src/index.ts";
import {
  credentialIdArgsCodec,
  credentialTypes,
  storedCredentialCodec,
  traceArgsCodec,
  tracePageCodec,
} from "../../src/index.ts";
import { TestChain } from "../support/chain.ts";
import {
  createGenesis,
  DAY_MS,
  GENESIS_MS,
  keySource,
  memberKeyOf,
} from "../support/consortium.ts";
import { coSignMonth, submitMonth, submitMonthInBatches } from "../support/month.ts";

const institution = memberKeyOf("institution");

function makeMonth(): BusinessMonth {
  return generateBusinessMonth({
    seed: "month",
    startMs: GENESIS_MS - 32 * DAY_MS,
    institutionAddress: institution.address,
    regulator: memberKeyOf("regulator"),
    createKey: keySource("month"),
  });
}

describe("a month of business", () => {
  let month: BusinessMonth;
  let chain: TestChain;
  let refused: readonly string[];
  const genesis = createGenesis();

  beforeAll(async () => {
    month = makeMonth();
    chain = await TestChain.open(await genesis);
    refused = await submitMonth(chain, month);
  });

  it("T-4.3: several hundred credentials of every type are taken in business order", () => {
    expect(refused).toEqual([]);
    expect(month.steps.length).toBeGreaterThan(500);
    expect(new Set(month.steps.map(({ type }) => type)).size).toBe(credentialTypes.length);
  });

  it("gives the same state root when what the same parties sign goes into one call", async () => {
    const second = await TestChain.open(await genesis);
    const { refused, transactions } = await submitMonthInBatches(second, makeMonth());
    expect(refused).toEqual([]);
    expect(transactions).toBeLessThan(month.steps.length / 2);
    expect(second.stateRoot).toBe(chain.stateRoot);
  });

  it("gives the same state root on a second run", async () => {
    const second = await TestChain.open(await genesis);
    expect(await submitMonth(second, makeMonth())).toEqual([]);
    expect(second.stateRoot).toBe(chain.stateRoot);
  });

  it("T-4.5-1: is the same when every party signs from its own node", async () => {
    const apart = await TestChain.open(await genesis);
    const result = await coSignMonth(apart, month);
    expect(result.refused).toEqual([]);
    expect(result.signatures).toBeGreaterThan(500);
    const stored = async (of: TestChain, id: Uint8Array) => {
      const args = encode(credentialIdArgsCodec, { id });
      const { returnValue } = await of.query("get", args, memberKeyOf("auditor"));
      const { standing, issue, record } = decode(storedCredentialCodec, returnValue);
      const { status, by, replacedBy } = standing;
      const { coSigners, contract, replaces } = issue;
      return { status, by, replacedBy, coSigners, contract, replaces, record };
    };
    for (const { id, name } of month.steps) {
      expect(await stored(apart, id), name).toEqual(await stored(chain, id));
    }
  });

  it("T-4.3: every refused case meets its own code, and leaves no trace", async () => {
    const cases = generateRefusedCases(month);
    const before = chain.stateRoot;
    const receipts = await chain.block(
      cases.map(({ sender, step: { method, args, coSigners } }) => ({
        sender: sender ?? institution,
        method,
        args,
        coSigners,
      })),
    );
    expect(cases.map(({ name }, i) => [name, receipts[i]?.status])).toEqual(
      cases.map(({ name, expectedCode }) => [name, expectedCode]),
    );
    expect(chain.stateRoot).toBe(before);
  });

  it("traces an invoice back to the identities behind it", async () => {
    const [invoice] = month.invoices;
    const types = new Map<string, string>();
    let offset: number | null = 0;
    while (offset !== null) {
      const args: Uint8Array = encode(traceArgsCodec, {
        id: invoice?.record.id ?? new Uint8Array(32),
        offset,
        limit: 40,
      });
      const { status, returnValue } = await chain.query("trace", args, memberKeyOf("auditor"));
      expect(status).toBe(SUCCESS);
      const page = decode(tracePageCodec, returnValue);
      for (const item of page.items) {
        expect(types.has(toHex(item.id))).toBe(false);
        types.set(toHex(item.id), item.type);
      }
      offset = page.next;
    }
    const count = (type: string): number => [...types.values()].filter((t) => t === type).length;
    expect(count("identity.individual")).toBe(13);
    expect(count("identity.enterprise")).toBe(1);
    expect(count("identity.institution")).toBe(1);
    expect(count("transaction.settlement")).toBe(13);
    expect(count("transaction.task")).toBe(39);
  });

  it("returns the stored record with who signed it", async () => {
    const { settlement, worker } = month.works[0] ?? expect.fail("no work");
    const args = encode(credentialIdArgsCodec, { id: settlement.id });
    const { returnValue } = await chain.query("get", args, memberKeyOf("regulator"));
    const stored = decode(storedCredentialCodec, returnValue);
    expect(stored.record).toEqual(settlement);
    expect(stored.standing.status).toBe("active");
    expect(stored.issue.coSigners).toEqual([worker.serviceKey.address]);
    expect(stored.issue.contract).toEqual(worker.service.id);
  });
});
