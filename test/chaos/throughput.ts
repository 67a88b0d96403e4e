import { availableParallelism } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "@credlink/client";
import { EXPIRY_WINDOW } from "@credlink/ledger";
import { runOpenLoop } from "../../bench/src/load.ts";
import { prepareLoad } from "../../bench/src/signing.ts";
import { round } from "../../bench/src/statistics.ts";
import type { Session } from "./session.ts";

/** Load before counting begins: queues fill, code is compiled, milliseconds. */
const WARM_UP_MS = 4_000;

/** What a network took in a stretch of time. */
export interface Throughput {
  /** Transactions a second in blocks that were first seen in that time. */
  readonly committedTps: number;
  readonly blocks: number;
  readonly seconds: number;
}

/**
 * Offers more than the network takes, to the nodes given, and counts what comes out in blocks while
 * `countMs` pass. Transactions are signed before, so that signing does not compete with the nodes.
 */
export async function measureThroughput(
  { watch, record, sender }: Session,
  options: {
    readonly nodes: readonly string[];
    /** Transactions a second that are offered. */
    readonly rate: number;
    readonly countMs: number;
  },
): Promise<Throughput> {
  const clients: readonly Client[] = options.nodes.map((name) => watch.client(name));
  const [first] = clients;
  if (first === undefined) throw new Error("load needs a node");
  const count = Math.ceil((options.rate * (WARM_UP_MS + options.countMs)) / 1000);
  const prepared = await prepareLoad(
    {
      kind: "bill.insurance",
      senders: [sender],
      chainId: first.genesis.chainId,
      genesisDigest: first.genesisDigest,
      expiryHeight: record.height + EXPIRY_WINDOW - 100,
      count,
    },
    availableParallelism(),
  );
  const loop = runOpenLoop(clients, prepared, options.rate);
  await delay(WARM_UP_MS);
  const startMs = performance.now();
  await delay(options.countMs);
  const endMs = performance.now();
  const seen = record.blocks.filter(({ height }) => {
    const atMs = watch.seenMs.get(height) ?? 0;
    return atMs > startMs && atMs <= endMs;
  });
  const transactions = seen.reduce((sum, block) => sum + block.transactions.length, 0);
  const seconds = (endMs - startMs) / 1000;
  await loop;
  await untilDrained({ watch, record });
  return {
    committedTps: round(transactions / seconds),
    blocks: seen.length,
    seconds: round(seconds),
  };
}

/** Waits until the pools are empty: what is left over must not count for the next measurement. */
async function untilDrained({ watch, record }: Pick<Session, "watch" | "record">): Promise<void> {
  let height = -1;
  for (let second = 0; second < 60; second += 1) {
    if (record.height === height && second > 3) return;
    height = record.height;
    await delay(1_500);
  }
  throw new Error(`the network did not come to rest: ${[...watch.clients.keys()].join(", ")}`);
}
