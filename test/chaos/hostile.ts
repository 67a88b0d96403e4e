import { setTimeout as delay } from "node:timers/promises";
import { type ProcessUsage, readProcessUsage } from "../../bench/src/process-usage.ts";
import { round } from "../../bench/src/statistics.ts";
import { readMetric } from "../e2e/support/metric.ts";
import { type AttackName, loudAttacks, quietAttacks } from "./attacks.ts";
import { auditChains } from "./audit.ts";
import type { Violation } from "./chain-record.ts";
import { startHostile } from "./hostile-process.ts";
import { residentMebibytes } from "./memory.ts";
import type { ChaosOptions } from "./options.ts";
import { type Session, withSession } from "./session.ts";
import { measureThroughput, type Throughput } from "./throughput.ts";

const COUNT_MS = 15_000;
/** What the others must still do under a flood, of what they do while that validator is silent. */
const LEAST_SHARE = 0.8;
/** A flood may cost a process this much memory for its buffers, not more, mebibytes. */
const MAX_GROWTH = 150;

/** The others during one measurement. */
export interface Phase extends Throughput {
  /** Processor time of the hostile process and of the others together, milliseconds a second. */
  readonly hostileCpu: number;
  readonly othersCpu: number;
  /** Largest growth of one of the others' memory in that time, mebibytes. */
  readonly growthMebibytes: number;
  /** What the others dropped or refused, and how often they disconnected somebody. */
  readonly dropped: number;
  readonly cuts: number;
}

/** What a hostile validator costs the others. */
export interface HostileReport {
  readonly validators: number;
  /** Of each attack, to each peer, a second. */
  readonly rate: number;
  /** The hostile validator is connected and makes the same messages, but sends none. */
  readonly silent: readonly [Phase, Phase];
  /** It floods with what earns no blame. */
  readonly quiet: Phase;
  /** It floods with what gets it cut. */
  readonly loud: Phase;
  readonly quietShare: number;
  readonly loudShare: number;
  readonly leastShare: number;
  readonly violations: readonly Violation[];
}

/** Measures the throughput of the others beside one validator that is silent, then floods. */
export function measureHostile(
  options: ChaosOptions,
  say: (text: string) => void,
): Promise<HostileReport> {
  const { validators, dir } = options;
  return withSession({ validators, dir, say }, async (session) => {
    const { cluster, record } = session;
    const name = cluster.names.at(-1) ?? "";
    await cluster.stop(name);
    const quietNames = options.attacks ?? quietAttacks;
    const loudNames = options.attacks === null ? loudAttacks : [];
    const phase = async (what: string, attacks: readonly AttackName[], mode: "dry" | "send") => {
      const measured = await runPhase(session, name, attacks, mode, options);
      say(`${what}: ${measured.committedTps} a second (${JSON.stringify(measured)})`);
      return measured;
    };
    const first = await phase("silent", quietNames, "dry");
    const quiet = await phase("flood without blame", quietNames, "send");
    const second = await phase("silent", quietNames, "dry");
    const loud = loudNames.length === 0 ? quiet : await phase("flood", loudNames, "send");
    // A flood that nobody noticed was none: such a measurement would say nothing.
    if (quiet.dropped === 0) throw new Error("the flood did not reach the others");
    if (loudNames.length > 0 && loud.cuts === 0) throw new Error("nobody was cut for the flood");
    const silent = [first, second] as const;
    cluster.start(name);
    await cluster.untilReady(name);
    await auditChains(session, [cluster.names.indexOf(name)]);
    const quietShare = shareOf(quiet, silent);
    const loudShare = shareOf(loud, silent);
    return {
      validators,
      rate: options.flood,
      silent,
      quiet,
      loud,
      quietShare,
      loudShare,
      leastShare: LEAST_SHARE,
      violations: [
        ...record.violations,
        ...[quietShare, loudShare]
          .filter((share) => share < LEAST_SHARE)
          .map((share): Violation => ({ rule: "progress", detail: `${share} is left` })),
        ...[quiet, loud]
          .filter(({ growthMebibytes }) => growthMebibytes > first.growthMebibytes + MAX_GROWTH)
          .map(
            ({ growthMebibytes }): Violation => ({
              rule: "memory",
              detail: `a process grew by ${growthMebibytes} MiB under the flood`,
            }),
          ),
      ],
    };
  });
}

/** Of the mean of the two baselines: one before, one between the floods. */
function shareOf(flooded: Throughput, [first, second]: readonly [Throughput, Throughput]): number {
  const baseline = (first.committedTps + second.committedTps) / 2;
  return Math.round((flooded.committedTps / baseline) * 100) / 100;
}

/** What the others together counted so far. */
async function countsOf({ cluster }: Session, names: readonly string[]) {
  const sum = async (metric: string): Promise<number> => {
    const urls = names.map((name) => new URL("/metrics", cluster.rpc(name)).href);
    const values = await Promise.all(urls.map((url) => readMetric(url, metric)));
    return values.reduce((total, value) => total + value, 0);
  };
  return {
    dropped:
      (await sum("credlink_node_messages_dropped_total")) +
      (await sum("credlink_node_frames_refused_total")),
    cuts: await sum("credlink_node_bans_total"),
  };
}

async function runPhase(
  session: Session,
  name: string,
  attacks: readonly AttackName[],
  mode: "dry" | "send",
  options: ChaosOptions,
): Promise<Phase> {
  const { cluster } = session;
  const others = cluster.names.filter((each) => each !== name);
  const countsBefore = await countsOf(session, others);
  const { dir } = cluster;
  const peers = cluster.peersOf(name);
  const hostile = startHostile({ dir, name, peers, attacks, rate: options.flood, mode });
  try {
    await hostile.untilAdmitted(others.length);
    const pids = others.map((each) => cluster.pid(each) ?? 0);
    const before = pids.map(sampleOf);
    const hostileBefore = readProcessUsage(hostile.pid);
    const startMs = performance.now();
    const throughput = await measureThroughput(session, {
      nodes: others,
      rate: options.rate,
      countMs: COUNT_MS,
    });
    const seconds = (performance.now() - startMs) / 1000;
    const after = pids.map(sampleOf);
    const cpu = after.reduce((sum, each, i) => sum + each.cpuMs - (before[i]?.cpuMs ?? 0), 0);
    const counts = await countsOf(session, others);
    const growth = after.map((each, i) => each.mebibytes - (before[i]?.mebibytes ?? 0));
    return {
      ...throughput,
      othersCpu: Math.round(cpu / seconds),
      hostileCpu: Math.round(
        (cpuOf(readProcessUsage(hostile.pid)) - cpuOf(hostileBefore)) / seconds,
      ),
      growthMebibytes: round(Math.max(...growth)),
      dropped: counts.dropped - countsBefore.dropped,
      cuts: counts.cuts - countsBefore.cuts,
    };
  } finally {
    await hostile.kill();
    await delay(500);
  }
}

function cpuOf(usage: ProcessUsage | null): number {
  return usage?.cpuMs ?? 0;
}

function sampleOf(pid: number) {
  return { cpuMs: cpuOf(readProcessUsage(pid)), mebibytes: residentMebibytes(pid) ?? 0 };
}
