import { height, toHex } from "@credlink/primitives";
import { createSeededRandom, createSimulatedClock, SIMULATION_START_MS } from "@credlink/testkit";
import { describe, expect, it } from "vitest";
import { Cluster, createProtocolProfile, drawPlan } from "../../src/index.ts";

/** A calm cluster of which the first `validators` nodes are V(1), under steady load. */
function createCluster(seed: number, nodes: number, validators: number) {
  const random = createSeededRandom(seed);
  const clock = createSimulatedClock();
  const plan = {
    ...drawPlan(random.fork("plan"), nodes),
    byzantine: new Map(),
    loss: 0,
    duplication: 0,
    latency: [0.2, 5] as const,
  };
  const keys = random.fork("keys");
  const drawn = createProtocolProfile(keys, nodes, SIMULATION_START_MS, validators);
  const profile = { ...drawn, genesis: { ...drawn.genesis, allowNonByzantine: true } };
  const cluster = new Cluster({ plan, profile, clock, random });
  const load = (): void => {
    const up = cluster.nodes.filter(({ isUp }) => isUp);
    if (up.length > 0) void cluster.submit(random.pick(up));
    clock.schedule(40, load);
  };
  load();
  return { cluster, ...createControls(cluster) };
}

function createControls(cluster: Cluster) {
  const { clock, profile } = cluster;
  const run = async (durationMs: number, isDone: () => boolean = () => false) => {
    const endMs = clock.monotonicMs() + durationMs;
    while (clock.monotonicMs() < endMs && !isDone() && cluster.failure === null) {
      if (!(await clock.runNext())) break;
    }
    if (cluster.failure !== null) throw cluster.failure;
    return isDone();
  };
  /** Node ids of V(head + 1) as a node sees them. */
  const membersOn = (index: number): readonly string[] => {
    const ledger = cluster.nodes[index]?.ledger;
    const head = ledger?.head.header.height ?? 0;
    const set = ledger?.validatorsAt(height(head + 1));
    return set?.validators.map(({ nodeId }) => nodeId) ?? [];
  };
  /** Adds or removes one node and waits until every node lives by it. */
  const change = async (index: number, isJoining: boolean): Promise<void> => {
    const { signers } = profile;
    const nodeId = `node-${index}`;
    const publicKey = signers[index]?.publicKey ?? new Uint8Array();
    const add = isJoining ? [{ nodeId, publicKey, peerId: nodeId }] : [];
    const remove = isJoining ? [] : [nodeId];
    const door = cluster.nodes.find(({ isUp }) => isUp)?.engine;
    const at = door?.status().height ?? 0;
    const bytes = profile.createChange?.(cluster.genesisDigest, at, { add, remove });
    const submitted = await door?.submit(bytes ?? new Uint8Array());
    expect(submitted?.ok).toBe(true);
    const isKnown = () =>
      cluster.nodes.every(
        (node) => !node.isUp || membersOn(node.index).includes(nodeId) === isJoining,
      );
    expect(await run(20_000, isKnown), `${nodeId} ${isJoining}`).toBe(true);
  };
  return { run, change, membersOn };
}

/** State root of the highest block that all nodes have, once each. */
function rootsOf(cluster: Cluster): ReadonlySet<string> {
  const ledgers = cluster.nodes.flatMap(({ ledger }) => ledger ?? []);
  const lowest = height(Math.min(...ledgers.map(({ head }) => head.header.height)));
  return new Set(
    ledgers.map((one) => toHex(one.header(lowest)?.header.stateRoot ?? one.genesisDigest)),
  );
}

describe("membership under load", () => {
  it("goes 4, 7, 4, 5, 1, 4 by transactions, the primary and the door included", async () => {
    const { cluster, run, change, membersOn } = createCluster(21, 7, 4);
    for (const node of cluster.nodes) node.boot();
    expect(await run(5_000, () => cluster.chain.height > 3)).toBe(true);
    for (const index of [4, 5, 6]) await change(index, true);
    for (const index of [0, 1, 2]) await change(index, false);
    await change(0, true);
    expect(membersOn(2)).toEqual(["node-3", "node-4", "node-5", "node-6", "node-0"]);
    for (const index of [3, 4, 5, 6]) await change(index, false);
    expect(membersOn(6)).toEqual(["node-0"]);
    for (const index of [6, 2, 4]) await change(index, true);
    const before = cluster.chain.height;
    expect(await run(10_000, () => cluster.chain.height > before + 20)).toBe(true);
    await run(2_000);
    expect(rootsOf(cluster).size).toBe(1);
  });

  it("a validator that a change makes primary at once, and one removed as primary", async () => {
    for (let seed = 1; seed <= 6; seed++) {
      const { cluster, run, change } = createCluster(seed, 6, 4);
      for (const node of cluster.nodes) node.boot();
      await run(300 + 37 * seed, () => cluster.chain.height > 2);
      await change(4, true);
      // Whoever is primary when the change is submitted leaves.
      const replica = cluster.nodes[1]?.engine?.status().replica;
      const ids = ["node-0", "node-1", "node-2", "node-3", "node-4"];
      const primary = Number(ids[replica?.primary ?? 0]?.slice(5));
      await change(primary, false);
      await change(5, true);
      const before = cluster.chain.height;
      expect(await run(10_000, () => cluster.chain.height > before + 15)).toBe(true);
    }
  });
});

describe("timing parameters", () => {
  it("reach running replicas with the next block, and those that restart later", async () => {
    const { cluster, run } = createCluster(5, 4, 4);
    for (const node of cluster.nodes) node.boot();
    expect(await run(5_000, () => cluster.chain.height > 5)).toBe(true);
    const door = cluster.nodes[0];
    const at = cluster.chain.height;
    const { genesis, createSetting } = cluster.profile;
    const parameters = { ...genesis.parameters, minBlockIntervalMs: 1_500 };
    const bytes = createSetting?.(cluster.genesisDigest, at, parameters);
    const submitted = await door?.engine?.submit(bytes ?? new Uint8Array());
    expect(submitted?.ok).toBe(true);
    await run(20_000);
    cluster.nodes[3]?.crash();
    await run(3_000);
    cluster.nodes[3]?.boot();
    await run(20_000);
    const stampOf = (index: number) =>
      door?.ledger?.header(height(index))?.header.timestampMs ?? Number.NaN;
    const head = cluster.chain.height;
    const gaps = Array.from(
      { length: 12 },
      (_, back) => stampOf(head - back) - stampOf(head - back - 1),
    );
    // No clock of this run is off: a proposal waits by its own clock.
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_490);
    expect(Math.max(...gaps)).toBeLessThan(4_000);
  });
});
