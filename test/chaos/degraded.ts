import { setTimeout as delay } from "node:timers/promises";
import { auditChains } from "./audit.ts";
import type { Violation } from "./chain-record.ts";
import type { ChaosOptions } from "./options.ts";
import { withSession } from "./session.ts";
import { measureThroughput, type Throughput } from "./throughput.ts";

/** Each of the two measurements counts for so long, milliseconds. */
const COUNT_MS = 20_000;
/** What the network with f validators down must still do, of what it does whole. */
const LEAST_SHARE = 0.6;
/** Load with f down before it is measured: their peers find out that they miss their turns. */
const SETTLE_MS = 5_000;

/** Throughput with f validators down, against the same network whole. */
export interface DegradedReport {
  readonly validators: number;
  readonly down: readonly string[];
  readonly healthy: Throughput;
  readonly degraded: Throughput;
  readonly share: number;
  readonly leastShare: number;
  readonly violations: readonly Violation[];
}

/** Measures the network whole, kills f validators for good, and measures it again. */
export function measureDegraded(
  options: ChaosOptions,
  say: (text: string) => void,
): Promise<DegradedReport> {
  const { validators, dir, rate } = options;
  return withSession({ validators, dir, say }, async (session) => {
    const { cluster, record } = session;
    const down = cluster.names.slice(-Math.floor((validators - 1) / 3));
    const up = cluster.names.filter((name) => !down.includes(name));
    say(`throughput with all validators, ${rate} offered`);
    // Both times the same nodes take the load: what differs is who votes and proposes.
    const healthy = await measureThroughput(session, { nodes: up, rate, countMs: COUNT_MS });
    say(`${healthy.committedTps} a second; ${down.join(", ")} killed`);
    await Promise.all(down.map((name) => cluster.kill(name)));
    await delay(SETTLE_MS);
    const degraded = await measureThroughput(session, { nodes: up, rate, countMs: COUNT_MS });
    say(`${degraded.committedTps} a second`);
    for (const name of down) cluster.start(name);
    await Promise.all(down.map((name) => cluster.untilReady(name)));
    await auditChains(session);
    const share = Math.round((degraded.committedTps / healthy.committedTps) * 100) / 100;
    const missed = { rule: "progress" as const, detail: `${share} of the throughput is left` };
    return {
      validators,
      down,
      healthy,
      degraded,
      share,
      leastShare: LEAST_SHARE,
      violations: [...record.violations, ...(share < LEAST_SHARE ? [missed] : [])],
    };
  });
}
