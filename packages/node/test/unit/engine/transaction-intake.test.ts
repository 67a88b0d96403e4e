import { createMemoryStore } from "@credlink/ledger";
import { accept, encode, type Network, noLogger } from "@credlink/primitives";
import { createSimulatedClock } from "@credlink/testkit";
import { describe, expect, it } from "vitest";
import { createMempool } from "../../../src/engine/mempool.ts";
import { createInstruments } from "../../../src/engine/metrics.ts";
import { createPeerBudget } from "../../../src/engine/peer-budget.ts";
import { pushCodec } from "../../../src/engine/protocols.ts";
import {
  createTransactionIntake,
  type IntakeComponents,
} from "../../../src/engine/transaction-intake.ts";
import { createRecordingMetrics } from "../../support/recording.ts";
import { createSilentNetwork } from "../../support/silent-network.ts";
import { commitNext, openStorageChain, storageTransactions } from "../../support/storage-chain.ts";

it("a verification that ends after stop is refused and reads no ledger", async () => {
  const [transaction] = storageTransactions(1, 1);
  const ledger = await openStorageChain(createMemoryStore());
  const verified = Promise.withResolvers<readonly boolean[]>();
  let reads = 0;
  // Only what submitting touches.
  const parts = {
    ledger: {
      head: ledger.head,
      judge: () => accept({ claims: [] }),
      judgeCall: () => null,
      place: () => {
        reads++;
        throw new Error("the database is closed");
      },
    },
    mempool: { probe: () => null },
    clock: { nowMs: () => 0 },
    logger: noLogger,
    instruments: { transactionsRefused: { add: () => undefined } },
    signatures: { verify: () => verified.promise },
  } as unknown as IntakeComponents;
  const intake = createTransactionIntake(parts);
  const bytes = transaction?.bytes ?? new Uint8Array(0);
  const result = intake.submit(bytes);
  intake.stop();
  verified.resolve([]);
  expect(await result).toMatchObject({ ok: false, code: "NODE_ENGINE_STOPPED" });
  expect(await intake.submit(bytes)).toMatchObject({ code: "NODE_ENGINE_STOPPED" });
  expect(reads).toBe(0);
});

/** A node with an empty pool, what peers push to it, and what it pushes to all. */
async function openIntake() {
  const ledger = await openStorageChain(createMemoryStore());
  const clock = createSimulatedClock();
  const mempool = createMempool({ maxTransactions: 100, maxBytes: 100_000, maxPerSender: 100 });
  const pushed: Uint8Array[] = [];
  let receive: Parameters<Network["onMessage"]>[2] = () => undefined;
  const network: Network = {
    ...createSilentNetwork("n0", () => undefined),
    onMessage: (_protocol, _limits, handler) => {
      receive = handler;
    },
  };
  const intake = createTransactionIntake({
    ledger,
    mempool,
    network,
    clock,
    logger: noLogger,
    instruments: createInstruments(createRecordingMetrics()),
    signatures: {
      verify: async (claims) => claims.map(() => true),
      verifyUrgently: async (claims) => claims.map(() => true),
    },
    pusher: { push: (bytes) => pushed.push(bytes), pushAgain: () => undefined },
    budget: createPeerBudget(network, clock, noLogger),
    onAdded: () => undefined,
  });
  intake.serve();
  const peer = { id: "n1", organization: "o", role: "validator", provisional: false };
  return {
    ...{ ledger, clock, mempool, intake, pushed },
    hear: async (count: number) => {
      const heard = storageTransactions(1, count);
      receive(
        peer,
        encode(
          pushCodec,
          heard.map(({ bytes }) => bytes),
        ),
      );
      await clock.runUntil(clock.monotonicMs());
      return heard;
    },
  };
}

describe("a transaction that a peer pushed", () => {
  it("is pushed to all after 150 ms without a block, once", async () => {
    const { clock, mempool, pushed, hear } = await openIntake();
    const [only] = await hear(1);
    expect(mempool.size).toBe(1);
    await clock.runUntil(149);
    expect(pushed).toEqual([]);
    await clock.runUntil(150);
    expect(pushed).toEqual([only?.bytes]);
    await clock.runUntil(10_000);
    expect(pushed).toHaveLength(1);
  });

  it("is not, once a block came, or the node stopped", async () => {
    const committed = await openIntake();
    await committed.hear(1);
    await commitNext(committed.ledger, storageTransactions(2, 1));
    const stopped = await openIntake();
    await stopped.hear(1);
    stopped.intake.stop();
    for (const { clock, pushed } of [committed, stopped]) {
      await clock.runUntil(1_000);
      expect(pushed).toEqual([]);
    }
  });

  it("is not where more than sixteen wait: everybody has work", async () => {
    const sixteen = await openIntake();
    await sixteen.hear(16);
    const more = await openIntake();
    await more.hear(17);
    for (const { clock } of [sixteen, more]) await clock.runUntil(1_000);
    expect(sixteen.pushed).toHaveLength(16);
    // Those verified in one batch are counted together.
    expect(more.pushed).toEqual([]);
  });
});
