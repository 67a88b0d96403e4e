import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { keptText, runSliced, type SlicedResult, sumOf } from "../sliced-run.ts";
import {
  addCrashes,
  type CrashTally,
  failedPoint,
  noCrashes,
  pointsOf,
  runPoint,
} from "./batch.ts";
import { type CrashPoint, type CrashScript, crashScript, pointName } from "./script.ts";
import type { CrashWork } from "./worker.ts";

const USAGE = `pnpm crash-points [--heights N] [--workers W] [--slices DIR] [--json]
pnpm crash-points [--heights N] --replay POINT
  --heights N     blocks of the script, 6 to 100 (default 6; from 14 on with two view changes)
  --workers W     processes that share the points (default: one a core)
  --slices DIR    keeps one file for every 100 points in DIR, skips those that are there and counts
                  them as well
  --replay POINT  runs one point: kind/operation/outcome
  --json          prints one JSON document and nothing else
Exit code 0 when all hold, 1 when one broke an invariant, 2 for wrong arguments.`;

const flags = {
  heights: { type: "string", default: "6" },
  workers: { type: "string" },
  slices: { type: "string" },
  replay: { type: "string" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

/** Points that a process is given at once. */
const UNIT_POINTS = 5;
/** Points in one slice. */
const SLICE_POINTS = 100;

interface Arguments {
  readonly script: CrashScript;
  readonly workers: number;
  readonly slices: string | null;
  readonly replay: string | null;
  readonly json: boolean;
}

function wholeNumber(text: string, name: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`--${name} ${text}`);
}

/** @throws RangeError or TypeError for arguments that mean nothing. */
function readArguments(argv: readonly string[]): Arguments | null {
  const { values } = parseArgs({ args: [...argv], options: flags, allowPositionals: false });
  if (values.help) return null;
  return {
    script: crashScript(wholeNumber(values.heights, "heights", 6, 100)),
    workers:
      values.workers === undefined
        ? availableParallelism()
        : wholeNumber(values.workers, "workers", 1, 256),
    slices: values.slices ?? null,
    replay: values.replay ?? null,
    json: values.json,
  };
}

/** The points of a script, with the number of all of them: other code may make more operations. */
interface Asked extends CrashScript {
  readonly points: number;
}

async function runAll({ script, workers, slices: folder }: Arguments): Promise<Result> {
  const points = await pointsOf(script);
  const name = `crash-points-h${script.heights}-of${points.length}`;
  const options = { ...script, points: points.length };
  return await runSliced<CrashWork, CrashTally, Asked>({
    work: { from: 0, count: points.length },
    sliceSize: SLICE_POINTS,
    unitSize: UNIT_POINTS,
    keep: folder === null ? null : { folder, name, options },
    empty: noCrashes,
    add: addCrashes,
    pool: {
      workers: Math.min(workers, Math.ceil(points.length / UNIT_POINTS)),
      options: { script, points },
      worker: fileURLToPath(new URL("./worker.ts", import.meta.url)),
      onCrash(at, reason) {
        const point = points[at];
        if (point === undefined) return noCrashes;
        return { ...noCrashes, points: 1, failed: [failedPoint(script, point, reason)] };
      },
    },
  });
}

async function runOne(script: CrashScript, name: string): Promise<Result> {
  return { ran: await runPoint(script, find(await pointsOf(script), name)), kept: [] };
}

type Result = SlicedResult<CrashTally, Asked>;

function find(points: readonly CrashPoint[], name: string): CrashPoint {
  const point = points.find((one) => pointName(one) === name);
  if (point === undefined) throw new RangeError(`no such point: ${name}`);
  return point;
}

async function main(): Promise<number> {
  const startedMs = performance.now();
  let result: Result;
  let json = false;
  try {
    const args = readArguments(process.argv.slice(2));
    if (args === null) {
      process.stdout.write(`${USAGE}\n`);
      return 0;
    }
    const { script, replay } = args;
    json = args.json;
    result = replay === null ? await runAll(args) : await runOne(script, replay);
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    process.stderr.write(`${error.message}\n${USAGE}\n`);
    return 2;
  }
  const seconds = (performance.now() - startedMs) / 1_000;
  const total = sumOf(result, addCrashes);
  const { points, runs, failed } = total;
  for (const { point, reason, replay } of failed) {
    process.stderr.write(`${point}: ${reason}\n  replay: ${replay}\n`);
  }
  process.stdout.write(
    json
      ? `${JSON.stringify({ ...total, keptSlices: result.kept.length, seconds })}\n`
      : `${points - failed.length} of ${points} crash points hold, ${runs} runs, ` +
          `${seconds.toFixed(1)} s${keptText(result.kept)}\n`,
  );
  return failed.length === 0 ? 0 : 1;
}

process.exitCode = await main();
