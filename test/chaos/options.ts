import { parseArgs } from "node:util";
import { type AttackName, loudAttacks, quietAttacks } from "./attacks.ts";
import { type FaultKind, faultKinds } from "./schedule.ts";

/** What `pnpm chaos` can be asked for. */
export const suites = ["run", "kills", "failover", "degraded", "hostile", "rollback"] as const;
export type Suite = (typeof suites)[number];

export interface ChaosOptions {
  readonly suite: Suite;
  readonly validators: number;
  /** Decides the whole schedule of faults. */
  readonly seed: number;
  /** How long faults go on, unless `rounds` ends them before. */
  readonly minutes: number;
  readonly rounds: number | null;
  readonly faults: readonly FaultKind[];
  /** Transactions a second that are offered. */
  readonly rate: number;
  /** What a hostile validator floods with; null is all there is. */
  readonly attacks: readonly AttackName[] | null;
  /** Messages of each attack that it sends to each peer a second. */
  readonly flood: number;
  readonly json: boolean;
  /** Keeps the network's folder, with all logs, here. */
  readonly dir: string | null;
}

/** The command line is wrong. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const usage = `pnpm chaos [run|kills|failover|degraded|hostile|rollback] [options]
  run               random faults under load; what must hold is checked (default)
  kills             the same with kill -9 alone, --rounds of it (default 200)
  failover          the primary killed under load: time to the next block, --rounds (default 20)
  degraded          throughput with f validators down against that with all
  hostile           throughput with one validator flooding against that with it silent
  rollback          a validator whose data folder is put back to an old image

  --validators 4|7  (default 4)
  --minutes N       how long faults go on (default 5)
  --rounds R        end after so many faults
  --seed S          decides the schedule (default: drawn and printed)
  --faults LIST     of ${faultKinds.join(",")} (default all)
  --rate R          transactions a second that are offered (default 40; 400 where throughput counts)
  --attacks LIST    what a hostile validator floods with, of
                    ${quietAttacks.join(",")},
                    ${loudAttacks.join(",")} (default all)
  --flood N         of each attack, to each peer, a second (default 50)
  --dir DIR         keep the network's folder here
  --json            print one JSON document and nothing else`;

function integer(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) throw new UsageError(`--${name} ${text}`);
  return value;
}

function isSuite(text: string): text is Suite {
  return (suites as readonly string[]).includes(text);
}

function parseFaults(text: string): readonly FaultKind[] {
  return text.split(",").map((name) => {
    const kind = faultKinds.find((each) => each === name);
    if (kind === undefined) throw new UsageError(`--faults ${name}`);
    return kind;
  });
}

function parseAttacks(text: string): readonly AttackName[] {
  return text.split(",").map((name) => {
    const attack = [...quietAttacks, ...loudAttacks].find((each) => each === name);
    if (attack === undefined) throw new UsageError(`--attacks ${name}`);
    return attack;
  });
}

/** Rounds of a suite that counts them. */
const DEFAULT_ROUNDS: Partial<Record<Suite, number>> = { kills: 200, failover: 20 };
const THROUGHPUT_SUITES: ReadonlySet<Suite> = new Set(["degraded", "hostile"]);

/** @throws UsageError */
export function parseChaosOptions(args: readonly string[]): ChaosOptions {
  const { values, positionals } = read(args);
  const [suite = "run", ...more] = positionals;
  if (!isSuite(suite) || more.length > 0) throw new UsageError(`no suite ${positionals.join(" ")}`);
  const validators = integer("validators", values.validators, 4);
  const rounds = values.rounds ?? DEFAULT_ROUNDS[suite]?.toString();
  const standardRate = THROUGHPUT_SUITES.has(suite) ? "400" : "40";
  const standardFaults = suite === "kills" ? "kill" : faultKinds.join(",");
  return {
    suite,
    validators,
    seed: integer("seed", values.seed ?? String(Date.now() % 1_000_000), 0),
    minutes: integer("minutes", values.minutes ?? (rounds === undefined ? "5" : "100000"), 1),
    rounds: rounds === undefined ? null : integer("rounds", rounds, 1),
    faults: parseFaults(values.faults ?? standardFaults),
    rate: integer("rate", values.rate ?? standardRate, 1),
    attacks: values.attacks === undefined ? null : parseAttacks(values.attacks),
    flood: integer("flood", values.flood, 1),
    json: values.json,
    dir: values.dir ?? null,
  };
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        validators: { type: "string", default: "4" },
        minutes: { type: "string" },
        rounds: { type: "string" },
        seed: { type: "string" },
        faults: { type: "string" },
        rate: { type: "string" },
        attacks: { type: "string" },
        flood: { type: "string", default: "50" },
        dir: { type: "string" },
        json: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
