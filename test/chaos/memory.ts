import { readFileSync } from "node:fs";
import type { Violation } from "./chain-record.ts";
import type { Cluster } from "./cluster.ts";

const SAMPLE_MS = 2_000;
/** A process warms up for so long: caches, compiled code, the first garbage collections. */
const WARM_UP_MS = 60_000;
/** Shortest stretch of one process's life that a slope is told from, milliseconds. */
const MIN_STRETCH_MS = 120_000;
/** More than this, over a stretch long enough, is a leak: mebibytes a minute. */
const MAX_SLOPE = 12;
/** No node of such a network needs more, mebibytes. */
const MAX_RESIDENT = 1_024;

interface Sample {
  readonly atMs: number;
  readonly mebibytes: number;
}

/** What a node's processes held in memory. */
export interface MemoryReport {
  readonly maxMebibytes: number;
  /** Of the process that lived longest, after it warmed up; null when none lived long enough. */
  readonly slopeMebibytesPerMinute: number | null;
}

/** Resident memory of a process, mebibytes; null where the machine does not say. */
export function residentMebibytes(pid: number): number | null {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) / 1024;
  } catch {
    return null;
  }
}

/** Least squares of memory over time, mebibytes a minute. */
export function slopePerMinute(samples: readonly Sample[]): number {
  const count = samples.length;
  const meanMs = samples.reduce((sum, { atMs }) => sum + atMs, 0) / count;
  const mean = samples.reduce((sum, { mebibytes }) => sum + mebibytes, 0) / count;
  let above = 0;
  let below = 0;
  for (const { atMs, mebibytes } of samples) {
    above += (atMs - meanMs) * (mebibytes - mean);
    below += (atMs - meanMs) ** 2;
  }
  return below === 0 ? 0 : (above / below) * 60_000;
}

/** Samples the resident memory of a cluster's processes. */
export class MemoryWatch {
  /** `node pid` -> samples. */
  readonly #samples = new Map<string, Sample[]>();
  readonly #timer: NodeJS.Timeout;

  constructor(cluster: Cluster) {
    const sample = (): void => {
      for (const name of cluster.names) {
        const pid = cluster.pid(name);
        const mebibytes = pid === null ? null : residentMebibytes(pid);
        if (mebibytes === null) continue;
        const key = `${name} ${pid}`;
        const known = this.#samples.get(key) ?? [];
        known.push({ atMs: performance.now(), mebibytes });
        this.#samples.set(key, known);
      }
    };
    sample();
    this.#timer = setInterval(sample, SAMPLE_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  report(name: string): MemoryReport {
    const lives = [...this.#samples]
      .filter(([key]) => key.startsWith(`${name} `))
      .map(([, samples]) => samples);
    const all = lives.flat().map(({ mebibytes }) => mebibytes);
    const warm = lives
      .map((samples) => {
        const since = (samples[0]?.atMs ?? 0) + WARM_UP_MS;
        return samples.filter(({ atMs }) => atMs >= since);
      })
      .filter((samples) => spanOf(samples) >= MIN_STRETCH_MS)
      .sort((a, b) => spanOf(b) - spanOf(a));
    const [longest] = warm;
    return {
      maxMebibytes: Math.round(Math.max(0, ...all)),
      slopeMebibytesPerMinute:
        longest === undefined ? null : Math.round(slopePerMinute(longest) * 10) / 10,
    };
  }
}

function spanOf(samples: readonly Sample[]): number {
  return (samples.at(-1)?.atMs ?? 0) - (samples[0]?.atMs ?? 0);
}

/** What a node's memory may not do. */
export function judgeMemory(name: string, report: MemoryReport): readonly Violation[] {
  const { maxMebibytes, slopeMebibytesPerMinute: slope } = report;
  const found: Violation[] = [];
  if (maxMebibytes > MAX_RESIDENT) {
    found.push({ rule: "memory", detail: `${name} held ${maxMebibytes} MiB` });
  }
  if (slope !== null && slope > MAX_SLOPE) {
    found.push({ rule: "memory", detail: `${name} grew by ${slope} MiB a minute` });
  }
  return found;
}
