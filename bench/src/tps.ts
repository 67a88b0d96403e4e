import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  createNetwork,
  networkPaths,
  planNetwork,
  type RunningNetwork,
  startNetwork,
} from "@credlink/cli";
import { EXPIRY_WINDOW, SUCCESS } from "@credlink/ledger";
import { toHex } from "@credlink/primitives";
import { type BlockReader, readBlocks, type SeenBlock } from "./block-reader.ts";
import { runOpenLoop, type Submitted } from "./load.ts";
import type { TpsOptions } from "./options.ts";
import { type ProcessUsage, readProcessUsage } from "./process-usage.ts";
import { openClients, type Sender, setUpSender } from "./setup.ts";
import { type Prepared, prepareLoad } from "./signing.ts";
import { type Percentiles, percentiles, round } from "./statistics.ts";

/** How long accepted transactions may take after the last was sent, milliseconds. */
const DRAIN_MS = 60_000;

/** What `bench tps` reports. */
export interface TpsReport {
  readonly validators: number;
  readonly kind: string;
  readonly offeredRate: number;
  readonly durationSeconds: number;
  /** Credential transactions with SUCCESS in blocks of a node that did not propose them. */
  readonly committedTps: number;
  readonly submitted: number;
  readonly committed: number;
  readonly rejected: number;
  /** Accepted at a gateway, and in no block by the end of the drain. */
  readonly lost: number;
  /** Code -> how often. */
  readonly rejections: Readonly<Record<string, number>>;
  readonly latencyMs: Percentiles;
  readonly blockIntervalMs: Percentiles;
  readonly blocks: number;
  readonly transactionsPerBlock: Percentiles;
  readonly gasPerTransaction: Percentiles;
  /** Per node. */
  readonly cpuMsPerTransaction: Readonly<Record<string, number>>;
  /** Per node. */
  readonly peakMemoryBytes: Readonly<Record<string, number>>;
}

