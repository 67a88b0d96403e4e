import { setTimeout as delay } from "node:timers/promises";
import { createSeededRandom } from "@credlink/testkit";
import { applyFault } from "./apply-fault.ts";
import { type AuditReport, auditChains, settle, verifyStores } from "./audit.ts";
import type { Violation } from "./chain-record.ts";
import type { Cluster } from "./cluster.ts";
import { underLoad } from "./load.ts";
import { judgeLogs } from "./logs.ts";
import { judgeMemory, type MemoryReport, MemoryWatch } from "./memory.ts";
import type { ChaosOptions } from "./options.ts";
import { describeFault, drawFaults, type Fault, type FaultKind } from "./schedule.ts";
import { type Session, withSession } from "./session.ts";
import { type Spread, spreadOf } from "./spread.ts";

/** From the healing of a fault to the next block, at most, milliseconds. */
const PROGRESS_BOUND_MS = 20_000;
/** … and to every node having it. */
const CATCH_UP_BOUND_MS = 60_000;
/** How long all stands still between faults, milliseconds. */
const REST_MS = [200, 3_000] as const;
/** Load before the first fault and after the last one, milliseconds. */
const LEAD_MS = 3_000;

/** What a run came to. */
export interface ChaosReport {
  readonly suite: string;
  readonly seed: number;
  readonly validators: number;
  readonly seconds: number;
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  /** Why a kind of fault was left out. */
  readonly skipped: readonly string[];
  readonly transactions: AuditReport["transactions"] & {
    readonly submitted: number;
    readonly accepted: number;
    readonly refusals: Readonly<Record<string, number>>;
  };
  readonly height: number;
  /** From the healing of a fault to the next block, milliseconds. */
  readonly progressMs: Spread;
  /** From the healing of a fault to every node having that block, milliseconds. */
  readonly catchUpMs: Spread;
  readonly memory: Readonly<Record<string, MemoryReport>>;
  readonly violations: readonly Violation[];
}

/** Runs faults under load and checks what must hold. `say` is told what is going on. */
export function runChaos(options: ChaosOptions, say: (text: string) => void): Promise<ChaosReport> {
  const skipped: string[] = [];
  let kinds = options.faults;
  let diskNode: string | null = null;
  const prepare = (cluster: Cluster): void => {
    if (!kinds.includes("disk")) return;
    const last = cluster.names.at(-1) ?? "";
    const reason = cluster.mountDisk(last);
    if (reason === null) diskNode = last;
    else {
      kinds = kinds.filter((kind) => kind !== "disk");
      skipped.push(`disk: ${reason}`);
      say(`without full disks: ${reason}`);
    }
  };
  const { validators, dir } = options;
  return withSession({ validators, dir, prepare, say }, (session) =>
    runSession(session, { ...options, faults: kinds }, { diskNode, skipped, say }),
  );
}

async function runSession(
  session: Session,
  options: ChaosOptions,
  extra: {
    readonly diskNode: string | null;
    readonly skipped: readonly string[];
    readonly say: (text: string) => void;
  },
): Promise<ChaosReport> {
  const { cluster, record, watch } = session;
  const startMs = performance.now();
  const memory = new MemoryWatch(cluster);
  const { load, rounds } = await underLoad(session, options.rate, async (load) => {
    await delay(LEAD_MS);
    const rounds = await runFaults(session, options, extra);
    await delay(LEAD_MS);
    return { load, rounds };
  });
  extra.say("all faults are healed; what was accepted is accounted for");
  const transactions = await settle(session, load);
  await auditChains(session);
  memory.stop();
  const memories = Object.fromEntries(cluster.names.map((name) => [name, memory.report(name)]));
  await watch.stop();
  const ends = await cluster.stopAll();
  extra.say("the stored chains are verified");
  const stored = await verifyStores(cluster, record);
  return {
    suite: options.suite,
    seed: options.seed,
    validators: options.validators,
    seconds: Math.round((performance.now() - startMs) / 1000),
    faults: rounds.counts,
    skipped: extra.skipped,
    transactions: {
      submitted: load.submitted,
      accepted: load.accepted.size,
      ...transactions.counts,
      refusals: Object.fromEntries(load.refusals),
    },
    height: record.height,
    progressMs: spreadOf(rounds.progressMs),
    catchUpMs: spreadOf(rounds.catchUpMs),
    memory: memories,
    violations: [
      ...record.violations,
      ...rounds.violations,
      ...transactions.violations,
      ...stored,
      ...endViolations(cluster, ends),
      ...cluster.names.flatMap((name) => judgeMemory(name, memories[name] as MemoryReport)),
      ...cluster.names.flatMap((name) => judgeLogs(name, cluster.log(name))),
    ],
  };
}

