import { decodeEvidence } from "@credlink/consensus-pbft/certificates";
import { height } from "@credlink/primitives";
import { createSeededRandom, createSimulatedClock, SIMULATION_START_MS } from "@credlink/testkit";
import { describe, expect, it } from "vitest";
import { Cluster, createProtocolProfile, drawPlan, type Strategy } from "../../src/index.ts";

const TRAITOR = 1;

function createCluster(seed: number, strategy: Strategy, validators = 4) {
  const random = createSeededRandom(seed);
  const clock = createSimulatedClock();
  const plan = {
    ...drawPlan(random.fork("plan"), validators),
    byzantine: new Map([[TRAITOR, [strategy]]]),
    loss: 0.02,
    duplication: 0.02,
    latency: [0.2, 5] as const,
  };
  const profile = createProtocolProfile(random.fork("keys"), validators, SIMULATION_START_MS);
  const cluster = new Cluster({ plan, profile, clock, random });
  const run = async (durationMs: number): Promise<void> => {
    await clock.runUntil(clock.monotonicMs() + durationMs);
    if (cluster.failure !== null) throw cluster.failure;
  };
  return { cluster, run, random };
}

/** Everything that the blocks of a node's chain convict, as [height of the misdeed, signer]. */
async function convictedBy(cluster: Cluster, index: number) {
  const ledger = cluster.nodes[index]?.ledger;
  if (ledger === null || ledger === undefined) throw new Error("the node is down");
  const found: (readonly [number, number])[] = [];
  for (let at = 1; at <= ledger.head.header.height; at++) {
    const sealed = await ledger.block(height(at));
    for (const bytes of sealed?.block.body.evidence ?? []) {
      const decoded = decodeEvidence(bytes);
      if (decoded.ok) found.push([decoded.value.height, decoded.value.sender]);
    }
  }
  return found;
}

describe("evidence on chain", () => {
  it("who signs two blocks is recorded, once a height, and nobody else ever", async () => {
    const runs = [
      [1, "propose-twice", 4],
      [2, "vote-for-both", 4],
      [3, "vote-for-both", 7],
    ] as const;
    for (const [seed, strategy, validators] of runs) {
      const { cluster, run, random } = createCluster(seed, strategy, validators);
      for (const node of cluster.nodes) node.boot();
      for (let step = 0; step < 100; step++) {
        await cluster.submit(random.pick(cluster.honest));
        await run(100);
      }
      await run(5_000);
      const convicted = await convictedBy(cluster, 0);
      expect(convicted.length, `seed ${seed}`).toBeGreaterThan(0);
      expect(new Set(convicted.map(([, signer]) => signer))).toEqual(new Set([TRAITOR]));
      expect(new Set(convicted.map(([at]) => at)).size).toBe(convicted.length);
    }
  });

  it("an idle chain records it: evidence is work, and then there is rest", async () => {
    const { cluster, run } = createCluster(4, "propose-twice");
    for (const node of cluster.nodes) node.boot();
    await run(2_000);
    for (let step = 0; step < 8; step++) {
      const [honest] = cluster.honest;
      if (honest !== undefined) await cluster.submit(honest);
      await run(100);
    }
    await run(60_000);
    expect((await convictedBy(cluster, 0)).length).toBeGreaterThan(0);
    const before = cluster.nodes[0]?.engine?.status().height;
    await run(60_000);
    // The traitor contradicts itself about the blocks of evidence too: that is no work again.
    expect(cluster.nodes[0]?.engine?.status().height).toBe(before);
  });

  it("crashes and restarts of the honest convict none of them", async () => {
    const { cluster, run, random } = createCluster(5, "replay");
    for (const node of cluster.nodes) node.boot();
    for (let step = 0; step < 60; step++) {
      const victim = random.pick(cluster.honest);
      if (random.chance(0.3)) victim.crash();
      for (const node of cluster.honest) if (!node.isUp && random.chance(0.6)) node.boot();
      const up = cluster.honest.filter(({ isUp }) => isUp);
      if (up.length > 0) await cluster.submit(random.pick(up));
      await run(150);
    }
    for (const node of cluster.honest) if (!node.isUp) node.boot();
    await run(10_000);
    expect(await convictedBy(cluster, 0)).toEqual([]);
    expect(cluster.nodes[0]?.engine?.status().height).toBeGreaterThan(10);
  });
});
