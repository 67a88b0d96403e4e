import { createSeededRandom, createSimulatedClock, SIMULATION_START_MS } from "@credlink/testkit";
import { describe, expect, it } from "vitest";
import { Cluster, createProtocolProfile, drawPlan } from "../../src/index.ts";

const HOUR_MS = 3_600_000;
/** T0 at its upper bound, twice, and what sending again takes. */
const BOUND_MS = 2 * 5_000 + 1_500;

/** A calm cluster that the test drives. */
async function createCluster(seed: number, validators: number) {
  const random = createSeededRandom(seed);
  const clock = createSimulatedClock();
  const plan = {
    ...drawPlan(random.fork("plan"), validators),
    byzantine: new Map(),
    loss: 0,
    duplication: 0,
    latency: [0.2, 5] as const,
  };
  const profile = createProtocolProfile(random.fork("keys"), validators, SIMULATION_START_MS);
  const cluster = new Cluster({ plan, profile, clock, random });
  const run = async (durationMs: number): Promise<void> => {
    await clock.runUntil(clock.monotonicMs() + durationMs);
    if (cluster.failure !== null) throw cluster.failure;
  };
  for (const node of cluster.nodes) node.boot();
  await run(1_000);
  for (let step = 0; step < 40; step++) {
    await cluster.submit(random.pick(cluster.nodes));
    await run(50);
  }
  return { cluster, run, clock };
}

/** Milliseconds until every node has a block more than the highest had. */
async function untilNextBlock(cluster: Cluster): Promise<number> {
  const { clock } = cluster;
  const before = cluster.chain.height;
  const fromMs = clock.monotonicMs();
  while (cluster.nodes.some(({ name }) => cluster.chain.reported(name) <= before)) {
    if (clock.monotonicMs() - fromMs > 10 * BOUND_MS || cluster.failure !== null) break;
    if (!(await clock.runNext())) break;
  }
  if (cluster.failure !== null) throw cluster.failure;
  return clock.monotonicMs() - fromMs;
}

describe("I20: an hour without a quorum costs what a minute costs", () => {
  for (const validators of [4, 7]) {
    it(`${validators} validators commit within 2 T0 of their return, views have not run away`, async () => {
      const { cluster, run } = await createCluster(validators, validators);
      const names = cluster.nodes.map(({ name }) => name);
      const half = Math.floor(validators / 2);
      cluster.network.partition([names.slice(0, half), names.slice(half)]);
      const [first] = cluster.nodes;
      if (first !== undefined) await cluster.submit(first);
      await run(HOUR_MS);
      for (const { engine, name } of cluster.nodes) {
        expect(engine?.status().replica.view, name).toBeLessThanOrEqual(2);
      }
      cluster.network.heal();
      expect(await untilNextBlock(cluster)).toBeLessThan(BOUND_MS);
    });
  }
});

describe("I20: a day without work", () => {
  it("changes no view, and one transaction is then decided within 2 T0", async () => {
    const { cluster, run } = await createCluster(9, 4);
    await run(5_000);
    const idle = cluster.chain.height;
    await run(24 * HOUR_MS);
    expect(cluster.chain.height).toBe(idle);
    for (const { engine } of cluster.nodes) expect(engine?.status().replica.view).toBe(0);
    const [, second] = cluster.nodes;
    if (second !== undefined) await cluster.submit(second);
    expect(await untilNextBlock(cluster)).toBeLessThan(2 * 5_000);
  });
});
