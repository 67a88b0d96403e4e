import type { DecodedTransaction } from "@credlink/ledger";
import { address, digest, height } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import { createMempool, RETRY_AFTER_MS } from "../../../src/engine/mempool.ts";

function transaction(
  seed: number,
  { sizeBytes = 100, sender = 1, expiry = 10, gasLimit = 5 } = {},
): DecodedTransaction {
  const id = new Uint8Array(32);
  new DataView(id.buffer).setUint32(0, seed);
  const from = address(new Uint8Array(32).fill(sender));
  return {
    id: digest(id),
    sender: from,
    signers: [from],
    contract: "book",
    contractVersion: "1.0.0",
    method: "write",
    args: new Uint8Array(0),
    gasLimit,
    bytes: new Uint8Array(sizeBytes),
    transactionBytes: new Uint8Array(0),
    version: 1,
    chainId: "test",
    nonce: new Uint8Array(16),
    expiryHeight: height(expiry),
    signatures: [],
  };
}

const limits = { maxTransactions: 3, maxBytes: 1_000, maxPerSender: 2 };
const caps = { maxTransactions: 10, maxBytes: 10_000, perTransactionBytes: 0, maxGas: 1_000 };
const everything = (): boolean => true;

describe("mempool limits at their edges", () => {
  it("takes exactly maxTransactions, then says when to come again", () => {
    const pool = createMempool({ ...limits, maxPerSender: 100 });
    for (const seed of [1, 2, 3]) expect(pool.add(transaction(seed), 0).ok).toBe(true);
    expect(pool.add(transaction(4), 0)).toMatchObject({
      ok: false,
      code: "NODE_MEMPOOL_FULL",
      retryAfterMs: RETRY_AFTER_MS,
    });
    pool.remove([transaction(2).id]);
    expect(pool.add(transaction(4), 0).ok).toBe(true);
  });

  it("takes exactly maxBytes and not one byte more", () => {
    const pool = createMempool(limits);
    expect(pool.add(transaction(1, { sizeBytes: 400 }), 0).ok).toBe(true);
    const over = pool.add(transaction(2, { sizeBytes: 601 }), 0);
    expect(over).toMatchObject({ ok: false, code: "NODE_MEMPOOL_FULL" });
    expect(pool.add(transaction(2, { sizeBytes: 600 }), 0).ok).toBe(true);
    expect(pool.bytes).toBe(1_000);
  });

  it("limits one sender and not the others", () => {
    const pool = createMempool(limits);
    for (const seed of [1, 2]) expect(pool.add(transaction(seed), 0).ok).toBe(true);
    expect(pool.add(transaction(3), 0)).toMatchObject({ code: "NODE_MEMPOOL_SENDER_LIMIT" });
    expect(pool.add(transaction(3, { sender: 2 }), 0).ok).toBe(true);
  });

  it("S-8.4-3: limits that change hold from the next transaction on, for each of the three", () => {
    const changing = { maxTransactions: 3, maxBytes: 1_000, maxPerSender: 3 };
    const pool = createMempool(changing);
    for (const seed of [1, 2]) expect(pool.add(transaction(seed), 0).ok).toBe(true);
    const codeWith = (change: Partial<typeof changing>) => {
      const before = { ...changing };
      Object.assign(changing, change);
      const refusal = pool.probe(transaction(9));
      Object.assign(changing, before);
      return refusal?.code ?? "taken";
    };
    expect(codeWith({})).toBe("taken");
    expect(codeWith({ maxTransactions: 2 })).toBe("NODE_MEMPOOL_FULL");
    expect(codeWith({ maxBytes: 299 })).toBe("NODE_MEMPOOL_FULL");
    expect(codeWith({ maxPerSender: 2 })).toBe("NODE_MEMPOOL_SENDER_LIMIT");
  });

  it("knows a transaction by its id, before any limit", () => {
    const pool = createMempool({ ...limits, maxTransactions: 1 });
    pool.add(transaction(1), 0);
    expect(pool.add(transaction(1), 0)).toMatchObject({ code: "NODE_MEMPOOL_KNOWN" });
  });

  it("gives room back in full: counts are zero after everything left", () => {
    const pool = createMempool(limits);
    const all = [transaction(1), transaction(2, { sender: 2, expiry: 3 })];
    for (const one of all) pool.add(one, 0);
    expect(pool.remove([transaction(1).id]).length).toBe(1);
    expect(pool.expire(3).length).toBe(1);
    expect([pool.size, pool.bytes]).toEqual([0, 0]);
    for (const seed of [5, 6]) expect(pool.add(transaction(seed), 0).ok).toBe(true);
  });
});

