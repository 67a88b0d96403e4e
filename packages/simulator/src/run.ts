import type { Executor } from "@credlink/ledger";
import type { Logger } from "@credlink/primitives";
import {
  createSeededRandom,
  createSimulatedClock,
  type SeededRandom,
  SIMULATION_START_MS,
} from "@credlink/testkit";
import { CheckFailure, type FailureKind, failureKind } from "./checker-errors.ts";
import { Cluster } from "./cluster.ts";
import { FaultInjector } from "./faults.ts";
import { BLOCKS_AFTER_HEALING, runLiveness } from "./liveness.ts";
import { drawPlan, type Plan } from "./plan.ts";
import { createProtocolProfile, type Profile, type ProfileName } from "./profile.ts";
import { stepUntil, submitRegularly } from "./running.ts";

/** What to run. */
export interface RunOptions {
  readonly seed: number;
  readonly profile?: ProfileName;
  /** Default: drawn by the seed from 1, 4, 5, 7 and 10. */
  readonly validators?: number | null;
  /** Blocks of the run; default: drawn by the seed from 20 to 60. */
  readonly heights?: number | null;
  /** Changes the plan that the seed drew, for directed scenarios. */
  readonly adjust?: (plan: Plan) => Plan;
  /** Negative control: disks that acknowledge without storing. */
  readonly lyingDisks?: boolean;
  /** Negative control: what all nodes run instead of the profile's executor. */
  readonly nodeExecutor?: (real: Executor) => Executor;
  /** Negative control: only these invariants may end the run, so that one is seen alone. */
  readonly watched?: readonly string[];
  readonly logger?: Logger;
}

/** What came of it. */
export interface RunResult {
  readonly seed: number;
  readonly ok: boolean;
  /** Null when nothing failed. */
  readonly kind: FailureKind | null;
  /** Number of the broken invariant and what broke it. */
  readonly reason: string | null;
  readonly error: Error | null;
  readonly plan: Plan;
  /** Equal for two runs of one seed. */
  readonly traceDigest: string;
  readonly height: number;
  readonly events: number;
  readonly virtualMs: number;
  /** What was met on the way, by name. */
  readonly coverage: Readonly<Record<string, number>>;
}

/** Runs one seed to its end, or to the first broken invariant. */
export async function runSeed(options: RunOptions): Promise<RunResult> {
  const random = createSeededRandom(options.seed);
  const drawn = drawPlan(random.fork("plan"), options.validators ?? null, options.heights);
  const plan = options.adjust?.(drawn) ?? drawn;
  const clock = createSimulatedClock();
  const profile = await createProfile(options, random, plan);
  const { logger, watched, nodeExecutor } = options;
  const cluster = new Cluster({
    plan,
    profile,
    clock,
    random,
    ...(logger === undefined ? {} : { logger }),
    ...(watched === undefined ? {} : { watched }),
    ...(nodeExecutor === undefined ? {} : { nodeExecutor }),
  });
  const faults = new FaultInjector(cluster, plan, random.fork("faults"));
  for (const node of cluster.nodes) {
    prepare(node, plan, random);
    if (options.lyingDisks === true) node.disk.lieAboutSyncs();
  }
  await runSafety(cluster, plan, faults, random.fork("load"));
  const healedAtMs = clock.monotonicMs();
  const healedHeight = cluster.chain.height;
  let healed: Readonly<Record<string, number>> = {};
  if (cluster.failure === null) healed = await runLiveness(cluster, plan, random.fork("healed"));
  for (const name of cluster.checkers.abstained) {
    const text = `${name} does not trust its vote log, which no fault touched`;
    if (!cluster.lostLogs.has(name)) cluster.fail(new CheckFailure("I17", text));
  }
  const { failure } = cluster;
  return {
    seed: options.seed,
    ok: failure === null,
    kind: failure === null ? null : failureKind(failure),
    reason: failure === null ? null : failure.message,
    error: failure,
    plan,
    traceDigest: cluster.trace.digest,
    height: cluster.chain.height,
    events: cluster.trace.events,
    virtualMs: clock.monotonicMs(),
    coverage: {
      ...faults.counts,
      ...Object.fromEntries([...cluster.wire.counts].map(([type, n]) => [`sent ${type}`, n])),
      ...Object.fromEntries([...cluster.receipts].map(([status, n]) => [`receipt ${status}`, n])),
      "blocks under faults": healedHeight,
      "blocks after healing": cluster.chain.height - healedHeight,
      "healing ms": Math.round(clock.monotonicMs() - healedAtMs),
      "decided in a view above 0": cluster.chain.highestView > 0 ? 1 : 0,
      "view 2 or above": cluster.wire.highestView >= 2 ? 1 : 0,
      ...healed,
      byzantine: plan.byzantine.size,
      ...cluster.checkers.situations.counts,
      "prepared in view 2 or above": cluster.checkers.certificates.highestPreparedView >= 2 ? 1 : 0,
      "decided in view 3 or above": cluster.chain.highestView >= 3 ? 1 : 0,
      "evidence given": cluster.checkers.evidence.given,
      "evidence in a block": cluster.checkers.validity.recorded,
      ...countStrategies(plan),
    },
  };
}

function countStrategies({ byzantine }: Plan): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of [...byzantine.values()].flat()) {
    counts[`traitor ${name}`] = (counts[`traitor ${name}`] ?? 0) + 1;
  }
  return counts;
}

async function createProfile(
  { profile = "protocol" }: RunOptions,
  random: SeededRandom,
  plan: Plan,
): Promise<Profile> {
  const keys = random.fork("keys");
  const { validators, spares, maxBlockTransactions, emptyBlockIntervalMs } = plan;
  if (profile !== "full") {
    const nodes = validators + spares;
    const made = createProtocolProfile(keys, nodes, SIMULATION_START_MS, validators, profile);
    const { genesis } = made;
    const parameters = { ...genesis.parameters, maxBlockTransactions, emptyBlockIntervalMs };
    return { ...made, genesis: { ...genesis, parameters } };
  }
  const { createFullProfile } = await import("./full-profile.ts");
  return createFullProfile(keys, validators, SIMULATION_START_MS);
}

function prepare(node: Cluster["nodes"][number], plan: Plan, random: SeededRandom): void {
  node.disk.setSyncLatency(...plan.diskSync);
  node.store.setSyncLatency(...plan.diskSync);
  node.time.skewMs = Math.round(random.between(-plan.skewMs, plan.skewMs));
  node.time.drift(random.between(-plan.driftPpm, plan.driftPpm));
  node.executionMs = plan.executionMs;
  node.boot();
}

/** Anything goes: faults and traitors, and nothing unsafe may come of it. */
async function runSafety(
  cluster: Cluster,
  plan: Plan,
  faults: FaultInjector,
  random: SeededRandom,
): Promise<void> {
  const endMs = plan.safetyMs;
  faults.start();
  const last = plan.heights - BLOCKS_AFTER_HEALING;
  const isDone = (): boolean => cluster.chain.height >= last;
  submitRegularly(
    cluster,
    random,
    plan.submitEveryMs,
    () => cluster.clock.monotonicMs() < endMs && !isDone(),
  );
  await stepUntil(cluster, endMs, isDone);
  faults.stop();
}
