import { setTimeout as delay } from "node:timers/promises";
import { AppError } from "@credlink/primitives";
import { createSeededRandom } from "@credlink/testkit";
import { auditChains } from "./audit.ts";
import type { Violation } from "./chain-record.ts";
import { underLoad } from "./load.ts";
import type { ChaosOptions } from "./options.ts";
import { type Session, withSession } from "./session.ts";
import { type Spread, spreadOf } from "./spread.ts";

/** How long a dead primary stays away: several of its turns, milliseconds. */
const AWAY_MS = 6_000;
/** How long the network runs whole before each round, milliseconds. */
const STEADY_MS = 3_000;
const POLL_MS = 15;
/** What the median of the rounds must stay below, milliseconds. */
export const FAILOVER_BOUND_MS = 1_500;

/** How long a network stands still when its primary is killed. */
export interface FailoverReport {
  readonly validators: number;
  readonly rounds: number;
  /** From the kill to the first block that any survivor shows after it. */
  readonly nextBlockMs: Spread;
  /** Longest time without a block while the primary is away: its turn, wherever it fell. */
  readonly longestStallMs: Spread;
  /** Between blocks while nothing is broken. */
  readonly healthyIntervalMs: Spread;
  readonly boundMs: number;
  readonly violations: readonly Violation[];
}

/** Kills the primary of the moment under load, round after round, and times the blocks after it. */
export function measureFailover(
  options: ChaosOptions,
  say: (text: string) => void,
): Promise<FailoverReport> {
  const { validators, dir } = options;
  return withSession({ validators, dir, pollMs: POLL_MS, say }, (session) =>
    underLoad(session, options.rate, () => runRounds(session, options, say)),
  );
}

async function runRounds(
  session: Session,
  options: ChaosOptions,
  say: (text: string) => void,
): Promise<FailoverReport> {
  const { cluster, record } = session;
  const random = createSeededRandom(options.seed);
  const rounds = options.rounds ?? 1;
  const next: number[] = [];
  const stalls: number[] = [];
  const healthy: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const steadyMs = performance.now();
    await delay(STEADY_MS + random.integer(1_000));
    healthy.push(...gapsBetween(seenAfter(session, steadyMs)));
    const primary = (await primaryOf(session)) ?? random.pick(cluster.names);
    const killedMs = performance.now();
    await cluster.kill(primary);
    await delay(AWAY_MS);
    const backMs = performance.now();
    cluster.start(primary);
    const times = seenAfter(session, killedMs).filter((atMs) => atMs <= backMs);
    const gaps = gapsBetween([killedMs, ...times, ...(times.length === 0 ? [backMs] : [])]);
    next.push(gaps[0] ?? AWAY_MS);
    stalls.push(Math.max(...gaps));
    say(
      `${round}. ${primary} killed: next block after ${Math.round(gaps[0] ?? AWAY_MS)} ms, ` +
        `longest stall ${Math.round(Math.max(...gaps))} ms, ${times.length} blocks`,
    );
    await cluster.untilReady(primary);
    await untilCaughtUp(session, primary);
  }
  await auditChains(session);
  const longest = spreadOf(stalls);
  const isMet = longest.median < FAILOVER_BOUND_MS;
  return {
    validators: options.validators,
    rounds,
    nextBlockMs: spreadOf(next),
    longestStallMs: longest,
    healthyIntervalMs: spreadOf(healthy),
    boundMs: FAILOVER_BOUND_MS,
    violations: [
      ...record.violations,
      ...(isMet
        ? []
        : [{ rule: "progress" as const, detail: `median stall of ${longest.median} ms` }]),
    ],
  };
}

/** The primary of the height that is being decided, by the word of the first node that answers. */
async function primaryOf({ cluster, watch }: Session): Promise<string | null> {
  for (const name of cluster.names) {
    try {
      const { primary } = await watch.client(name).status();
      if (primary !== null) return primary;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
    }
  }
  return null;
}

function seenAfter({ watch }: Session, sinceMs: number): readonly number[] {
  return [...watch.seenMs.values()].filter((atMs) => atMs > sinceMs).sort((a, b) => a - b);
}

function gapsBetween(times: readonly number[]): readonly number[] {
  return times.slice(1).map((atMs, index) => atMs - (times[index] ?? atMs));
}

async function untilCaughtUp({ record, watch }: Session, name: string): Promise<void> {
  const height = record.height;
  const endMs = performance.now() + 60_000;
  while (watch.heightOf(name) < height && performance.now() < endMs) await delay(50);
}