/** Fault after fault; each must be survived before the next one comes. */
async function runFaults(
  session: Session,
  options: ChaosOptions,
  extra: { readonly diskNode: string | null; readonly say: (text: string) => void },
) {
  const { cluster } = session;
  const random = createSeededRandom(options.seed);
  const rest = random.fork("rest");
  const counts: Partial<Record<FaultKind, number>> = {};
  const progressMs: number[] = [];
  const catchUpMs: number[] = [];
  const violations: Violation[] = [];
  const endMs = performance.now() + options.minutes * 60_000;
  const most = options.rounds ?? Number.POSITIVE_INFINITY;
  const nodes = cluster.names;
  const faultBound = Math.floor((nodes.length - 1) / 3);
  const schedule = drawFaults(random, {
    nodes,
    faultBound,
    kinds: options.faults,
    diskNode: extra.diskNode,
  });
  for (let round = 1; round <= most && performance.now() < endMs; round += 1) {
    const fault: Fault = schedule.next().value;
    const restMs = rest.between(...REST_MS);
    extra.say(`${round}. ${describeFault(fault)}`);
    counts[fault.kind] = (counts[fault.kind] ?? 0) + 1;
    await applyFault(cluster, fault);
    const recovered = await recover(session);
    progressMs.push(recovered.progressMs);
    catchUpMs.push(recovered.catchUpMs);
    extra.say(
      `   next block after ${Math.round(recovered.progressMs)} ms, ` +
        `on all nodes after ${Math.round(recovered.catchUpMs)} ms (height ${session.record.height})`,
    );
    violations.push(
      ...recovered.violations.map((violation) => ({
        ...violation,
        detail: `round ${round}, ${describeFault(fault)}: ${violation.detail}`,
      })),
    );
    if (violations.length > 0) break;
    await delay(restMs);
  }
  return { counts, progressMs, catchUpMs, violations };
}

/** After a fault is healed: a new block within one bound, on every node within another. */
async function recover({ cluster, record, watch }: Session) {
  const healedMs = performance.now();
  const before = record.height;
  const violations: Violation[] = [];
  const until = async (what: string, boundMs: number, isDone: () => boolean): Promise<number> => {
    while (!isDone() && performance.now() < healedMs + boundMs) await delay(20);
    const tookMs = performance.now() - healedMs;
    if (!isDone()) violations.push({ rule: "progress", detail: `${what} within ${boundMs} ms` });
    return tookMs;
  };
  const progressMs = await until("no block", PROGRESS_BOUND_MS, () => record.height > before);
  const catchUpMs = await until("not on all nodes", CATCH_UP_BOUND_MS, () =>
    cluster.names.every((name) => watch.heightOf(name) > before),
  );
  return { progressMs, catchUpMs, violations };
}

function endViolations(cluster: Cluster, ends: ReadonlyMap<string, string>): readonly Violation[] {
  return [
    ...cluster.unexpected.map(
      ({ node, how }): Violation => ({ rule: "exit", detail: `${node} ended by itself: ${how}` }),
    ),
    ...[...ends]
      .filter(([, how]) => how !== "exit code 0")
      .map(
        ([node, how]): Violation => ({ rule: "exit", detail: `${node}, asked to stop: ${how}` }),
      ),
  ];
}
