import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** What one process runs in a row: `from`, `from` + 1 and so on; for `pnpm sim` these are seeds. */
export interface Unit {
  readonly from: number;
  readonly count: number;
}

/** What a worker says. */
export type FromWorker<Tally> =
  | { readonly type: "begun"; readonly seed: number }
  | { readonly type: "crash"; readonly reason: string }
  | { readonly type: "done"; readonly tally: Tally };

/** What a pool runs, and who hears of it. */
export interface PoolOptions<Options, Tally> {
  readonly workers: number;
  /** Handed to every process with each of its units. */
  readonly options: Options;
  /** The next unit; null when there is none or no more is wanted. */
  readonly next: () => Unit | null;
  /** A unit, or a part of one whose process ended under a seed. Parts cover the unit in the end. */
  readonly onTally: (part: Unit, tally: Tally) => void;
  /** What is counted for a seed under which its process ended. */
  readonly onCrash: (seed: number, reason: string) => Tally;
  /** Module of the processes. */
  readonly worker: string;
}

/** The module that runs seeds. */
export const SEED_WORKER = fileURLToPath(new URL("./worker.ts", import.meta.url));

/** Runs all units over several processes; a process that ends is replaced. */
export async function runPool<Options, Tally>(pool: PoolOptions<Options, Tally>): Promise<void> {
  /** Seeds around one that ended a process. */
  const left: Unit[] = [];
  const next = (): Unit | null => left.pop() ?? pool.next();
  await Promise.all(
    Array.from({ length: pool.workers }, async () => {
      for (let unit = next(); unit !== null; unit = next()) {
        left.push(...(await runWorker(unit, pool, next)));
      }
    }),
  );
}

/**
 * One process from its first unit on, until there are no more units or it ends by itself.
 * Resolves with what is left of its last unit.
 */
function runWorker<Options, Tally>(
  first: Unit,
  { options, onTally, onCrash, worker }: PoolOptions<Options, Tally>,
  next: () => Unit | null,
): Promise<readonly Unit[]> {
  const child: ChildProcess = fork(worker, { serialization: "advanced" });
  let unit: Unit | null = first;
  let seed = first.from;
  let reason: string | null = null;
  const give = (): void => {
    if (unit === null) child.disconnect();
    else child.send({ unit, options });
  };
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("message", (message: FromWorker<Tally>) => {
      if (message.type === "begun") seed = message.seed;
      else if (message.type === "crash") reason = message.reason;
      else if (unit !== null) {
        onTally(unit, message.tally);
        unit = next();
        seed = unit?.from ?? seed;
        give();
      }
    });
    child.on("exit", (code, signal) => {
      if (unit === null) return resolve([]);
      const text = reason ?? `the process ended (${signal ?? code})`;
      onTally({ from: seed, count: 1 }, onCrash(seed, text));
      resolve(around(unit, seed));
    });
    give();
  });
}

/** The seeds of a unit before and behind one of them. */
function around({ from, count }: Unit, seed: number): readonly Unit[] {
  const parts: readonly Unit[] = [
    { from, count: seed - from },
    { from: seed + 1, count: from + count - seed - 1 },
  ];
  return parts.filter((part) => part.count > 0);
}
