import { faultBound } from "@credlink/consensus-pbft";
import type { SeededRandom } from "@credlink/testkit";
import { CheckFailure } from "./checker-errors.ts";
import type { Cluster } from "./cluster.ts";
import { HealedWatch } from "./healed-watch.ts";
import { leanRows } from "./lean-ledger/lean-ledger.ts";
import { drainBoundMs, type Healed, livenessBoundMs } from "./liveness-bound.ts";
import type { Plan } from "./plan.ts";
import { LIFETIME_HEIGHTS } from "./profile.ts";
import { stepUntil, submitRegularly } from "./running.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import { compareStores, sharedRows } from "./store-comparison.ts";

/** Blocks that must follow once everything is healed. */
export const BLOCKS_AFTER_HEALING = 10;
/** After healing, transactions are submitted this often, milliseconds. */
const HEALED_SUBMIT_MS = 50;
/** Most that a hop, and executing a block, take after healing, milliseconds. */
const HEALED_HOP_MS = 5;
const HEALED_EXECUTION_MS = 20;
const HEALED_SYNC_MS = 2;
/** A block is executed by its primary and by everybody, and waits for four syncs. */
const HEALED_ROUND_MS = 2 * HEALED_EXECUTION_MS + 4 * HEALED_SYNC_MS;

/**
 * Heals a core of n − f honest nodes and makes the other faults permanent: traitors go on, and
 * where there are fewer than f of them, some honest nodes may stay down for ever. Within the bound B
 * the core must commit new blocks, settle in one view, and commit everything that it accepted.
 */
export async function runLiveness(
  cluster: Cluster,
  plan: Plan,
  random: SeededRandom,
): Promise<Readonly<Record<string, number>>> {
  const { clock } = cluster;
  const core = heal(cluster, plan, random);
  const watch = new HealedWatch({
    clock,
    core,
    validators: cluster.checkers.validators,
    roundMs: 4 * HEALED_HOP_MS + HEALED_ROUND_MS,
    maxBlockTransactions: plan.maxBlockTransactions,
    hasTransaction: (id) => cluster.chain.hasTransaction(id),
  });
  cluster.healed = watch;
  const target = Math.max(cluster.chain.height + BLOCKS_AFTER_HEALING, plan.heights);
  const isBehind = (): boolean => core.some((node) => heightOf(node) < target);
  const isRecovered = (): boolean =>
    core.every(({ engine }) => engine?.status().replica.abstaining === false);
  const isReached = (): boolean => !isBehind() && isRecovered() && watch.isSettled;
  const wanted = target - Math.min(...core.map(heightOf)) + recoveryBlocks(plan);
  const boundMs = livenessBoundMs(describe(cluster, plan, core, wanted));
  const endMs = clock.monotonicMs() + boundMs;
  submitRegularly(
    cluster,
    random,
    HEALED_SUBMIT_MS,
    () => isBehind() && clock.monotonicMs() < endMs,
    () => void watch.poll(),
  );
  await stepUntil(cluster, endMs, () => !isBehind());
  watch.onLoadEnd();
  await stepUntil(cluster, endMs, isReached);
  cluster.guard(() => {
    if (isReached()) return;
    // One that settles late is told apart from one that does not go on.
    const isProgress = !isBehind() && isRecovered();
    const what = isProgress ? "views do not meet" : "no progress";
    const text = `${what} within ${Math.round(boundMs)} ms of healing (${statesOf(core)})`;
    throw new CheckFailure(isProgress ? "I19" : "I18", text);
  });
  await drain(cluster, plan, core);
  return watch.counts;
}

/** Everything that the core's pools hold finds its block, and what was accepted is not lost. */
async function drain(cluster: Cluster, plan: Plan, core: readonly SimulatedNode[]): Promise<void> {
  const pools = core.map(({ engine }) => engine?.status().mempool.transactions ?? 0);
  const blocks = Math.ceil(pools.reduce((a, b) => a + b, 0) / plan.maxBlockTransactions);
  const boundMs = drainBoundMs(describe(cluster, plan, core, blocks + recoveryBlocks(plan)));
  const isDrained = (): boolean =>
    core.every(({ engine, name }) => {
      const status = engine?.status();
      return status?.mempool.transactions === 0 && cluster.chain.reported(name) === status.height;
    });
  await stepUntil(cluster, cluster.clock.monotonicMs() + boundMs, isDrained);
  cluster.guard(() => {
    if (!isDrained()) {
      const text = `pools do not drain within ${Math.round(boundMs)} ms (${statesOf(core)})`;
      throw new CheckFailure("I18", text);
    }
    judgeAccepted(cluster, core);
    compareStores(
      core.flatMap(({ name, ledger, store }) =>
        ledger === null
          ? []
          : [{ node: name, height: ledger.head.header.height, contents: store.contents() }],
      ),
      cluster.profile.name === "protocol" ? leanRows : sharedRows,
    );
  });
}

