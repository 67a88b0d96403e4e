import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { fromHex, toHex } from "@credlink/primitives";
import { createTargets, type Finding, judgeCase, makeCase } from "./campaign.ts";
import type { FuzzCase, Outcome } from "./target.ts";
import type { WorkerTask } from "./worker.ts";

/** Heap that the inputs may take together with everything else, MiB. */
const HEAP_LIMIT_MIB = 512;
/** An input that does not end for so long hangs, milliseconds by the wall clock. */
const HANG_MS = 120_000;
/** Findings after which a run stops: they will be one and the same. */
const MAX_FINDINGS = 50;

export interface RunOptions {
  readonly seed: number;
  /** First execution, for a run that goes on where another ended. */
  readonly from: number;
  readonly executions: number;
  /** Undefined: as long as it takes. */
  readonly seconds: number | undefined;
  /** Folder of findings. */
  readonly findings: string;
}

export interface RunReport {
  readonly seed: number;
  readonly from: number;
  readonly executions: number;
  readonly seconds: number;
  /** `⟨target⟩ ⟨accepted or code⟩` -> how often. */
  readonly results: Readonly<Record<string, number>>;
  /** What was found, and the files that replay it. */
  readonly findings: readonly { readonly file: string; readonly finding: string }[];
}

/** Keeps an input so that `--replay` can judge it again. @returns the file. */
export function saveFinding(folder: string, seed: number, found: Finding): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${found.target}-${seed}-${found.index}.json`);
  const { target, index, finding, parts } = found;
  const text = JSON.stringify({ target, seed, index, finding, parts: parts.map(toHex) }, null, 2);
  writeFileSync(file, `${text}\n`);
  return file;
}

/** Reads an input that was kept. */
export function loadCase(file: string): FuzzCase {
  const { target, parts } = JSON.parse(readFileSync(file, "utf8")) as {
    target: string;
    parts: string[];
  };
  return { target, parts: parts.map(fromHex) };
}

/** Judges a kept input again. */
export async function replay(file: string): Promise<Outcome> {
  return judgeCase(await createTargets(), loadCase(file));
}

type WorkerMessage =
  | ({ readonly type: "finding" } & Finding)
  | { readonly type: "done"; readonly next: number; readonly results: [string, number][] };

interface Slice {
  readonly next: number;
  readonly results: readonly (readonly [string, number])[];
  readonly findings: readonly Finding[];
}

/** Runs one worker to its end, or to the input that it dies of. */
function runWorker(task: Omit<WorkerTask, "progress">): Promise<Slice> {
  const progress = new SharedArrayBuffer(8);
  const index = new Float64Array(progress);
  const worker = new Worker(new URL("./worker.ts", import.meta.url), {
    workerData: { ...task, progress } satisfies WorkerTask,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_LIMIT_MIB },
  });
  const findings: Finding[] = [];
  return new Promise((resolve) => {
    let seen = -1;
    const watch = setInterval(() => {
      if (seen === index[0]) die("hangs");
      seen = index[0] ?? 0;
    }, HANG_MS);
    const finish = (slice: Omit<Slice, "findings">): void => {
      clearInterval(watch);
      void worker.terminate();
      resolve({ ...slice, findings });
    };
    const die = (why: string): void => {
      const at = index[0] ?? task.from;
      findings.push({ target: "unknown", parts: [], index: at, finding: why });
      finish({ next: at + 1, results: [] });
    };
    worker.on("error", (error) => die(String(error)));
    worker.on("message", (message: WorkerMessage) => {
      if (message.type === "done") return finish(message);
      findings.push({ ...message, parts: message.parts.map((part) => Uint8Array.from(part)) });
      if (findings.length >= MAX_FINDINGS) finish({ next: message.index + 1, results: [] });
    });
  });
}

/** An input that killed its worker left no bytes: they are made again from seed and index. */
async function complete(seed: number, found: Finding): Promise<Finding> {
  if (found.target !== "unknown") return found;
  return { ...found, ...(await makeCase(await createTargets(), seed, found.index)) };
}

/** Runs executions in worker threads until their number or the time is up. */
export async function runFuzz(options: RunOptions): Promise<RunReport> {
  const { seed, from, executions, seconds } = options;
  const startedMs = Date.now();
  const untilMs = seconds === undefined ? Infinity : startedMs + seconds * 1_000;
  const results = new Map<string, number>();
  const found: { file: string; finding: string }[] = [];
  let next = from;
  while (next < from + executions && Date.now() < untilMs && found.length < MAX_FINDINGS) {
    const slice = await runWorker({ seed, from: next, to: from + executions, untilMs });
    next = slice.next;
    for (const [name, count] of slice.results) results.set(name, (results.get(name) ?? 0) + count);
    for (const each of slice.findings) {
      const file = saveFinding(options.findings, seed, await complete(seed, each));
      found.push({ file, finding: each.finding });
    }
  }
  return {
    ...{ seed, from, executions: next - from },
    seconds: Math.round((Date.now() - startedMs) / 1_000),
    results: Object.fromEntries([...results].sort(([a], [b]) => (a < b ? -1 : 1))),
    findings: found,
  };
}
