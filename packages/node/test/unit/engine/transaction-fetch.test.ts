import {
  createLedger,
  createMemoryStore,
  type DecodedTransaction,
  decodeSignedTransaction,
  signedTransactionCodec,
  TRANSACTION_VERSION,
  transactionCodec,
} from "@credlink/ledger";
import { address, encode, height, noLogger, noMetrics } from "@credlink/primitives";
import {
  createSeededRandom,
  createSimulatedClock,
  createSimulatedNetwork,
} from "@credlink/testkit";
import { describe, expect, it } from "vitest";
import { createMempool } from "../../../src/engine/mempool.ts";
import { createInstruments } from "../../../src/engine/metrics.ts";
import { createTransactionFetcher } from "../../../src/engine/transaction-fetch.ts";
import { storageExecutor, storageGenesis } from "../../support/storage-chain.ts";

const random = createSeededRandom(1);
const sender = address(random.bytes(32));

/** A signed transaction as it travels; nobody here looks at its signature. */
function signedTransaction(): Uint8Array {
  const transaction = encode(transactionCodec, {
    version: TRANSACTION_VERSION,
    chainId: "test",
    sender,
    nonce: random.bytes(16),
    expiryHeight: height(100),
    contract: "book",
    contractVersion: "1.0.0",
    method: "write",
    args: random.bytes(10),
    gasLimit: 1,
  });
  const signatures = [{ address: sender, signature: random.bytes(64) }];
  return encode(signedTransactionCodec, { transaction, signatures });
}

function decoded(bytes: Uint8Array): DecodedTransaction {
  const result = decodeSignedTransaction(bytes);
  if (!result.ok) throw new Error(result.code);
  return result.value;
}

/** Two nodes, each with a fetcher over its own pool. */
async function createNodes() {
  const clock = createSimulatedClock();
  const network = createSimulatedNetwork({ clock, random: createSeededRandom(2) });
  const nodes = await Promise.all(
    ["n0", "n1"].map(async (id) => {
      const peer = { id, organization: id, role: "validator", provisional: false };
      const mempool = createMempool({ maxTransactions: 100, maxBytes: 100_000, maxPerSender: 100 });
      const ledger = await createLedger({
        store: createMemoryStore(),
        executor: storageExecutor,
        genesis: storageGenesis,
      });
      const fetcher = createTransactionFetcher({
        ledger,
        mempool,
        network: network.attach(peer),
        clock,
        logger: noLogger,
        instruments: createInstruments(noMetrics),
        budget: { blame: () => {}, cut: () => {}, spend: () => true },
        requestTimeoutMs: 500,
      });
      fetcher.serve();
      return { mempool, fetcher };
    }),
  );
  const [first, second] = nodes;
  if (first === undefined || second === undefined) throw new Error("two nodes");
  return { clock, first, second };
}

describe("the transactions of a proposal", () => {
  it("are the pool's own where it has them, so that nothing is verified twice", async () => {
    const { first } = await createNodes();
    const bytes = signedTransaction();
    const pooled = decoded(bytes);
    first.mempool.add(pooled, 0);
    const inline = [new Uint8Array(bytes)];
    const found = await first.fetcher.collect(
      [pooled.id],
      inline,
      () => [],
      () => false,
    );
    expect(found?.[0]).toBe(pooled);
  });

  it("are those that came with it where the pool has none, and nobody is asked", async () => {
    const { first } = await createNodes();
    const bytes = signedTransaction();
    const { id } = decoded(bytes);
    const nobody = () => {
      throw new Error("asked");
    };
    const found = await first.fetcher.collect([id], [bytes], nobody, () => false);
    expect(found?.map((one) => one.id)).toEqual([id]);
  });

  it("are fetched where what came with it is another signature of the same transaction", async () => {
    const { clock, first, second } = await createNodes();
    const bytes = signedTransaction();
    const wanted = decoded(bytes);
    second.mempool.add(wanted, 0);
    const altered = new Uint8Array(bytes);
    altered.set([1, 2, 3], altered.length - 3);
    const work = first.fetcher.collect(
      [wanted.id],
      [altered],
      () => ["n1"],
      () => false,
    );
    await clock.runUntil(1_000);
    expect((await work)?.map((one) => one.bytes)).toEqual([bytes]);
  });
});