describe("mempool selection", () => {
  it("is first come first served, passes over what does not fit, and keeps what it selects", () => {
    const pool = createMempool({ maxTransactions: 10, maxBytes: 10_000, maxPerSender: 10 });
    pool.add(transaction(3, { sizeBytes: 300 }), 0);
    pool.add(transaction(1, { sizeBytes: 800 }), 0);
    pool.add(transaction(2, { sizeBytes: 200 }), 0);
    const chosen = pool.select({ ...caps, maxBytes: 520, perTransactionBytes: 10 }, everything);
    expect(chosen.map(({ transaction: one }) => one.bytes.length)).toEqual([300, 200]);
    expect(
      pool.select({ ...caps, maxBytes: 519, perTransactionBytes: 10 }, everything).length,
    ).toBe(1);
    expect(pool.size).toBe(3);
  });

  it("respects the sum of gas limits and the number of transactions at their edges", () => {
    const pool = createMempool({ maxTransactions: 10, maxBytes: 10_000, maxPerSender: 10 });
    for (const seed of [1, 2, 3]) pool.add(transaction(seed, { gasLimit: 10 }), 0);
    expect(pool.select({ ...caps, maxGas: 20 }, everything).length).toBe(2);
    expect(pool.select({ ...caps, maxGas: 19 }, everything).length).toBe(1);
    expect(pool.select({ ...caps, maxTransactions: 2 }, everything).length).toBe(2);
    expect(pool.select({ ...caps, maxTransactions: 0 }, everything).length).toBe(0);
  });

  it("counts only what is accepted", () => {
    const pool = createMempool({ maxTransactions: 10, maxBytes: 10_000, maxPerSender: 10 });
    for (const seed of [1, 2, 3]) pool.add(transaction(seed), 0);
    const first = transaction(1).id[3];
    const chosen = pool.select({ ...caps, maxTransactions: 2 }, (entry) => {
      return entry.transaction.id[3] !== first;
    });
    expect(chosen.map(({ transaction: one }) => one.id[3])).toEqual([2, 3]);
  });

  it("expires exactly what no later block may hold", () => {
    const pool = createMempool({ maxTransactions: 10, maxBytes: 10_000, maxPerSender: 10 });
    for (const expiry of [4, 5, 6]) pool.add(transaction(expiry, { expiry }), 0);
    expect(pool.expire(5).map(({ transaction: one }) => one.expiryHeight)).toEqual([4, 5]);
    expect(pool.size).toBe(1);
  });

  it("finds what waits for long, oldest first, within a byte budget", () => {
    const pool = createMempool({ maxTransactions: 10, maxBytes: 10_000, maxPerSender: 10 });
    for (const at of [1, 2, 3]) pool.add(transaction(at), at * 1_000);
    expect(pool.oldest(2_000, 1_000).length).toBe(2);
    expect(pool.oldest(2_000, 150).length).toBe(1);
    expect(pool.oldest(500, 1_000).length).toBe(0);
  });
});

it("names when the one that waits longest came, whatever leaves before it", () => {
  const pool = createMempool(limits);
  expect(pool.oldestEnteredAtMs).toBeNull();
  pool.add(transaction(1), 10);
  pool.add(transaction(2), 20);
  expect(pool.oldestEnteredAtMs).toBe(10);
  pool.remove([transaction(1).id]);
  expect(pool.oldestEnteredAtMs).toBe(20);
  pool.remove([transaction(2).id]);
  expect(pool.oldestEnteredAtMs).toBeNull();
});
