import type { Command, SeedOptions } from "./command-line.ts";
import type { ProfileName } from "./profile.ts";
import { runSliced } from "./sliced-run.ts";
import { addTallies, emptyTally, type Tally, tallyOfCrash } from "./tally.ts";
import { SEED_WORKER } from "./worker-pool.ts";

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

/** Seeds in one slice; the first slice begins at the first seed asked for. */
const SLICE_SEEDS = 1_000;

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

/** First words of the names of slices that hold seeds. */
export const SEED_SLICES: readonly ProfileName[] = ["protocol", "ledger", "full"];

/** What the files of slices with these options are called. */
export function seedSliceName({ profile, validators, heights }: SeedOptions): string {
  return `${profile}-n${validators ?? "any"}-h${heights ?? "any"}`;
}

/** Runs the seeds of a command over its workers. */
export async function runBulk(command: RunCommand, progress: Progress): Promise<Report> {
  const { from, count, workers, slices: folder, options } = command;
  const startedMs = performance.now();
  const { ran, kept } = await runSliced<SeedOptions, Tally, SeedOptions>({
    work: { from, count },
    sliceSize: SLICE_SEEDS,
    unitSize: unitSeeds({ count, workers, profile: options.profile }),
    keep: folder === null ? null : { folder, name: seedSliceName(options), options },
    empty: emptyTally(),
    add: addTallies,
    pool: {
      workers: Math.min(workers, count),
      options,
      worker: SEED_WORKER,
      onCrash: (seed, reason) => tallyOfCrash(seed, reason, options),
    },
    isEnough: ({ failed }) => command.untilFailure && failed.length > 0,
    onPart({ failed }, total) {
      for (const { seed, reason, replay } of failed) {
        progress.onFailure(`seed ${seed}: ${reason}\n  replay: ${replay}`);
      }
      progress.onProgress(total);
    },
  });
  return {
    ...ran,
    skippedSlices: kept.length,
    workers,
    seconds: (performance.now() - startedMs) / 1_000,
    seedsPerCpuSecond: ran.seeds / ran.cpuSeconds,
    heightsPerCpuSecond: ran.heights / ran.cpuSeconds,
  };
}
