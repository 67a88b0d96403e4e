import { readdirSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { networkPaths } from "@credlink/cli";
import type { Client } from "@credlink/client";
import { STREAM_WORKER_STEPS } from "@credlink/examples";
import { readBlocks } from "../block-reader.ts";
import type { LoadOptions } from "../options.ts";
import {
  measureQueries,
  openAdminClient,
  overGoal,
  type QueryTimes,
  untilIndexed,
} from "../query-measure.ts";
import { openClients } from "../setup.ts";
import { round } from "../statistics.ts";
import { Commits } from "./commits.ts";
import { askHeld, findFrontier } from "./held.ts";
import { setUpInstitutions } from "./institutions.ts";
import { firstPlace } from "./items.ts";
import { Loader, type LoaderCounts, WINDOW } from "./loader.ts";
import { LoadNodes } from "./nodes.ts";
import {
  CHUNK_WORKERS,
  type LoadPlan,
  type LoadSender,
  loadPaths,
  openLoad,
  sendersOf,
  workersFor,
} from "./plan.ts";
import { type AllRuns, appendProgress, sumProgress } from "./progress.ts";
import { createSigningPool } from "./signing-pool.ts";
import { sampleLoad } from "./stock.ts";

/** How often progress is kept, milliseconds: a kill loses no more of the figures. */
const PROGRESS_MS = 1_000;
/** How many lines of progress make one that is told. */
const TOLD_EVERY = 5;
const HOUR_SECONDS = 3_600;
/** The goal that `hoursPerMillion` speaks of. */
const MILLION = 1_000_000;

/** What `bench load` reports; of this run alone, but for `all`. */
export interface LoadReport {
  /** Credentials of workers on chain: those asked for, to whole workers. */
  readonly records: number;
  readonly validators: number;
  readonly height: number;
  /** In a block with SUCCESS in this run. */
  readonly loaded: number;
  readonly seconds: number;
  readonly recordsPerSecond: number;
  /** What a million would take at that rate. */
  readonly hoursPerMillion: number;
  /** Node -> processor time a record. */
  readonly cpuMsPerRecord: Readonly<Record<string, number>>;
  /** Of the generator and its signing threads, a record. */
  readonly generatorCpuMsPerRecord: number;
  /** Node -> bytes on disk, by the records of all runs. */
  readonly bytesPerRecord: Readonly<Record<string, number>>;
  readonly peakMemoryBytes: Readonly<Record<string, number>>;
  /** Times that a node ended and was started again. */
  readonly restarts: number;
  readonly resumed: Pick<LoaderCounts, "found" | "repeated" | "busy"> & {
    /** First chunk that was looked at; those below were whole. */
    readonly fromChunk: number;
  };
  readonly all: AllRuns;
  readonly queries: QueryTimes;
  /** Questions whose p99 is not under 50 ms; empty: the goal is met. */
  readonly overGoal: readonly string[];
}

type Say = (text: string) => void;

/** Loads what the chain lacks of the plan's records, then asks it. */
export async function runLoad(options: LoadOptions, say: Say): Promise<LoadReport> {
  const plan = await openLoad(options.dir, options, say);
  const paths = loadPaths(options.dir);
  const commits = new Commits();
  const nodes = await LoadNodes.start(paths.network, say, () => commits.giveUpAll());
  try {
    const senders = sendersOf(plan);
    say(`${senders.length} institutions and what their business rests on`);
    await setUpInstitutions(nodes, senders);
    const loaded = await load({ options, plan, nodes, commits, senders, say });
    const queries = await ask(options, nodes, senders, say);
    return report({ options, nodes, loaded, queries });
  } finally {
    await nodes.stop();
  }
}

interface Loaded {
  readonly counts: LoaderCounts;
  readonly seconds: number;
  readonly height: number;
  readonly fromChunk: number;
  readonly cpuMs: ReadonlyMap<string, number>;
  readonly generatorCpuMs: number;
}

async function load(run: {
  readonly options: LoadOptions;
  readonly plan: LoadPlan;
  readonly nodes: LoadNodes;
  readonly commits: Commits;
  readonly senders: readonly LoadSender[];
  readonly say: Say;
}): Promise<Loaded> {
  const { options, plan, nodes, commits, senders, say } = run;
  const workers = workersFor(options.records);
  const clients = openClients(nodes.running, nodes.genesis, firstOf(senders).key);
  const client = firstOf(clients);
  const unsure = await findUnsure(client, senders, Math.ceil(workers / CHUNK_WORKERS));
  if (unsure.from > 0) say(`${unsure.from} chunks are whole; the next ones are asked for`);
  const info = await client.info();
  commits.height = info.height;
  const { chainId } = info;
  const setup = { plan, chainId, genesisDigest: client.genesisDigest };
  const signing = createSigningPool(setup, availableParallelism());
  const reader = readBlocks(clients, info.height, (block) => commits.see(block));
  const ready = (): Promise<void> => nodes.ready();
  const loader = new Loader({ clients, commits, signing, ready, workers, unsure });
  const [startMs, startedAt] = [performance.now(), Date.now()];
  const [before, ownBefore] = [nodes.usage(), process.cpuUsage()];
  const cpuMs = (): ReadonlyMap<string, number> =>
    new Map(
      [...nodes.usage()].map(([name, used]) => [name, used.cpuMs - (before.get(name)?.cpuMs ?? 0)]),
    );
  let notes = 0;
  const note = (): void => {
    const seconds = round((performance.now() - startMs) / 1_000);
    const { committed, found } = loader.counts;
    appendProgress(loadPaths(options.dir).progress, {
      ...{ run: startedAt, seconds, records: committed, height: commits.height },
      restarts: nodes.restarts,
      cpuMs: [...cpuMs().values()].reduce((sum, each) => sum + each, 0),
    });
    if (notes++ % TOLD_EVERY !== 0) return;
    const done = unsure.from * CHUNK_WORKERS * STREAM_WORKER_STEPS + found + committed;
    const rate = round(committed / Math.max(1, seconds));
    say(`${seconds} s: ${done} records, block ${commits.height}, ${rate} a second`);
  };
  const timer = setInterval(note, PROGRESS_MS);
  try {
    await loader.run();
  } finally {
    clearInterval(timer);
    note();
    await signing.close();
    await reader.stop();
  }
  const own = process.cpuUsage(ownBefore);
  return {
    counts: loader.counts,
    seconds: (performance.now() - startMs) / 1_000,
    height: commits.height,
    fromChunk: unsure.from,
    cpuMs: cpuMs(),
    generatorCpuMs: (own.user + own.system) / 1_000,
  };
}

/** Chunks that a killed run may have left in part: the chain is asked which were begun. */
async function findUnsure(
  client: Client,
  senders: readonly LoadSender[],
  chunks: number,
): Promise<{ readonly from: number; readonly to: number }> {
  const begun = await findFrontier(chunks, async (chunk) => {
    const [isHeld] = await askHeld(client, [firstPlace(senders, chunk)]);
    return isHeld === true;
  });
  return { from: Math.max(0, begun - WINDOW + 1), to: begun < 0 ? -1 : begun + WINDOW };
}

async function ask(
  options: LoadOptions,
  nodes: LoadNodes,
  senders: readonly LoadSender[],
  say: Say,
): Promise<QueryTimes> {
  // One that was killed as the last record went in is on its way back.
  await nodes.ready();
  const client = await openAdminClient(nodes.running.dir, nodes.running);
  const { height } = await client.info();
  say(`questions to the loaded chain, ${options.samples} samples`);
  const stock = sampleLoad(senders, workersFor(options.records), options.samples, height);
  await untilIndexed(client, stock, say);
  return measureQueries(client, stock);
}

function report(run: {
  readonly options: LoadOptions;
  readonly nodes: LoadNodes;
  readonly loaded: Loaded;
  readonly queries: QueryTimes;
}): LoadReport {
  const { options, nodes, loaded, queries } = run;
  const { committed, found, repeated, busy } = loaded.counts;
  const records = workersFor(options.records) * STREAM_WORKER_STEPS;
  const perRecord = (value: number): number =>
    committed === 0 ? 0 : Math.round((value * 100) / committed) / 100;
  const rate = committed / Math.max(0.001, loaded.seconds);
  const names = nodes.running.nodes.map(({ name }) => name);
  const perNode = (value: (name: string) => number): Record<string, number> =>
    Object.fromEntries(names.map((name) => [name, value(name)]));
  const paths = networkPaths(nodes.running.dir);
  const usage = nodes.usage();
  return {
    records,
    validators: options.validators,
    height: loaded.height,
    loaded: committed,
    seconds: round(loaded.seconds),
    recordsPerSecond: round(rate),
    hoursPerMillion: committed === 0 ? 0 : round(MILLION / rate / HOUR_SECONDS),
    cpuMsPerRecord: perNode((name) => perRecord(loaded.cpuMs.get(name) ?? 0)),
    generatorCpuMsPerRecord: perRecord(loaded.generatorCpuMs),
    bytesPerRecord: perNode((name) => Math.round(sizeOf(paths.data(name)) / records)),
    peakMemoryBytes: perNode((name) => usage.get(name)?.peakMemoryBytes ?? 0),
    restarts: nodes.restarts,
    resumed: { found, repeated, busy, fromChunk: loaded.fromChunk },
    all: sumProgress(loadPaths(options.dir).progress),
    queries,
    overGoal: overGoal(queries),
  };
}

/** Bytes of all files of a folder. */
function sizeOf(dir: string): number {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + fileSize(join(entry.parentPath, entry.name)), 0);
}

/** Zero for a file that the running node just removed. */
function fileSize(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function firstOf<T>(list: readonly T[]): T {
  const [first] = list;
  if (first === undefined) throw new Error("an empty list");
  return first;
}
