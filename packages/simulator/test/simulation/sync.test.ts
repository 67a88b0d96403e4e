import { height } from "@credlink/primitives";
import { createSeededRandom, createSimulatedClock, SIMULATION_START_MS } from "@credlink/testkit";
import { describe, expect, it } from "vitest";
import { Cluster, createProtocolProfile, drawPlan, type Strategy } from "../../src/index.ts";

/** A calm cluster that is driven by the test itself. */
function createCluster(
  seed: number,
  validators: number,
  liars: ReadonlyMap<number, readonly Strategy[]>,
) {
  const random = createSeededRandom(seed);
  const clock = createSimulatedClock();
  const plan = {
    ...drawPlan(random.fork("plan"), validators),
    byzantine: liars,
    loss: 0,
    duplication: 0,
    latency: [0.2, 5] as const,
  };
  const profile = createProtocolProfile(random.fork("keys"), validators, SIMULATION_START_MS);
  const cluster = new Cluster({ plan, profile, clock, random, deceived: ["node-3"] });
  let isLoading = true;
  const load = (): void => {
    const up = cluster.nodes.filter(({ isUp }) => isUp);
    if (isLoading && up.length > 0) void cluster.submit(random.pick(up));
    if (isLoading) clock.schedule(40, load);
  };
  load();
  return {
    cluster,
    run: async (durationMs: number): Promise<void> => {
      await clock.runUntil(clock.monotonicMs() + durationMs);
      if (cluster.failure !== null) throw cluster.failure;
    },
    stopLoad: (): void => {
      isLoading = false;
    },
  };
}

function heightOf(cluster: Cluster, index: number): number {
  return cluster.nodes[index]?.engine?.status().height ?? -1;
}

describe("S-9.2-2: a node that was down", () => {
  it("known bug 55: catches up although every peer but one lies about blocks and heads", async () => {
    for (let seed = 1; seed <= 4; seed++) {
      const liars = new Map<number, readonly Strategy[]>([
        [1, ["false-blocks"]],
        [2, ["false-status"]],
      ]);
      const { cluster, run } = createCluster(seed, 4, liars);
      for (const node of cluster.nodes) if (node.index !== 3) node.boot();
      // The primary that is down is skipped after two turns.
      await run(15_000);
      const ahead = heightOf(cluster, 0);
      expect(ahead, `seed ${seed}`).toBeGreaterThan(10);
      cluster.nodes[3]?.boot();
      await run(20_000);
      expect(heightOf(cluster, 3), `seed ${seed}`).toBeGreaterThan(ahead);
      // It has cut the liars off, and their votes with them: it follows by sync, a moment behind.
      const blocksInTwoSeconds = 50;
      const lag = heightOf(cluster, 0) - heightOf(cluster, 3);
      expect(lag, `seed ${seed}`).toBeLessThan(blocksInTwoSeconds);
    }
  });

  it("seed 56: has the one block that it misses as soon as it is told, though no vote will come any more", async () => {
    for (const validators of [4, 7]) {
      const { cluster, run, stopLoad } = createCluster(3, validators, new Map());
      for (const node of cluster.nodes) node.boot();
      await run(3_000);
      stopLoad();
      await run(2_000);
      const [first] = cluster.nodes;
      const last = cluster.nodes.at(-1);
      if (first === undefined || last === undefined) throw new Error("no nodes");
      const head = heightOf(cluster, last.index);
      last.crash();
      await cluster.submit(first);
      await run(10_000);
      expect(heightOf(cluster, 0)).toBe(head + 1);
      last.boot();
      await run(300);
      expect(heightOf(cluster, last.index), `${validators} validators`).toBe(head + 1);
    }
  });

  it("votes again after it caught up: the chain then survives the loss of another", async () => {
    const { cluster, run } = createCluster(9, 4, new Map());
    for (const node of cluster.nodes) if (node.index !== 3) node.boot();
    await run(3_000);
    cluster.nodes[3]?.boot();
    await run(5_000);
    cluster.nodes[0]?.crash();
    const before = heightOf(cluster, 1);
    await run(10_000);
    expect(heightOf(cluster, 1)).toBeGreaterThan(before + 5);
    expect(cluster.nodes[3]?.engine?.status().replica.abstaining).toBe(false);
  });
});

