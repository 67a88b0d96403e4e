import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  createNetwork,
  loadNetworkIdentity,
  networkPaths,
  planNetwork,
  type RunningNetwork,
  startNetwork,
} from "@credlink/cli";
import { type Client, createClient, getCredential, tracePage } from "@credlink/client";
import { payloadSchemas, verifyPayload } from "@credlink/contracts";
import { addressFromPublicKey, generateKeyPair, randomBytes } from "@credlink/crypto";
import { toHex } from "@credlink/primitives";
import type { QueryOptions } from "./options.ts";
import { readProcessUsage } from "./process-usage.ts";
import { loadStock, type Stock } from "./query-stock.ts";
import { type Percentiles, percentiles, round } from "./statistics.ts";

/** Depth of the traces. */
const DEPTH = 5;
/** Credentials of a page. */
const LIMIT = 100;

/** What `bench query` reports; times in milliseconds. */
export interface QueryReport {
  readonly records: number;
  readonly height: number;
  readonly loadSeconds: number;
  /** From the node's start until its index has taken up the head. */
  readonly indexSeconds: number;
  readonly nodeMemoryBytes: number;
  /** One record with state proof, over HTTP, proven by the client. */
  readonly getMs: Percentiles;
  /** The same, and every field of a payload against its commitment. */
  readonly verifyMs: Percentiles;
  /** The gateway's answer alone, five levels down from a service contract, and up from a bill. */
  readonly traceDownMs: Percentiles;
  readonly traceUpMs: Percentiles;
  /** The same with every record and edge proven by the client. */
  readonly provenTraceMs: Percentiles;
  /** Credentials of the pages downward. */
  readonly traceSteps: Percentiles;
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
    const client = await openClient(dir, running);
    await untilIndexed(client, stock, say);
    const indexSeconds = round((performance.now() - nodeStartMs) / 1_000);
    const usage = readProcessUsage(running.nodes[0]?.pid ?? 0);
    const measured = await measure(client, stock);
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

async function openClient(dir: string, running: RunningNetwork): Promise<Client> {
  const [node] = running.nodes;
  const [entry] = running.network.nodes;
  if (node === undefined || entry === undefined) throw new Error("the network has a node");
  const identity = await loadNetworkIdentity(dir, running.network, `${entry.organization}/admin`);
  const genesis = new Uint8Array(readFileSync(networkPaths(dir).genesis));
  return createClient({ url: node.rpc, genesis, identity });
}

async function untilIndexed(client: Client, stock: Stock, say: (text: string) => void) {
  const [id] = stock.services;
  if (id === undefined) throw new Error("the stock has samples");
  for (let told = 0; ; ) {
    const asked = { id: toHex(id), limit: 1 };
    const { height } = await client.call("credential.children", asked);
    if (height >= stock.height) return;
    if (height - told > 100) say(`index at block ${height}`);
    if (height - told > 100) told = height;
    await delay(100);
  }
}

/** Each question `samples` times, over credentials all across the stock, in a shuffled order. */
async function measure(client: Client, stock: Stock) {
  const time = async <T>(ask: () => Promise<T>, times: number[]): Promise<T> => {
    const startMs = performance.now();
    const answer = await ask();
    times.push(performance.now() - startMs);
    return answer;
  };
  const sample = { get: [], verify: [], down: [], up: [], proven: [], steps: [] } as Record<
    "get" | "verify" | "down" | "up" | "proven" | "steps",
    number[]
  >;
  for (const { record } of shuffle(stock.files)) {
    const found = await time(() => getCredential(client, record.id), sample.get);
    if (found === null) throw new Error("a credential of the stock is missing");
  }
  for (const file of shuffle(stock.files)) {
    const verdict = await time(async () => {
      const found = await getCredential(client, file.record.id);
      const schema = payloadSchemas["transaction.task"];
      const { commitment } = found?.stored.record ?? file.record;
      return found !== null && verifyPayload(schema, file.payload, file.salts, commitment).ok;
    }, sample.verify);
    if (!verdict) throw new Error("an original is not verified");
  }
  for (const direction of ["down", "up"] as const) {
    for (const id of shuffle(direction === "down" ? stock.services : stock.bills)) {
      const asked = { id: toHex(id), direction, depth: DEPTH, limit: LIMIT };
      const answer = await time(() => client.call("credential.trace", asked), sample[direction]);
      if (direction === "down") sample.steps.push(answer.steps.length);
      const page = await time(
        () => tracePage(client, id, { direction, depth: DEPTH, limit: LIMIT }),
        sample.proven,
      );
      if (page.steps.length !== answer.steps.length) throw new Error("two walks differ");
    }
  }
  return {
    getMs: percentiles(sample.get),
    verifyMs: percentiles(sample.verify),
    traceDownMs: percentiles(sample.down),
    traceUpMs: percentiles(sample.up),
    provenTraceMs: percentiles(sample.proven),
    traceSteps: percentiles(sample.steps),
  };
}

function shuffle<T>(list: readonly T[]): readonly T[] {
  return list
    .map((item) => [Math.random(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}
