import type { FailureKind } from "./checker-errors.ts";
import { replayLine, type SeedOptions } from "./command-line.ts";
import type { RunResult } from "./run.ts";

/** A seed that failed, and how to see it again. */
export interface FailedSeed {
  readonly seed: number;
  readonly kind: FailureKind;
  readonly reason: string;
  readonly replay: string;
}

/** What came of some seeds; sums, so that parts add up to the same whole in any order. */
export interface Tally {
  seeds: number;
  passed: number;
  /** Ascending by seed. */
  failed: readonly FailedSeed[];
  /** Name -> how many seeds met it at least once. */
  coverage: Readonly<Record<string, number>>;
  /** Blocks committed, all seeds together. */
  heights: number;
  /** Virtual time, all seeds together, seconds. */
  virtualSeconds: number;
  /** Processor time of the runs, seconds. */
  cpuSeconds: number;
  /** The seeds' trace digests put together; equal when every trace is. */
  traceDigest: string;
}

/** Nothing yet. */
export function emptyTally(): Tally {
  return {
    seeds: 0,
    passed: 0,
    failed: [],
    coverage: {},
    heights: 0,
    virtualSeconds: 0,
    cpuSeconds: 0,
    traceDigest: "0".repeat(16),
  };
}

/** One seed's result. */
export function tallyOf(result: RunResult, cpuSeconds: number, options: SeedOptions): Tally {
  const { seed, kind, reason } = result;
  const failed =
    kind === null
      ? []
      : [{ seed, kind, reason: reason ?? kind, replay: replayLine(seed, options) }];
  const met = Object.entries(result.coverage).map(([name, n]) => [name, n > 0 ? 1 : 0] as const);
  return {
    seeds: 1,
    passed: kind === null ? 1 : 0,
    failed,
    coverage: Object.fromEntries(met),
    heights: result.height,
    virtualSeconds: result.virtualMs / 1_000,
    cpuSeconds,
    // Multiplied by an odd number that the seed gives, so that exchanged traces do not cancel out.
    traceDigest: hexOf(BigInt(`0x${result.traceDigest}`) * (2n * BigInt(seed) + 1n)),
  };
}

/** A seed whose process ended under it. */
export function tallyOfCrash(seed: number, reason: string, options: SeedOptions): Tally {
  const failed = [{ seed, kind: "crash", reason, replay: replayLine(seed, options) }] as const;
  return { ...emptyTally(), seeds: 1, failed };
}

/** Both together. */
export function addTallies(a: Tally, b: Tally): Tally {
  const coverage: Record<string, number> = { ...a.coverage };
  for (const [name, count] of Object.entries(b.coverage)) {
    coverage[name] = (coverage[name] ?? 0) + count;
  }
  return {
    seeds: a.seeds + b.seeds,
    passed: a.passed + b.passed,
    failed: [...a.failed, ...b.failed].sort((x, y) => x.seed - y.seed),
    coverage,
    heights: a.heights + b.heights,
    virtualSeconds: a.virtualSeconds + b.virtualSeconds,
    cpuSeconds: a.cpuSeconds + b.cpuSeconds,
    traceDigest: hexOf(BigInt(`0x${a.traceDigest}`) + BigInt(`0x${b.traceDigest}`)),
  };
}

function hexOf(value: bigint): string {
  return BigInt.asUintN(64, value).toString(16).padStart(16, "0");
}

/** The gravest first. */
const EXIT_CODES: readonly (readonly [FailureKind, number])[] = [
  ["safety", 1],
  ["crash", 3],
  ["liveness", 4],
];

/** The exit code that failures ask for. */
export function exitCodeOf(failed: readonly FailedSeed[]): number {
  const found = EXIT_CODES.find(([kind]) => failed.some((one) => one.kind === kind));
  return found?.[1] ?? 0;
}
