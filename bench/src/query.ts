import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createNetwork,
  networkPaths,
  planNetwork,
  type RunningNetwork,
  startNetwork,
} from "@credlink/cli";
import { addressFromPublicKey, generateKeyPair, randomBytes } from "@credlink/crypto";
import type { QueryOptions } from "./options.ts";
import { readProcessUsage } from "./process-usage.ts";
import { measureQueries, openAdminClient, type QueryTimes, untilIndexed } from "./query-measure.ts";
import { loadStock } from "./query-stock.ts";
import { round } from "./statistics.ts";

/** What `bench query` reports; times in milliseconds. */
export interface QueryReport extends QueryTimes {
  readonly records: number;
  readonly height: number;
  readonly loadSeconds: number;
  /** From the node's start until its index has taken up the head. */
  readonly indexSeconds: number;
  readonly nodeMemoryBytes: number;
}

/** Runs the whole measurement. `say` is told what is going on. */
export async function runQuery(
  options: QueryOptions,
  say: (text: string) => void,
): Promise<QueryReport> {
  const temporary =
    options.dir === undefined ? mkdtempSync(join(tmpdir(), "credlink-bench-")) : null;
  const dir = options.dir ?? join(temporary ?? "", "network");
  let running: RunningNetwork | undefined;
  try {
    if (!existsSync(networkPaths(dir).network)) {
      const plan = planNetwork({ validators: 1, consensus: "solo", chainId: "credlink-bench" });
      await createNetwork(dir, plan, { settings: { log: { level: "warn" } } });
    }
    const startMs = performance.now();
    const stock = await loadStock(dir, makeSender(), options, say);
    const loadSeconds = round((performance.now() - startMs) / 1_000);
    const nodeStartMs = performance.now();
    running = await startNetwork(dir, { onNodeEnd: (name, how) => say(`${name} ended: ${how}`) });
    const client = await openAdminClient(dir, running);
    await untilIndexed(client, stock, say);
    const indexSeconds = round((performance.now() - nodeStartMs) / 1_000);
    const usage = readProcessUsage(running.nodes[0]?.pid ?? 0);
    const { pid = 0 } = running.nodes[0] ?? {};
    const measured = await measureQueries(client, stock, () => readProcessUsage(pid)?.cpuMs ?? 0);
    return {
      ...{ records: stock.records, height: stock.height, loadSeconds, indexSeconds },
      nodeMemoryBytes: usage?.peakMemoryBytes ?? 0,
      ...measured,
    };
  } finally {
    await running?.stop();
    if (temporary !== null) rmSync(temporary, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Records of the stock name keys that nobody needs to hold. */
function makeSender() {
  const pairs = [generateKeyPair(), generateKeyPair(), generateKeyPair()] as const;
  const [own, enterprise, worker] = pairs.map((pair) => ({
    ...pair,
    address: addressFromPublicKey(pair.publicKey),
  }));
  if (own === undefined || enterprise === undefined || worker === undefined) {
    throw new Error("three keys");
  }
  return { ...own, enterprise, worker, service: randomBytes(32) };
}
