import { type Report, runBulk, SEED_SLICES } from "./bulk-run.ts";
import { strategies } from "./byzantine.ts";
import { type Command, readCommand, type SeedOptions, USAGE } from "./command-line.ts";
import { type RunResult, runSeed } from "./run.ts";
import { neglected, WANTED } from "./situations.ts";
import { readSlices } from "./slices.ts";
import { summarize, summaryText } from "./summary.ts";
import { exitCodeOf, type Tally, tallyOf } from "./tally.ts";

/** Time between two lines about progress, milliseconds. */
const PROGRESS_MS = 10_000;

/** Exit code of a bulk run that passed and met too little. */
const NEGLECTED = 5;

function describe(result: RunResult): string {
  const { plan, coverage, height, virtualMs, events, traceDigest } = result;
  const traitors = [...plan.byzantine].map(([index, names]) => `${index} ${names.join(" + ")}`);
  const { byzantine: _, ...rest } = plan;
  return JSON.stringify(
    { ...rest, traitors, height, virtualMs, events, traceDigest, coverage },
    null,
    2,
  );
}

async function replay({ seed, options }: Extract<Command, { type: "replay" }>): Promise<number> {
  const result = await runSeed({ seed, ...options });
  process.stdout.write(`${describe(result)}\n`);
  if (result.error !== null) process.stderr.write(`${result.error.stack}\n`);
  return exitCodeOf(tallyOf(result, 0, options).failed);
}

function resultLine({ passed, seeds, heights, seconds, ...rates }: Report): string {
  return (
    `${passed} of ${seeds} seeds passed, ${heights} blocks, ${seconds.toFixed(1)} s; a core runs ` +
    `${rates.seedsPerCpuSecond.toFixed(1)} seeds, ${rates.heightsPerCpuSecond.toFixed(0)} blocks a second`
  );
}

async function run(command: Extract<Command, { type: "run" }>): Promise<number> {
  let nextMs = performance.now() + PROGRESS_MS;
  const report = await runBulk(command, {
    onFailure: (text) => process.stderr.write(`${text}\n`),
    onProgress({ seeds, failed }: Tally) {
      if (performance.now() < nextMs) return;
      nextMs = performance.now() + PROGRESS_MS;
      process.stderr.write(`${seeds} of ${command.count} seeds, ${failed.length} failed\n`);
    },
  });
  process.stdout.write(`${command.json ? JSON.stringify(report) : resultLine(report)}\n`);
  const code = exitCodeOf(report.failed);
  return code === 0 ? judgeCoverage(command, report) : code;
}

/** Seeds that all passed have shown little where they never met what is rare. */
function judgeCoverage(
  { options }: Extract<Command, { type: "run" }>,
  { coverage, seeds }: Report,
): number {
  // Other validator counts and the full profile do not draw everything.
  if (options.profile !== "protocol" || options.validators !== null) return 0;
  const wanted = [...WANTED, ...strategies.map((name) => `traitor ${name}`)];
  const names = neglected(coverage, seeds, wanted);
  if (names.length === 0) return 0;
  process.stderr.write(`met by fewer than one in a thousand seeds: ${names.join(", ")}\n`);
  return NEGLECTED;
}

async function main(): Promise<number> {
  let command: Command;
  try {
    command = readCommand(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
    return 2;
  }
  switch (command.type) {
    case "help":
      process.stdout.write(`${USAGE}\n`);
      return 0;
    case "replay":
      return await replay(command);
    case "summarize": {
      const rows = summarize(readSlices<Tally, SeedOptions>(command.folder, SEED_SLICES));
      process.stdout.write(`${summaryText(rows)}\n`);
      return exitCodeOf(rows.flatMap(({ failed }) => failed));
    }
    case "run":
      return await run(command);
  }
}

process.exitCode = await main();