/** Ends what the plan's faults did, but for those that stay; returns the core. */
function heal(cluster: Cluster, plan: Plan, random: SeededRandom): readonly SimulatedNode[] {
  // Those that may have lost their log abstain until a quorum without them has made a block.
  const spare = faultBound(plan.validators) - plan.byzantine.size - plan.forgetful;
  const honest = random.shuffle(cluster.honest);
  const lost = new Set(honest.slice(0, random.integer(Math.max(spare, 0) + 1)));
  const { network } = cluster;
  network.heal();
  network.setDefaults({
    minLatencyMs: 0.2,
    maxLatencyMs: HEALED_HOP_MS,
    loss: 0,
    duplication: 0,
  });
  cluster.mayRestart = false;
  for (const node of cluster.nodes) {
    node.disk.setSyncLatency(0.05, HEALED_SYNC_MS);
    node.store.setSyncLatency(0.05, HEALED_SYNC_MS);
    node.time.heal();
    node.mendDisk();
    node.executionMs = Math.min(node.executionMs, HEALED_EXECUTION_MS);
    if (lost.has(node)) lose(cluster, node, random);
    else if (!node.isUp) node.boot();
  }
  return honest.filter((node) => !lost.has(node));
}

/** A node that stays faulty for good: down, deaf, or never heard. */
function lose(cluster: Cluster, node: SimulatedNode, random: SeededRandom): void {
  const kind = random.pick(["down", "deaf", "mute"]);
  if (kind === "down") node.crash();
  else
    for (const { name } of cluster.nodes) {
      if (kind === "deaf") cluster.network.setCut(name, node.name, true);
      else cluster.network.setCut(node.name, name, true);
    }
}

function heightOf({ ledger }: SimulatedNode): number {
  return ledger?.head.header.height ?? 0;
}

/** The minimum interval that the chain has set, milliseconds; 0 for a node that is down. */
function minIntervalOf({ ledger }: SimulatedNode): number {
  return ledger?.parametersAfter(ledger.head.digest)?.minBlockIntervalMs ?? 0;
}

/** Who abstains needs its request in a block: f + 2 after the one under way, as everybody's. */
function recoveryBlocks({ validators }: Plan): number {
  return faultBound(validators) + 3;
}

function describe(
  cluster: Cluster,
  plan: Plan,
  core: readonly SimulatedNode[],
  blocks: number,
): Healed {
  const views = core.map(({ engine }) => engine?.status().replica.view ?? 0);
  const heads = core.map(({ engine }) => engine?.status().headTimestampMs ?? 0);
  const members = cluster.checkers.validators.at(cluster.chain.height + 1)?.validators ?? [];
  const names = new Set(core.map(({ name }) => name));
  const helping = members.filter(({ peerId }) => names.has(peerId)).length;
  return {
    validators: members.length,
    faulty: members.length - helping + plan.forgetful,
    // A node that is down may come up in the highest view that anybody ever entered.
    view: Math.max(...views, cluster.checkers.highestViewAt(cluster.chain.height + 1)),
    blocks,
    hopMs: HEALED_HOP_MS,
    executionMs: HEALED_ROUND_MS,
    minIntervalMs: Math.max(...core.map(minIntervalOf)),
    clockAheadMs: Math.max(0, Math.max(...heads) - cluster.clock.nowMs()),
  };
}

function statesOf(core: readonly SimulatedNode[]): string {
  const states = core.map(({ name, engine }) => {
    const status = engine?.status();
    const replica = status?.replica;
    return `${name}: height ${status?.height}, view ${replica?.view} ${replica?.phase}${
      replica?.abstaining ? " abstaining" : ""
    }, ${status?.mempool.transactions} waiting`;
  });
  return states.join("; ");
}

function judgeAccepted(cluster: Cluster, core: readonly SimulatedNode[]): void {
  for (const [id, { node, life, atHeight }] of cluster.accepted) {
    // One that waited too long is told so, and nobody may execute it any more.
    if (cluster.chain.height > atHeight + LIFETIME_HEIGHTS) continue;
    // A process that died took its mempool with it; its clients submit again.
    if (!core.includes(node) || node.lives !== life || cluster.chain.hasTransaction(id)) continue;
    throw new CheckFailure("I12", `${node.name} accepted ${id} and lost it`);
  }
}
