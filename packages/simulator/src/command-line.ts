import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import type { ProfileName } from "./profile.ts";

/** What decides a seed's run besides the seed: equal for all seeds of a command. */
export interface SeedOptions {
  readonly profile: ProfileName;
  /** Null: drawn by the seed. */
  readonly validators: number | null;
  /** Null: drawn by the seed. */
  readonly heights: number | null;
}

/** One command of `pnpm sim`. */
export type Command =
  | { readonly type: "help" }
  | { readonly type: "replay"; readonly seed: number; readonly options: SeedOptions }
  | { readonly type: "summarize"; readonly folder: string }
  | {
      readonly type: "run";
      readonly from: number;
      /** Infinity with `--until-failure` and no `--seeds`. */
      readonly count: number;
      readonly untilFailure: boolean;
      readonly workers: number;
      /** Where slices are kept; null: nowhere. */
      readonly slices: string | null;
      readonly json: boolean;
      readonly options: SeedOptions;
    };

/** What `pnpm sim --help` prints. */
export const USAGE = `pnpm sim [--seeds N] [--from S] [--validators n] [--profile protocol|ledger|full]
         [--heights N] [--workers N] [--slices DIR] [--until-failure] [--json]
pnpm sim --replay SEED [--validators n] [--profile P] [--heights N]
pnpm sim --summarize DIR
  --seeds N         how many seeds to run (default 100)
  --from S          the first seed (default 1)
  --validators n    validators in every run (default: drawn from 1, 4, 5, 7, 10)
  --profile P       protocol: a hash chain for a ledger, stand-in digests and signatures (default);
                    ledger: the real ledger over the same; full: everything real
  --heights N       blocks in every run, at least 11 (default: drawn from 20 to 60)
  --workers N       processes that share the seeds (default: one a core)
  --slices DIR      keeps one file for every 1,000 seeds in DIR and skips those that are there
  --until-failure   stops at the first seed that fails; without --seeds it goes on until then
  --replay SEED     runs one seed and prints what it met
  --summarize DIR   adds up the slices in DIR
  --json            prints one JSON document and nothing else
Exit code 0 when every seed passed, 2 for wrong arguments; when seeds failed 1 if one of them broke
safety, else 3 if one crashed, else 4: the chain did not go on.`;

const flags = {
  seeds: { type: "string" },
  from: { type: "string", default: "1" },
  validators: { type: "string" },
  profile: { type: "string", default: "protocol" },
  heights: { type: "string" },
  workers: { type: "string" },
  slices: { type: "string" },
  "until-failure": { type: "boolean", default: false },
  replay: { type: "string" },
  summarize: { type: "string" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

const DEFAULT_SEEDS = 100;
/** Ten blocks must follow once everything is healed, and one comes before. */
const LEAST_HEIGHTS = 11;

function wholeNumber(text: string, name: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) throw new RangeError(`--${name} ${text}`);
  return value;
}

function optionalNumber(text: string | undefined, name: string, least: number): number | null {
  return text === undefined ? null : wholeNumber(text, name, least);
}

/** Reads the arguments. @throws RangeError or TypeError for arguments that mean nothing. */
export function readCommand(argv: readonly string[]): Command {
  const { values } = parseArgs({ args: [...argv], options: flags, allowPositionals: false });
  if (values.help) return { type: "help" };
  if (values.summarize !== undefined) return { type: "summarize", folder: values.summarize };
  const { profile } = values;
  if (profile !== "protocol" && profile !== "ledger" && profile !== "full") {
    throw new RangeError(`--profile ${profile}`);
  }
  const options: SeedOptions = {
    profile,
    validators: optionalNumber(values.validators, "validators", 1),
    heights: optionalNumber(values.heights, "heights", LEAST_HEIGHTS),
  };
  if (values.replay !== undefined) {
    return { type: "replay", seed: wholeNumber(values.replay, "replay", 0), options };
  }
  const untilFailure = values["until-failure"];
  const seeds = optionalNumber(values.seeds, "seeds", 1);
  return {
    type: "run",
    from: wholeNumber(values.from, "from", 0),
    count: seeds ?? (untilFailure ? Number.POSITIVE_INFINITY : DEFAULT_SEEDS),
    untilFailure,
    workers: optionalNumber(values.workers, "workers", 1) ?? availableParallelism(),
    slices: values.slices ?? null,
    json: values.json,
    options,
  };
}

/** The command that runs one seed again in the same way. */
export function replayLine(seed: number, { profile, validators, heights }: SeedOptions): string {
  const parts = [`pnpm sim --replay ${seed}`];
  if (validators !== null) parts.push(`--validators ${validators}`);
  if (heights !== null) parts.push(`--heights ${heights}`);
  if (profile !== "protocol") parts.push(`--profile ${profile}`);
  return parts.join(" ");
}
