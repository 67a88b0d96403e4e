import { Schedule, sliceSeeds } from "./schedule.ts";
import { currentCommit, readSlice, type Slice, writeSlice } from "./slices.ts";
import { type PoolOptions, runPool, type Unit } from "./worker-pool.ts";

/** Work that several processes share, and that a later run of the same command goes on with. */
export interface SlicedRun<Options, Tally, Asked> {
  /** All of it; the count may be infinite. */
  readonly work: Unit;
  /** How much of it one file holds. */
  readonly sliceSize: number;
  /** Most that a process is given at once. */
  readonly unitSize: number;
  /** Where slices are kept, under which name, and what was asked for; null: nowhere. */
  readonly keep: {
    readonly folder: string;
    readonly name: string;
    readonly options: Asked;
  } | null;
  readonly empty: Tally;
  /** Parts add up to the same whole in any order. */
  readonly add: (a: Tally, b: Tally) => Tally;
  readonly pool: Omit<PoolOptions<Options, Tally>, "next" | "onTally">;
  /** Whether what was run so far is all that is wanted. */
  readonly isEnough?: (total: Tally) => boolean;
  /** Hears of each part, and of the sum of all parts so far. */
  readonly onPart?: (part: Tally, total: Tally) => void;
}

/** What a run came to. */
export interface SlicedResult<Tally, Asked> {
  /** What was run now. */
  readonly ran: Tally;
  /** Slices that were there already and were not run again. */
  readonly kept: readonly Slice<Tally, Asked>[];
}

/** Runs what no slice has yet; a slice is written when its last part is finished. */
export async function runSliced<Options, Tally extends object, Asked>(
  run: SlicedRun<Options, Tally, Asked>,
): Promise<SlicedResult<Tally, Asked>> {
  const { work, sliceSize, unitSize, keep, empty, add, pool, isEnough, onPart } = run;
  const commit = keep === null ? null : currentCommit();
  const kept: Slice<Tally, Asked>[] = [];
  function* wanted(): Generator<Unit> {
    for (const unit of sliceSeeds(work.from, work.count, sliceSize)) {
      const slice = keep && readSlice<Tally, Asked>(keep.folder, keep.name, unit);
      if (slice === null) yield unit;
      else kept.push(slice);
    }
  }
  const schedule = new Schedule(wanted(), unitSize);
  const open = new Map<number, Tally>();
  let ran = empty;
  await runPool({
    ...pool,
    next: () => (isEnough?.(ran) === true ? null : schedule.next()),
    onTally(part, tally) {
      ran = add(ran, tally);
      onPart?.(tally, ran);
      const { from, count } = schedule.sliceOf(part);
      const sum = add(open.get(from) ?? empty, tally);
      open.set(from, sum);
      if (!schedule.finish(part)) return;
      open.delete(from);
      if (keep === null) return;
      const endedAt = new Date().toISOString();
      const about = { from, count, options: keep.options, commit, endedAt };
      writeSlice(keep.folder, keep.name, { ...sum, ...about });
    },
  });
  return { ran, kept };
}

/** Everything that a command asked for: what was run now and what was kept from before. */
export function sumOf<Tally, Asked>(
  { ran, kept }: SlicedResult<Tally, Asked>,
  add: (a: Tally, b: Tally) => Tally,
): Tally {
  return kept.reduce<Tally>(add, ran);
}

/** Says how much of a sum is from earlier runs, and of which commits; empty when nothing is. */
export function keptText(kept: readonly Slice<unknown, unknown>[]): string {
  if (kept.length === 0) return "";
  const commits = new Set(kept.map(({ commit }) => commit?.slice(0, 10) ?? "unknown"));
  return `, ${kept.length} slices of it from earlier runs at ${[...commits].sort().join(", ")}`;
}