describe("S-9.2-4: two of four down", () => {
  it("makes no block and no fork, and goes on by itself when they return", async () => {
    const { cluster, run } = createCluster(5, 4, new Map());
    for (const node of cluster.nodes) node.boot();
    await run(3_000);
    cluster.nodes[2]?.crash();
    cluster.nodes[3]?.crash();
    await run(500);
    const stuck = heightOf(cluster, 0);
    await run(60_000);
    expect([heightOf(cluster, 0), heightOf(cluster, 1)]).toEqual([stuck, stuck]);
    cluster.nodes[2]?.boot();
    cluster.nodes[3]?.boot();
    await run(10_000);
    for (const node of cluster.nodes) {
      expect(node.engine?.status().height, node.name).toBeGreaterThan(stuck + 10);
    }
  });

  it("the primary killed: the next block within 3 s", async () => {
    const { cluster, run } = createCluster(6, 4, new Map());
    for (const node of cluster.nodes) node.boot();
    await run(3_000);
    const primary = cluster.nodes[0]?.engine?.status().replica.primary ?? 0;
    const witness = (primary + 1) % 4;
    cluster.nodes[primary]?.crash();
    const before = heightOf(cluster, witness);
    await run(3_000);
    expect(heightOf(cluster, witness)).toBeGreaterThan(before);
  });
});

describe("a vote log that is gone", () => {
  it("makes its validator abstain, then recover by its nonce on chain and vote again", async () => {
    for (const seed of [7, 8]) {
      const { cluster, run } = createCluster(seed, 4, new Map());
      for (const node of cluster.nodes) node.boot();
      await run(1_000);
      const victim = cluster.nodes[1];
      victim?.crash();
      for (const path of victim?.disk.durablePaths() ?? []) victim?.disk.lose(path);
      if (victim !== undefined) cluster.onLogLost(victim);
      victim?.boot();
      await run(500);
      expect(cluster.checkers.abstained.has("node-1"), `seed ${seed}`).toBe(true);
      await run(3_000);
      expect(victim?.engine?.status().replica.abstaining, `seed ${seed}`).toBe(false);
      // It is needed again: with another one down, only its votes make a quorum.
      cluster.nodes[0]?.crash();
      const before = heightOf(cluster, 2);
      await run(6_000);
      expect(heightOf(cluster, 2), `seed ${seed}`).toBeGreaterThan(before + 5);
      // A later restart trusts the new log.
      victim?.crash();
      victim?.boot();
      await run(2_000);
      expect(victim?.engine?.status().replica.abstaining, `seed ${seed}`).toBe(false);
    }
  });
});

describe("a validator that another primary leaves out", () => {
  for (const strategies of [["withhold"], ["withhold", "vote-to-some"]] as const) {
    it(`${strategies.join(" and ")}: fetches that block in time for its own turn`, async () => {
      const { cluster, run } = createCluster(1, 4, new Map([[2, strategies]]));
      for (const node of cluster.nodes) node.boot();
      // From the eighth decision on, what a view may take is known.
      await run(3_000);
      const from = heightOf(cluster, 0);
      await run(5_000);
      const { ledger } = cluster.nodes[0] ?? {};
      const views = new Map<number, number>();
      for (let at = from + 1; at <= heightOf(cluster, 0); at++) {
        const inView = ledger?.certificate(height(at))?.view ?? Number.NaN;
        views.set(inView, (views.get(inView) ?? 0) + 1);
      }
      expect([...views.keys()]).toEqual([0]);
      expect(views.get(0)).toBeGreaterThan(20);
      expect(heightOf(cluster, 3)).toBeGreaterThanOrEqual(heightOf(cluster, 0) - 1);
    });
  }
});

describe("a transaction that one backup alone was shown", () => {
  it("is relayed in time: the primary that did not know of it keeps its turn", async () => {
    const { cluster, run, stopLoad } = createCluster(4, 4, new Map());
    for (const node of cluster.nodes) node.boot();
    await run(4_000);
    stopLoad();
    await run(2_000);
    const status = cluster.nodes[0]?.engine?.status().replica;
    const primary = cluster.nodes[status?.primary ?? 0];
    const others = cluster.nodes.filter((node) => node !== primary);
    const [door, backup, third] = others;
    if (primary === undefined || door === undefined || third === undefined) throw new Error();
    const names = [[door.name, backup?.name ?? ""], [primary.name], [third.name]];
    const before = heightOf(cluster, primary.index);
    cluster.network.partition(names);
    await cluster.submit(door);
    await run(40);
    cluster.network.heal();
    await run(1_500);
    expect(heightOf(cluster, primary.index)).toBe(before + 1);
    const header = primary.ledger?.header(height(before + 1))?.header;
    expect(header?.proposer).toBe(primary.index);
    expect(primary.ledger?.certificate(height(before + 1))?.view).toBe(0);
  });
});
