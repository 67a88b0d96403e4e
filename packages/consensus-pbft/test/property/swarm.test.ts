import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createDice } from "../../src/compliance/fakes.ts";
import { createTestCluster, type TestCluster } from "../../src/compliance.ts";
import { inputsOf, replay } from "../scenarios/helpers.ts";

/** A run in which everything may fail that may: then it heals, and must go on. */
function chaos(seed: number, n: number): TestCluster {
  const dice = createDice(seed);
  const pick = (below: number) => Math.floor(dice() * below);
  const cluster = createTestCluster({
    n,
    seed,
    lossRate: dice() * 0.3,
    duplicateRate: dice() * 0.3,
    delayMs: [1, 1 + pick(60)],
    fsyncMs: pick(20),
    executeMs: pick(40),
    commitMs: pick(40),
  });
  cluster.start();
  for (let event = 0; event < 25; event++) {
    cluster.submit(`transaction ${event}`);
    cluster.run(pick(1500));
    const node = cluster.nodes[pick(n)];
    switch (pick(4)) {
      case 0:
        if (node?.alive) node.crash();
        break;
      case 1:
        for (const one of cluster.nodes) if (!one.alive) one.start();
        break;
      case 2: {
        const sides = cluster.nodes.map(() => pick(2));
        const side = (which: number) =>
          cluster.nodes.map((one) => one.number).filter((at) => sides[at] === which);
        cluster.partition(side(0), side(1));
        break;
      }
      default:
        cluster.partition();
    }
  }
  cluster.partition();
  for (const one of cluster.nodes) if (!one.alive) one.start();
  return cluster;
}

function heads(cluster: TestCluster): string {
  return cluster.nodes.map(({ head }) => `${head.height}:${head.digest.join()}`).join(" ");
}

describe("swarm", () => {
  for (const n of [4, 5, 6, 7]) {
    test(`${n} validators under loss, crashes and partitions: safe always, live after`, () => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 2 ** 31 }), (seed) => {
          const cluster = chaos(seed, n);
          expect(cluster.checks.violations).toEqual([]);
          const target = Math.max(...cluster.nodes.map(({ head }) => head.height)) + 1;
          cluster.submit("healed");
          expect(cluster.runUntil(() => cluster.lowestHead() >= target, 60_000)).toBe(true);
          expect(cluster.checks.violations).toEqual([]);
        }),
        { numRuns: 8, seed: 20_241 },
      );
    });
  }

  test("same seed, same run", () => {
    for (const seed of [1, 2, 3]) {
      expect(heads(chaos(seed, 4))).toBe(heads(chaos(seed, 4)));
    }
    expect(heads(chaos(1, 4))).not.toBe(heads(chaos(2, 4)));
  });

  test("same inputs, same effects, to the byte", () => {
    for (const seed of [1, 2, 3, 4]) {
      const cluster = createTestCluster({ n: 4, seed, trace: true, lossRate: 0.2 });
      cluster.start();
      if (seed > 2) cluster.nodes[1]?.crash();
      for (let block = 0; block < 4; block++) {
        cluster.submit(`${block}`);
        cluster.run(1500);
      }
      for (const node of cluster.nodes) {
        if (!node.alive) continue;
        const recorded = node.trace.flatMap(({ effects }) => effects);
        expect(recorded.length).toBeGreaterThan(10);
        expect(replay(node, inputsOf(node)).flat()).toEqual(recorded);
      }
    }
  });
});
