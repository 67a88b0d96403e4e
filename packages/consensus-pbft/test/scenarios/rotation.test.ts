import { describe, expect, test } from "vitest";
import { createTestCluster, type TestCluster } from "../../src/compliance.ts";

/** A cluster at 150 ms a block under full load. */
function createBusyCluster(n: number, skipping = true): TestCluster {
  const timing = () => ({ minBlockIntervalMs: 150, emptyBlockIntervalMs: 150 });
  const cluster = createTestCluster({ n, skipping, timing, executeMs: 5 });
  cluster.start();
  return cluster;
}

/** Blocks in so many seconds. */
function blocksIn(cluster: TestCluster, seconds: number): number {
  const before = cluster.lowestHead();
  cluster.run(seconds * 1000);
  expect(cluster.checks.violations).toEqual([]);
  return cluster.lowestHead() - before;
}

describe("rotation of primaries", () => {
  for (const n of [4, 7]) {
    test(`f of ${n} dead: at least 60 % of the healthy throughput, much more once they are known`, () => {
      const f = Math.floor((n - 1) / 3);
      const healthy = createBusyCluster(n);
      const hurt = createBusyCluster(n);
      const unskipped = createBusyCluster(n, false);
      for (const cluster of [healthy, hurt, unskipped]) blocksIn(cluster, 5);
      for (let node = 0; node < f; node++) {
        hurt.nodes[node]?.crash();
        unskipped.nodes[node]?.crash();
      }
      const [whole, first, plain] = [healthy, hurt, unskipped].map((one) => blocksIn(one, 30));
      const ratios = { first: (first ?? 0) / (whole ?? 1), plain: (plain ?? 0) / (whole ?? 1) };
      const later = blocksIn(hurt, 15) / blocksIn(healthy, 15);
      expect(ratios.first).toBeGreaterThan(0.6);
      expect(later).toBeGreaterThan(0.9);
      expect(ratios.plain).toBeLessThan(ratios.first);
    });
  }

  for (const n of [4, 5, 7, 10]) {
    test(`a validator of ${n} that comes back is primary again`, () => {
      const cluster = createBusyCluster(n);
      cluster.nodes[1]?.crash();
      blocksIn(cluster, 15);
      cluster.nodes[1]?.start();
      const isBack = () =>
        [...(cluster.nodes[0]?.chain.values() ?? [])]
          .slice(-2 * n)
          .some(({ proposal }) => proposal.proposer === 1);
      expect(cluster.runUntil(isBack, 120_000)).toBe(true);
    });
  }

  test("a chain that restarts as a whole names the same primaries as one that ran on", () => {
    const cluster = createBusyCluster(4);
    cluster.nodes[2]?.crash();
    blocksIn(cluster, 10);
    for (const number of [0, 1, 3]) cluster.nodes[number]?.crash();
    for (const number of [0, 1, 2, 3]) cluster.nodes[number]?.start();
    blocksIn(cluster, 10);
  });
});
