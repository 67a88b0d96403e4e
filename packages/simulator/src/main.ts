import { parseArgs } from "node:util";
import type { ProfileName } from "./profile.ts";
import { type RunResult, runSeed } from "./run.ts";

/** What `pnpm sim --json` prints: one document and nothing else. */
interface Report {
  readonly seeds: number;
  readonly passed: number;
  readonly failed: readonly { seed: number; reason: string; replay: string }[];
  /** Name -> how many seeds met it at least once. */
  readonly coverage: Readonly<Record<string, number>>;
  /** Blocks committed, all seeds together. */
  readonly heights: number;
  readonly seconds: number;
}

const USAGE = `pnpm sim [--seeds N] [--from S] [--validators n] [--profile protocol|full]
         [--replay SEED] [--json]
  --seeds N       how many seeds to run (default 100)
  --from S        the first seed (default 1)
  --validators n  validators in every run (default: drawn from 1, 4, 5, 7, 10)
  --profile P     protocol: small executor, stand-in signatures (default); full: everything real
  --replay SEED   runs one seed and prints what it met
  --json          prints one JSON document and nothing else
Exit code 0 when every seed passed, 1 when one failed, 2 for wrong arguments.`;

const options = {
  seeds: { type: "string", default: "100" },
  from: { type: "string", default: "1" },
  validators: { type: "string" },
  profile: { type: "string", default: "protocol" },
  replay: { type: "string" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

interface Arguments {
  readonly from: number;
  readonly count: number;
  readonly validators: number | null;
  readonly profile: ProfileName;
  readonly json: boolean;
  readonly isReplay: boolean;
}

function wholeNumber(text: string, name: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) throw new RangeError(`--${name} ${text}`);
  return value;
}

/** @throws RangeError or TypeError for arguments that mean nothing. */
function readArguments(argv: readonly string[]): Arguments | null {
  const { values } = parseArgs({ args: [...argv], options, allowPositionals: false });
  if (values.help) return null;
  const { profile, validators, replay } = values;
  if (profile !== "protocol" && profile !== "full") throw new RangeError(`--profile ${profile}`);
  return {
    from: wholeNumber(replay ?? values.from, replay === undefined ? "from" : "replay", 0),
    count: replay === undefined ? wholeNumber(values.seeds, "seeds", 1) : 1,
    validators: validators === undefined ? null : wholeNumber(validators, "validators", 1),
    profile,
    json: values.json,
    isReplay: replay !== undefined,
  };
}

function replayLine(seed: number, { validators, profile }: Arguments): string {
  const count = validators === null ? "" : ` --validators ${validators}`;
  const name = profile === "protocol" ? "" : ` --profile ${profile}`;
  return `pnpm sim --replay ${seed}${count}${name}`;
}

function describe(result: RunResult): string {
  const { plan, coverage, height, virtualMs, events, traceDigest } = result;
  const traitors = [...plan.byzantine].map(([index, strategy]) => `${index} ${strategy}`);
  const { byzantine: _, ...rest } = plan;
  return JSON.stringify(
    { ...rest, traitors, height, virtualMs, events, traceDigest, coverage },
    null,
    2,
  );
}

async function run(args: Arguments): Promise<Report> {
  const startedMs = performance.now();
  const failed: { seed: number; reason: string; replay: string }[] = [];
  const coverage: Record<string, number> = {};
  let heights = 0;
  for (let seed = args.from; seed < args.from + args.count; seed++) {
    const { profile, validators } = args;
    const result = await runSeed({ seed, profile, validators });
    heights += result.height;
    for (const [name, count] of Object.entries(result.coverage)) {
      coverage[name] = (coverage[name] ?? 0) + (count > 0 ? 1 : 0);
    }
    if (args.isReplay && !args.json) process.stdout.write(`${describe(result)}\n`);
    if (result.ok) continue;
    const replay = replayLine(seed, args);
    failed.push({ seed, reason: result.reason ?? "unknown", replay });
    process.stderr.write(`seed ${seed}: ${result.reason}\n  replay: ${replay}\n`);
    if (args.isReplay) process.stderr.write(`${result.error?.stack}\n`);
  }
  const seconds = (performance.now() - startedMs) / 1_000;
  const passed = args.count - failed.length;
  return { seeds: args.count, passed, failed, coverage, heights, seconds };
}

async function main(): Promise<number> {
  let args: Arguments | null;
  try {
    args = readArguments(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
    return 2;
  }
  if (args === null) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const report = await run(args);
  if (args.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else {
    const { passed, seeds, heights, seconds } = report;
    const rate = (seeds / seconds).toFixed(1);
    process.stdout.write(
      `${passed} of ${seeds} seeds passed, ${heights} blocks, ` +
        `${seconds.toFixed(1)} s (${rate} seeds a second)\n`,
    );
  }
  return report.failed.length === 0 ? 0 : 1;
}

process.exitCode = await main();
