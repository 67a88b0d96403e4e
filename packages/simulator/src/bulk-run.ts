import type { Command } from "./command-line.ts";
import { Schedule, sliceSeeds } from "./schedule.ts";
import { currentCommit, hasSlice, SLICE_SEEDS, writeSlice } from "./slices.ts";
import { addTallies, emptyTally, type Tally, tallyOfCrash } from "./tally.ts";
import { runPool, SEED_WORKER, type Unit } from "./worker-pool.ts";

type RunCommand = Extract<Command, { readonly type: "run" }>;

/** What `pnpm sim --json` prints. */
export interface Report extends Tally {
  /** Slices that were there already and were not run again. */
  readonly skippedSlices: number;
  readonly workers: number;
  /** Wall time. */
  readonly seconds: number;
  readonly seedsPerCpuSecond: number;
  readonly heightsPerCpuSecond: number;
}

/** Hears of progress, for the terminal. */
export interface Progress {
  readonly onFailure: (text: string) => void;
  readonly onProgress: (total: Tally) => void;
}

/** Most seeds that a process is given at once: the last ones should end together. */
const MAX_UNIT_SEEDS = 50;

function unitSeeds({
  count,
  workers,
  profile,
}: {
  count: number;
  workers: number;
  profile: string;
}) {
  const fair = Math.ceil(count / (4 * workers));
  return Math.max(1, Math.min(profile === "full" ? 10 : MAX_UNIT_SEEDS, fair));
}

/** Runs the seeds of a command over its workers. */
export async function runBulk(command: RunCommand, progress: Progress): Promise<Report> {
  const { from, count, workers, slices: folder, options } = command;
  const startedMs = performance.now();
  const commit = folder === null ? null : currentCommit();
  let skippedSlices = 0;
  function* wanted(): Generator<Unit> {
    for (const slice of sliceSeeds(from, count, SLICE_SEEDS)) {
      if (folder === null || !hasSlice(folder, options, slice.from, slice.count)) yield slice;
      else skippedSlices++;
    }
  }
  const schedule = new Schedule(wanted(), unitSeeds({ count, workers, profile: options.profile }));
  const tallies = new Map<number, Tally>();
  let total = emptyTally();
  await runPool({
    workers: Math.min(workers, count),
    options,
    next: () => (command.untilFailure && total.failed.length > 0 ? null : schedule.next()),
    worker: SEED_WORKER,
    onCrash: (seed, reason) => tallyOfCrash(seed, reason, options),
    onTally(part, tally: Tally) {
      total = addTallies(total, tally);
      for (const { seed, reason, replay } of tally.failed) {
        progress.onFailure(`seed ${seed}: ${reason}\n  replay: ${replay}`);
      }
      progress.onProgress(total);
      const slice = schedule.sliceOf(part);
      const sum = addTallies(tallies.get(slice.from) ?? emptyTally(), tally);
      tallies.set(slice.from, sum);
      if (!schedule.finish(part)) return;
      tallies.delete(slice.from);
      if (folder === null) return;
      const endedAt = new Date().toISOString();
      writeSlice(folder, { from: slice.from, options, commit, endedAt, ...sum });
    },
  });
  return {
    ...total,
    skippedSlices,
    workers,
    seconds: (performance.now() - startedMs) / 1_000,
    seedsPerCpuSecond: total.seeds / total.cpuSeconds,
    heightsPerCpuSecond: total.heights / total.cpuSeconds,
  };
}
