import { countOperations, runCrashPoint } from "./run.ts";
import { type CrashPoint, type CrashScript, crashPoints, pointName } from "./script.ts";

/** A point that broke something, and how to see it again. */
export interface FailedPoint {
  readonly point: string;
  readonly reason: string;
  readonly replay: string;
}

/** What came of some points; parts add up to the same whole in any order. */
export interface CrashTally {
  readonly points: number;
  /** A point that crashes twice takes a run for each second crash. */
  readonly runs: number;
  readonly failed: readonly FailedPoint[];
  /** Kind -> points. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Points in which the victim's replica abstained, as it had to. */
  readonly abstained: number;
  /** Processes that ended themselves on a failed operation and were started again. */
  readonly fatals: number;
  readonly cpuSeconds: number;
}

/** Nothing yet. */
export const noCrashes: CrashTally = {
  points: 0,
  runs: 0,
  failed: [],
  kinds: {},
  abstained: 0,
  fatals: 0,
  cpuSeconds: 0,
};

/** Both together. */
export function addCrashes(a: CrashTally, b: CrashTally): CrashTally {
  const kinds: Record<string, number> = { ...a.kinds };
  for (const [kind, count] of Object.entries(b.kinds)) kinds[kind] = (kinds[kind] ?? 0) + count;
  return {
    points: a.points + b.points,
    runs: a.runs + b.runs,
    failed: [...a.failed, ...b.failed],
    kinds,
    abstained: a.abstained + b.abstained,
    fatals: a.fatals + b.fatals,
    cpuSeconds: a.cpuSeconds + b.cpuSeconds,
  };
}

/** Every point of a script; the same in every process. */
export async function pointsOf(script: CrashScript): Promise<readonly CrashPoint[]> {
  const calm = await countOperations(script, false);
  const replayed = await countOperations(script, true);
  return crashPoints({ calm, replayed });
}

/** A point that failed. */
export function failedPoint(script: CrashScript, point: CrashPoint, reason: string): FailedPoint {
  const name = pointName(point);
  const replay = `pnpm crash-points --heights ${script.heights} --replay "${name}"`;
  return { point: name, reason, replay };
}

/** Runs one point. */
export async function runPoint(script: CrashScript, point: CrashPoint): Promise<CrashTally> {
  const before = process.cpuUsage();
  const { reason, struck, runs, fatals, abstained } = await runCrashPoint(script, point);
  const { user, system } = process.cpuUsage(before);
  const text = reason ?? (struck ? null : "the operation never came");
  return {
    points: 1,
    runs,
    failed: text === null ? [] : [failedPoint(script, point, text)],
    kinds: { [point.kind]: 1 },
    abstained: abstained ? 1 : 0,
    fatals,
    cpuSeconds: (user + system) / 1e6,
  };
}
