import type { FromWorker, Unit } from "../worker-pool.ts";
import { addCrashes, type CrashTally, noCrashes, runPoint } from "./batch.ts";
import type { CrashPoint, CrashScript } from "./script.ts";

/** A process that runs crash points, by their place in the list that comes with each unit. */

/** What a worker is told with each unit. */
export interface CrashWork {
  readonly script: CrashScript;
  readonly points: readonly CrashPoint[];
}

function send(message: FromWorker<CrashTally>, then?: () => void): void {
  process.send?.(message, undefined, undefined, then);
}

async function runUnit({ from, count }: Unit, { script, points }: CrashWork): Promise<void> {
  let tally = noCrashes;
  for (const [at, point] of points.slice(from, from + count).entries()) {
    send({ type: "begun", seed: from + at });
    tally = addCrashes(tally, await runPoint(script, point));
  }
  send({ type: "done", tally });
}

function onCrash(error: unknown): void {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  send({ type: "crash", reason }, () => process.exit(1));
}

process.on("uncaughtException", onCrash);
process.on("unhandledRejection", onCrash);
process.on("message", ({ unit, options }: { unit: Unit; options: CrashWork }) => {
  runUnit(unit, options).catch(onCrash);
});
process.on("disconnect", () => process.exit(0));
