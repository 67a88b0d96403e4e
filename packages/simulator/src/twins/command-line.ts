import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { scenarioCount, type TwinsBatch } from "./batch.ts";
import type { TwinsMode } from "./network.ts";
import {
  checkShape,
  parseScenarioId,
  restartPoints,
  type Scenario,
  type TwinsShape,
} from "./scenario.ts";

/** One command of `pnpm twins`. */
export type TwinsCommand =
  | { readonly type: "help" }
  | {
      readonly type: "replay";
      readonly shape: TwinsShape;
      readonly scenario: Scenario;
      readonly mode: TwinsMode;
    }
  | {
      readonly type: "run";
      readonly batches: readonly TwinsBatch[];
      /** What decides the batches, in words: the first part of the names of slices. */
      readonly name: string;
      /** Where slices are kept; null: nowhere. */
      readonly slices: string | null;
      readonly workers: number;
      readonly json: boolean;
    };

/** What `pnpm twins --help` prints. */
export const TWINS_USAGE = `pnpm twins [--exhaustive | --random N] [--validators n] [--twins t] [--rounds r]
           [--partitions k] [--restart] [--closed] [--seed S] [--workers W] [--slices DIR] [--json]
pnpm twins --replay ID [--closed]
  --exhaustive    every (primary, partition) in every view
  --random N      N scenarios drawn by the seed (default 20000)
  --validators n  keys, 4 to 7 (default 4)
  --twins t       keys that two instances have (default 1)
  --rounds r      scripted views (default 3; with --random: 3 to 7, a fifth of N each)
  --partitions k  most blocks of a partition (default 2; with --random 3)
  --restart       no twins: key 0 restarts from an old image of its vote log, in every view and
                  with every image
  --closed        WISH messages are filtered as well: views are left only where a quorum is
  --seed S        decides what is drawn (default 1)
  --workers W     processes that share the scenarios (default: one a core)
  --slices DIR    keeps one file for every four batches (16,384 scenarios, if drawn) in DIR, skips
                  those that are there and counts them as well
  --replay ID     runs one scenario and prints what it met
  --json          prints one JSON document and nothing else
Exit code 0 when all hold, 1 when one broke an invariant, 2 for wrong arguments.`;

const flags = {
  exhaustive: { type: "boolean", default: false },
  random: { type: "string" },
  validators: { type: "string", default: "4" },
  twins: { type: "string", default: "1" },
  rounds: { type: "string" },
  partitions: { type: "string" },
  restart: { type: "boolean", default: false },
  closed: { type: "boolean", default: false },
  seed: { type: "string", default: "1" },
  workers: { type: "string" },
  slices: { type: "string" },
  replay: { type: "string" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

const DEFAULT_RANDOM = 20_000;
const DEFAULT_VIEWS = 3;
/** Scripted views of samples when nothing is said. */
const SAMPLED_VIEWS = [3, 4, 5, 6, 7];
/** Scenarios that one process runs in a row. */
const BATCH_SCENARIOS = 4096;

function wholeNumber(text: string, name: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) throw new RangeError(`--${name} ${text}`);
  return value;
}

/** Reads the arguments. @throws RangeError or TypeError for arguments that mean nothing. */
export function readTwinsCommand(argv: readonly string[]): TwinsCommand {
  const { values } = parseArgs({ args: [...argv], options: flags, allowPositionals: false });
  if (values.help) return { type: "help" };
  const mode: TwinsMode = values.closed ? "closed" : "open";
  if (values.replay !== undefined) {
    return { type: "replay", mode, ...parseScenarioId(values.replay) };
  }
  if (values.exhaustive && values.random !== undefined) {
    throw new RangeError("--exhaustive and --random exclude each other");
  }
  const count = values.exhaustive
    ? null
    : wholeNumber(values.random ?? String(DEFAULT_RANDOM), "random", 1);
  const seed = wholeNumber(values.seed, "seed", 0);
  const views = values.rounds === undefined ? null : wholeNumber(values.rounds, "rounds", 1);
  const plain: TwinsShape = {
    validators: wholeNumber(values.validators, "validators", 4),
    twins: wholeNumber(values.twins, "twins", 1),
    blocks: wholeNumber(values.partitions ?? (count === null ? "2" : "3"), "partitions", 1),
    views: views ?? DEFAULT_VIEWS,
    restart: null,
  };
  const shapes = count === null || views !== null ? [plain] : SAMPLED_VIEWS.map(withViews(plain));
  const all = values.restart ? shapes.flatMap(withRestarts) : shapes;
  for (const shape of all) checkShape(shape);
  const batches =
    count === null
      ? all.flatMap((shape) => cut({ shape, mode, seed: null }, scenarioCount(shape)))
      : all.flatMap((shape, at) => cut({ shape, mode, seed }, shareOf(count, all.length, at)));
  const workers =
    values.workers === undefined
      ? availableParallelism()
      : wholeNumber(values.workers, "workers", 1);
  const drawn = count === null ? "exhaustive" : `random${count}-seed${seed}`;
  const name = `twins-${drawn}-${nameOf(plain, views, values.restart, mode)}`;
  const slices = values.slices ?? null;
  return { type: "run", batches, name, slices, workers, json: values.json };
}

function nameOf(
  { validators, twins, blocks }: TwinsShape,
  views: number | null,
  restart: boolean,
  mode: TwinsMode,
): string {
  const parts = [`n${validators}`, `t${twins}`, `k${blocks}`, `r${views ?? "any"}`];
  return [...parts, ...(restart ? ["restart"] : []), mode].join("-");
}

function withViews(shape: TwinsShape): (views: number) => TwinsShape {
  return (views) => ({ ...shape, views });
}

function withRestarts(shape: TwinsShape): readonly TwinsShape[] {
  return restartPoints(shape.views).map((restart) => ({ ...shape, restart }));
}

function shareOf(count: number, parts: number, at: number): number {
  return Math.floor(((at + 1) * count) / parts) - Math.floor((at * count) / parts);
}

/** Batches of scenarios that lie side by side, so that equal runs fall into one batch. */
function cut(what: Omit<TwinsBatch, "from" | "count">, count: number): readonly TwinsBatch[] {
  if (count > Number.MAX_SAFE_INTEGER) throw new RangeError("too many scenarios to enumerate");
  const { shape, seed } = what;
  const size =
    seed === null && shape.views > 1
      ? scenarioCount({ ...shape, views: shape.views - 1 })
      : BATCH_SCENARIOS;
  return Array.from({ length: Math.ceil(count / size) }, (_, at) => ({
    ...what,
    from: at * size,
    count: Math.min(size, count - at * size),
  }));
}
