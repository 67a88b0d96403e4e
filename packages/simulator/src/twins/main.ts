import { fileURLToPath } from "node:url";
import { keptText, runSliced, sumOf } from "../sliced-run.ts";
import type { Slice } from "../slices.ts";
import { addTwins, noTwins, type TwinsTally, twinsCrash } from "./batch.ts";
import { readTwinsCommand, TWINS_USAGE, type TwinsCommand } from "./command-line.ts";
import { runScenario } from "./run.ts";
import { viewChoices } from "./scenario.ts";

/** Batches in one slice. */
const SLICE_BATCHES = 4;

/** What `pnpm twins --json` prints. */
interface Report extends TwinsTally {
  /** Slices of earlier runs; what they hold is counted above. */
  readonly keptSlices: number;
  /** Wall time. */
  readonly seconds: number;
  readonly runsPerCpuSecond: number;
}

interface Finished {
  readonly report: Report;
  readonly kept: readonly Slice<TwinsTally, string>[];
}

function replay({ shape, scenario, mode }: Extract<TwinsCommand, { type: "replay" }>): number {
  const choices = viewChoices(shape);
  const script = scenario.map((digit) => choices[digit]);
  const result = runScenario(shape, choices, scenario, mode);
  process.stdout.write(`${JSON.stringify({ shape, script, result }, null, 2)}\n`);
  return result.reason === null ? 0 : 1;
}

/** Batches are handed out one by one; a worker finds them in the same arguments. */
async function run(command: Extract<TwinsCommand, { type: "run" }>): Promise<Finished> {
  const { batches, workers, name, slices: folder } = command;
  const startedMs = performance.now();
  const result = await runSliced<readonly string[], TwinsTally, string>({
    work: { from: 0, count: batches.length },
    sliceSize: SLICE_BATCHES,
    unitSize: 1,
    keep: folder === null ? null : { folder, name, options: name },
    empty: noTwins,
    add: addTwins,
    pool: {
      workers: Math.min(workers, batches.length),
      options: process.argv.slice(2),
      worker: fileURLToPath(new URL("./worker.ts", import.meta.url)),
      onCrash(at, reason) {
        const batch = batches[at];
        return batch === undefined ? noTwins : twinsCrash(batch, reason);
      },
    },
  });
  const total = sumOf(result, addTwins);
  const report = {
    ...total,
    keptSlices: result.kept.length,
    seconds: (performance.now() - startedMs) / 1_000,
    runsPerCpuSecond: total.runs / total.cpuSeconds,
  };
  return { report, kept: result.kept };
}

async function main(): Promise<number> {
  let command: TwinsCommand;
  try {
    command = readTwinsCommand(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(
      `${error instanceof Error ? error.message : String(error)}\n${TWINS_USAGE}\n`,
    );
    return 2;
  }
  if (command.type === "help") {
    process.stdout.write(`${TWINS_USAGE}\n`);
    return 0;
  }
  if (command.type === "replay") return replay(command);
  const { report, kept } = await run(command);
  const { scenarios, failures, failed, runs, seconds, runsPerCpuSecond } = report;
  for (const { id, reason, replay: line } of failed) {
    process.stderr.write(`${id}: ${reason}\n  replay: ${line}\n`);
  }
  process.stdout.write(
    command.json
      ? `${JSON.stringify(report)}\n`
      : `${scenarios - failures} of ${scenarios} scenarios hold (${runs} runs that differ), ` +
          `${seconds.toFixed(1)} s; a core runs ${runsPerCpuSecond.toFixed(0)} a second${keptText(kept)}\n`,
  );
  return failures === 0 ? 0 : 1;
}

process.exitCode = await main();
