import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "@credlink/client";
import type { Prepared } from "./signing.ts";

/** Most transactions in one submission. */
const MAX_BATCH = 128;
/** How often due transactions are gathered, milliseconds. */
const TICK_MS = 20;

/** What a gateway said to one transaction. */
export interface Submitted {
  /** When it was to be sent, on the bench's own monotonic clock. */
  readonly intendedMs: number;
  readonly sentMs: number;
  /** `ACCEPTED`, the gateway's code, or the SDK's. */
  readonly code: string;
}

/**
 * Sends transaction `i` at `i / rate` seconds, whatever became of those before it, round robin
 * over the nodes. Resolves when every submission was answered.
 */
export async function runOpenLoop(
  clients: readonly Client[],
  prepared: readonly Prepared[],
  rate: number,
): Promise<{ readonly startMs: number; readonly results: readonly Submitted[] }> {
  const results: Submitted[] = [];
  const underWay = new Set<Promise<void>>();
  const startMs = performance.now();
  const intended = (number: number): number => startMs + (number * 1000) / rate;
  let next = 0;
  let turn = 0;
  while (next < prepared.length) {
    const nowMs = performance.now();
    const due = Math.min(prepared.length, Math.floor(((nowMs - startMs) * rate) / 1000) + 1);
    while (next < due) {
      const batch = prepared.slice(next, Math.min(due, next + MAX_BATCH));
      const client = clients[turn++ % clients.length];
      if (client === undefined) throw new Error("there are nodes");
      next += batch.length;
      const work = send(client, batch, intended, results).finally(() => underWay.delete(work));
      underWay.add(work);
    }
    await delay(TICK_MS);
  }
  await Promise.all(underWay);
  return { startMs, results };
}

async function send(
  client: Client,
  batch: readonly Prepared[],
  intended: (number: number) => number,
  results: Submitted[],
): Promise<void> {
  const sentMs = performance.now();
  const codes = await submit(client, batch);
  for (const [index, { number }] of batch.entries()) {
    results[number] = { intendedMs: intended(number), sentMs, code: codes[index] ?? "NO_ANSWER" };
  }
}

async function submit(client: Client, batch: readonly Prepared[]): Promise<readonly string[]> {
  try {
    const answers = await client.submitBatch(batch);
    return answers.map((answer) => (answer.ok ? "ACCEPTED" : answer.code));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "UNKNOWN";
    return batch.map(() => code);
  }
}
