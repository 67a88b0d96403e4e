import type { FromWorker, Unit } from "../worker-pool.ts";
import { addTwins, noTwins, runBatch, type TwinsTally } from "./batch.ts";
import { readTwinsCommand } from "./command-line.ts";

/** A process that runs batches of one command line, by their place in it. */

function send(message: FromWorker<TwinsTally>, then?: () => void): void {
  process.send?.(message, undefined, undefined, then);
}

function onCrash(error: unknown): void {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  send({ type: "crash", reason }, () => process.exit(1));
}

process.on("uncaughtException", onCrash);
process.on("message", ({ unit, options }: { unit: Unit; options: readonly string[] }) => {
  const command = readTwinsCommand(options);
  if (command.type !== "run") throw new RangeError(`a worker does not ${command.type}`);
  let tally = noTwins;
  for (const [at, batch] of command.batches.slice(unit.from, unit.from + unit.count).entries()) {
    send({ type: "begun", seed: unit.from + at });
    tally = addTwins(tally, runBatch(batch));
  }
  send({ type: "done", tally });
});
process.on("disconnect", () => process.exit(0));
