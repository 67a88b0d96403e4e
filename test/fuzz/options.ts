import { parseArgs } from "node:util";

export interface FuzzOptions {
  readonly seed: number;
  readonly from: number;
  readonly executions: number;
  readonly seconds: number | undefined;
  readonly findings: string;
  readonly replay: string | undefined;
  readonly json: boolean;
}

/** A command line that cannot be run; the message says why. */
export class UsageError extends Error {}

export const usage = `pnpm fuzz identity [--executions N | --seconds S] [--seed S] [--from I] [--findings folder] [--json]
pnpm fuzz identity --replay file [--json]

  --executions  how many inputs, default 10000; with --seconds as many as there is time for
  --seconds     how long at most
  --seed        which inputs: equal seeds make equal inputs; default 1
  --from        the first one, to go on where a run ended; default 0
  --findings    where inputs are kept that did what they must not, default ./fuzz-findings
  --replay      judges such a file again`;

function whole(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`--${name} is a whole number, not ${text}`);
  return Number(text);
}

/** @throws UsageError */
export function parseFuzzOptions(args: readonly string[]): FuzzOptions {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        executions: { type: "string" },
        seconds: { type: "string" },
        seed: { type: "string" },
        from: { type: "string" },
        findings: { type: "string", default: "fuzz-findings" },
        replay: { type: "string" },
        json: { type: "boolean", default: false },
      },
    });
    if (positionals.length !== 1 || positionals[0] !== "identity") {
      throw new UsageError("name what to fuzz: identity");
    }
    const seconds = values.seconds === undefined ? undefined : whole("seconds", values.seconds, 0);
    const executions = seconds === undefined ? 10_000 : Number.MAX_SAFE_INTEGER / 2;
    return {
      seed: whole("seed", values.seed, 1),
      from: whole("from", values.from, 0),
      executions: whole("executions", values.executions, executions),
      seconds,
      findings: values.findings,
      replay: values.replay,
      json: values.json,
    };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
