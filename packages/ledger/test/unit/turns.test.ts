import { height, toHex, validatorIndex } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import {
  ANCESTOR_WINDOW,
  createLedger,
  createMemoryStore,
  type ExecutionContext,
} from "../../src/index.ts";
import { buildOn, commitBlock, createKeyValueExecutor, testGenesis } from "../support.ts";

/** A ledger whose executor shows what it was given, and skips whom the test says. */
async function openWatched(skipped: (at: number) => readonly string[]) {
  const contexts: ExecutionContext[] = [];
  const plain = createKeyValueExecutor();
  const executor: typeof plain = {
    ...plain,
    skipped: (_view, at) => skipped(at),
    execute: (parent, context, transactions) => {
      contexts.push(context);
      return plain.execute(parent, context, transactions);
    },
  };
  const ledger = await createLedger({ store: createMemoryStore(), executor, genesis: testGenesis });
  return { ledger, contexts };
}

describe("turns of primaries", () => {
  it("names the primaries of the two heights above a block, by the state after it", async () => {
    const { ledger } = await openWatched((at) => (at >= 3 ? ["node1"] : []));
    const activeAt = (at: number) => ledger.rosterOn(ledger.head.digest, height(at))?.active;
    expect(activeAt(1)).toEqual([0, 1, 2, 3]);
    expect(activeAt(2)).toEqual([0, 1, 2, 3]);
    expect(activeAt(3)).toBeUndefined();
    expect(activeAt(0)).toBeUndefined();
    await commitBlock(ledger, []);
    expect(activeAt(2)).toEqual([0, 1, 2, 3]);
    expect(activeAt(3)).toEqual([0, 2, 3]);
    const candidate = await buildOn(ledger, ledger.head, []);
    const above = (at: number) => ledger.rosterOn(candidate.sealed.digest, height(at))?.active;
    expect([above(3), above(4)]).toEqual([
      [0, 2, 3],
      [0, 2, 3],
    ]);
    expect(ledger.rosterOn(ledger.genesisDigest, height(1))).toBeNull();
  });

  it("tells the executor whose turn it was and who took it", async () => {
    const { ledger, contexts } = await openWatched((at) => (at === 1 ? ["node1"] : []));
    const request = { parentDigest: ledger.head.digest, height: height(1), timestampMs: 9e12 };
    const history = new Uint8Array(0);
    await ledger.execute({ ...request, history, proposer: validatorIndex(3), transactions: [] });
    expect(contexts[0]?.turn).toEqual({ primary: "node2", proposer: "node3", validatorCount: 4 });
    const beyond = { ...request, history, proposer: validatorIndex(4), transactions: [] };
    await expect(ledger.execute(beyond)).rejects.toThrow("a proposer is a validator");
  });

  it("knows the digests of a branch's last hundred blocks, candidates included", async () => {
    const { ledger, contexts } = await openWatched(() => []);
    for (let block = 0; block < ANCESTOR_WINDOW; block++) await commitBlock(ledger, []);
    const first = await buildOn(ledger, ledger.head, []);
    await ledger.execute({
      parentDigest: first.sealed.digest,
      height: height(ANCESTOR_WINDOW + 2),
      timestampMs: first.timestampMs + 1,
      proposer: validatorIndex(0),
      transactions: [],
      history: new Uint8Array(0),
    });
    const of = (at: number) => contexts.at(-1)?.ancestorDigest(height(at)) ?? null;
    expect(toHex(of(ANCESTOR_WINDOW + 1) ?? first.parentDigest)).toBe(toHex(first.sealed.digest));
    expect(of(ANCESTOR_WINDOW + 2)).toBeNull();
    expect(of(1)).toBeNull();
    expect(of(2)).toEqual(ledger.header(height(2))?.digest);
    expect(of(ANCESTOR_WINDOW)).toEqual(ledger.head.digest);
  });
});