/** Runs the whole measurement. `say` is told what is going on. */
export async function runTps(options: TpsOptions, say: (text: string) => void): Promise<TpsReport> {
  const temporary =
    options.dir === undefined ? mkdtempSync(join(tmpdir(), "credlink-bench-")) : null;
  const dir = options.dir ?? join(temporary ?? "", "network");
  let running: RunningNetwork | undefined;
  try {
    say(`network of ${options.validators} validators`);
    const plan = planNetwork({ validators: options.validators, chainId: "credlink-bench" });
    await createNetwork(dir, plan, { settings: { log: { level: "warn" } } });
    running = await startNetwork(dir, { onNodeEnd: (name, how) => say(`${name} ended: ${how}`) });
    return await measure(options, dir, running, say);
  } finally {
    await running?.stop();
    if (temporary !== null) rmSync(temporary, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function measure(
  options: TpsOptions,
  dir: string,
  running: RunningNetwork,
  say: (text: string) => void,
): Promise<TpsReport> {
  const genesis = new Uint8Array(readFileSync(networkPaths(dir).genesis));
  say(`${options.senders} institutions, their relation keys and parent credentials`);
  const senders: Sender[] = [];
  for (let index = 0; index < options.senders; index += 1) {
    senders.push(await setUpSender(dir, running, genesis, index));
  }
  const [sender] = senders;
  if (sender === undefined) throw new Error("there are senders");
  const clients = openClients(running, genesis, sender);
  const [first] = clients;
  if (first === undefined) throw new Error("the network has nodes");
  const info = await first.info();
  const count = options.rate * options.duration;
  say(`signing ${count} transactions of ${options.kind}`);
  const prepared = await prepareLoad(
    {
      kind: options.kind,
      senders,
      chainId: info.chainId,
      genesisDigest: first.genesisDigest,
      expiryHeight: info.height + EXPIRY_WINDOW,
      count,
    },
    availableParallelism(),
  );
  say(`load: ${options.rate} a second for ${options.duration} s`);
  const before = usageOf(running);
  const tracker = new Tracker(prepared);
  const reader = readBlocks(clients, info.height, (block) => tracker.see(block));
  const { startMs, results } = await runOpenLoop(clients, prepared, options.rate);
  await drain(tracker, results, reader, say);
  const after = usageOf(running);
  const report = summarise({ options, startMs, results, tracker, before, after });
  if (options.csv !== undefined) writeFileSync(options.csv, toCsv(startMs, results, tracker));
  return report;
}

/** Which transactions of the load were seen in which block. */
class Tracker {
  readonly blocks: SeenBlock[] = [];
  readonly seen = new Map<string, { readonly block: SeenBlock; readonly status: string }>();
  readonly #own: ReadonlySet<string>;

  constructor(prepared: readonly Prepared[]) {
    this.#own = new Set(prepared.map(({ id }) => toHex(id)));
    this.ids = prepared.map(({ id }) => toHex(id));
  }

  readonly ids: readonly string[];

  see(block: SeenBlock): void {
    this.blocks.push(block);
    for (const { id, status } of block.transactions) {
      if (this.#own.has(id)) this.seen.set(id, { block, status });
    }
  }
}

/** Waits until all that was accepted is in a block, or patience ends. */
async function drain(
  tracker: Tracker,
  results: readonly Submitted[],
  reader: BlockReader,
  say: (text: string) => void,
): Promise<void> {
  const accepted = results.filter(({ code }) => code === "ACCEPTED").length;
  say(`${accepted} accepted; waiting for the last of them`);
  const endMs = performance.now() + DRAIN_MS;
  while (tracker.seen.size < accepted && performance.now() < endMs) await delay(50);
  await reader.stop();
}

type Usage = ReadonlyMap<string, ProcessUsage>;

function usageOf(running: RunningNetwork): Usage {
  return new Map(
    running.nodes.flatMap(({ name, pid }) => {
      const usage = readProcessUsage(pid);
      return usage === null ? [] : [[name, usage] as const];
    }),
  );
}

function summarise(run: {
  readonly options: TpsOptions;
  readonly startMs: number;
  readonly results: readonly Submitted[];
  readonly tracker: Tracker;
  readonly before: Usage;
  readonly after: Usage;
}): TpsReport {
  const { options, results, tracker } = run;
  const rejections: Record<string, number> = {};
  const latencies: number[] = [];
  let lastMs = run.startMs;
  let lost = 0;
  for (const [number, { code, intendedMs }] of results.entries()) {
    const found = tracker.seen.get(tracker.ids[number] ?? "");
    const status = found?.status ?? (code === "ACCEPTED" ? "LOST" : code);
    if (status === "LOST") lost += 1;
    else if (found === undefined || status !== SUCCESS) {
      rejections[status] = (rejections[status] ?? 0) + 1;
    } else {
      latencies.push(found.block.seenMs - intendedMs);
      lastMs = Math.max(lastMs, found.block.seenMs);
    }
  }
  const committed = latencies.length;
  const blocks = tracker.blocks.filter((block) => block.transactions.length > 0);
  const perNode = (value: (name: string) => number): Record<string, number> =>
    Object.fromEntries([...run.after.keys()].map((name) => [name, value(name)]));
  const cpu = (name: string): number =>
    (run.after.get(name)?.cpuMs ?? 0) - (run.before.get(name)?.cpuMs ?? 0);
  return {
    validators: options.validators,
    kind: options.kind,
    offeredRate: options.rate,
    durationSeconds: options.duration,
    committedTps: round((committed * 1000) / Math.max(1, lastMs - run.startMs)),
    submitted: results.filter(({ code }) => code === "ACCEPTED").length,
    committed,
    rejected: Object.values(rejections).reduce((sum, each) => sum + each, 0),
    lost,
    rejections,
    latencyMs: percentiles(latencies),
    blockIntervalMs: percentiles(intervalsOf(blocks)),
    blocks: blocks.length,
    transactionsPerBlock: percentiles(blocks.map((block) => block.transactions.length)),
    gasPerTransaction: percentiles(
      blocks.flatMap((block) => block.transactions.map(({ gasUsed }) => gasUsed)),
    ),
    cpuMsPerTransaction: perNode((name) => round(cpu(name) / Math.max(1, committed))),
    peakMemoryBytes: perNode((name) => run.after.get(name)?.peakMemoryBytes ?? 0),
  };
}

function intervalsOf(blocks: readonly SeenBlock[]): readonly number[] {
  return blocks.flatMap((block, index) => {
    const before = blocks[index - 1];
    return before === undefined ? [] : [block.timestampMs - before.timestampMs];
  });
}

/** One line per transaction; times in milliseconds from the start of the load. */
function toCsv(startMs: number, results: readonly Submitted[], tracker: Tracker): string {
  const lines = results.map(({ intendedMs, sentMs, code }, number) => {
    const id = tracker.ids[number] ?? "";
    const found = tracker.seen.get(id);
    return [
      number,
      id,
      round(intendedMs - startMs),
      round(sentMs - startMs),
      found === undefined ? "" : round(found.block.seenMs - startMs),
      found?.block.height ?? "",
      found?.status ?? code,
    ].join(",");
  });
  return ["number,id,intended_ms,sent_ms,committed_ms,height,status", ...lines, ""].join("\n");
}
