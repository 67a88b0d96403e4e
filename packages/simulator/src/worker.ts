import type { SeedOptions } from "./command-line.ts";
import { runSeed } from "./run.ts";
import { addTallies, emptyTally, type Tally, tallyOf } from "./tally.ts";
import type { FromWorker, Unit } from "./worker-pool.ts";

/** A process that runs the units of seeds it is sent, one after another. */

function send(message: FromWorker<Tally>, then?: () => void): void {
  process.send?.(message, undefined, undefined, then);
}

async function runUnit({ from, count }: Unit, options: SeedOptions): Promise<void> {
  let tally = emptyTally();
  for (let seed = from; seed < from + count; seed++) {
    send({ type: "begun", seed });
    const before = process.cpuUsage();
    const result = await runSeed({ seed, ...options });
    const { user, system } = process.cpuUsage(before);
    tally = addTallies(tally, tallyOf(result, (user + system) / 1e6, options));
  }
  send({ type: "done", tally });
}

/** A seed must not end the others: the pool counts it as crashed and goes on around it. */
function onCrash(error: unknown): void {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  send({ type: "crash", reason }, () => process.exit(1));
}

process.on("uncaughtException", onCrash);
process.on("unhandledRejection", onCrash);
process.on("message", ({ unit, options }: { unit: Unit; options: SeedOptions }) => {
  runUnit(unit, options).catch(onCrash);
});
process.on("disconnect", () => process.exit(0));
