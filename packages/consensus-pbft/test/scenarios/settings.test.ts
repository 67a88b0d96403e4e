import { height } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import { createTestCluster } from "../../src/compliance.ts";
import { createReplica, defaultReplicaOptions, defaultTiming } from "../../src/replica.ts";
import { expectProgress } from "./helpers.ts";

describe("settings and membership", () => {
  test("known bug 22: an idle day changes no view; then one transaction is a block at once", () => {
    const cluster = createTestCluster({ n: 4, status: false });
    cluster.start();
    expectProgress(cluster, 1, 3000);
    cluster.run(24 * 3_600_000);
    const views = cluster.nodes.map((node) => node.reports.get("CONSENSUS_VIEW_ENTERED") ?? 0);
    expect(views).toEqual([0, 0, 0, 0]);
    cluster.submit("after a day");
    expect(cluster.runUntil(() => cluster.lowestHead() >= 2, 4000)).toBe(true);
  });

  test("empty blocks: one each interval, and none when they are off", () => {
    const cluster = createTestCluster({
      n: 4,
      timing: () => ({ emptyBlockIntervalMs: 5000 }),
      status: false,
    });
    cluster.start();
    cluster.run(52_000);
    expect(cluster.lowestHead()).toBeGreaterThanOrEqual(9);
    expect(cluster.lowestHead()).toBeLessThanOrEqual(11);
    expect(cluster.checks.violations).toEqual([]);
    const quiet = createTestCluster({ n: 4, status: false });
    quiet.start();
    quiet.run(52_000);
    expect(quiet.lowestHead()).toBe(0);
  });

  test("an idle chain whose empty-block primary is dead changes the view and goes on", () => {
    const cluster = createTestCluster({ n: 4, timing: () => ({ emptyBlockIntervalMs: 2000 }) });
    cluster.start();
    cluster.nodes[1]?.crash();
    cluster.run(20_000);
    expect(cluster.lowestHead()).toBeGreaterThanOrEqual(4);
    expect(cluster.checks.violations).toEqual([]);
  });

  test("known bug 47: intervals are the chain's, and change for all nodes at one height", () => {
    const cluster = createTestCluster({
      n: 4,
      timing: (height) => ({ minBlockIntervalMs: height < 5 ? 20 : 1_500 }),
    });
    cluster.start();
    expectProgress(cluster, 8, 30_000);
    const stamps = [...(cluster.nodes[0]?.chain.values() ?? [])].map((b) => b.proposal.timestampMs);
    const gaps = stamps.slice(1).map((stamp, at) => stamp - (stamps[at] ?? 0));
    expect(Math.max(...gaps.slice(0, 3))).toBeLessThan(1_000);
    expect(Math.min(...gaps.slice(3, 7))).toBeGreaterThanOrEqual(1_500);
    const views = cluster.nodes.map((node) => node.reports.get("CONSENSUS_VIEW_ENTERED") ?? 0);
    expect(views).toEqual([0, 0, 0, 0]);
  });

  test("a minimum interval longer than every timeout changes no view and skips nobody", () => {
    const cluster = createTestCluster({ n: 4, timing: () => ({ minBlockIntervalMs: 12_000 }) });
    cluster.start();
    for (let block = 0; block < 200; block++) cluster.submit(`waiting ${block}`);
    const feed = (count: number): void => {
      cluster.submit(`more ${count}`);
      cluster.schedule(4_000, () => feed(count + 1));
    };
    feed(0);
    cluster.run(130_000);
    const views = cluster.nodes.map((node) => node.reports.get("CONSENSUS_VIEW_ENTERED") ?? 0);
    expect(views).toEqual([0, 0, 0, 0]);
    expect(cluster.lowestHead()).toBeGreaterThanOrEqual(10);
    expect(cluster.lowestHead()).toBeLessThanOrEqual(12);
    // A primary that is dead when its turn is due still costs one timeout and no more.
    const dead = Number(cluster.nodes[0]?.replica.status.primary);
    cluster.nodes[dead]?.crash();
    const before = cluster.lowestHead();
    expect(cluster.runUntil(() => cluster.lowestHead() > before, 20_000)).toBe(true);
  });

  test("a clock that is far off costs its owner's blocks, not the chain", () => {
    for (const skew of [-3_600_000, -1500, 1500, 3_600_000]) {
      const cluster = createTestCluster({ n: 4, skewMs: (node) => (node === 1 ? skew : 0) });
      cluster.start();
      expectProgress(cluster, 5, 12_000);
    }
  });

  test("known bug 3: even halves: neither decides alone, both go on together", () => {
    for (const n of [2, 4, 5, 6, 8]) {
      const cluster = createTestCluster({ n, replica: { allowNonByzantine: true } });
      cluster.start();
      const all = cluster.nodes.map((node) => node.number);
      const half = Math.ceil(n / 2);
      if (n !== 5) {
        cluster.partition(all.slice(0, half), all.slice(half));
        cluster.submit("split");
        cluster.run(5000);
        expect(cluster.nodes.map((node) => node.head.height)).toEqual(all.map(() => 0));
        cluster.partition();
        expect(cluster.runUntil(() => cluster.lowestHead() >= 1, 6000)).toBe(true);
      }
      expectProgress(cluster, 2, 6000);
    }
  });

  test("two or three validators only when asked for, and no validator at all never", () => {
    for (const n of [1, 2, 3, 4]) {
      const cluster = createTestCluster({ n });
      const { chainId, genesisDigest } = cluster;
      const [first] = cluster.validators;
      if (first === undefined) throw new Error("no validators");
      const options = { ...defaultReplicaOptions, chainId, genesisDigest };
      const create = (allowNonByzantine: boolean) => () =>
        createReplica(
          { ...options, allowNonByzantine, publicKey: first.publicKey },
          {
            head: { height: height(0), digest: genesisDigest, timestampMs: 0 },
            validators: cluster.rosterAt(1, genesisDigest),
            nextValidators: cluster.rosterAt(2, genesisDigest),
            timing: defaultTiming,
            records: [],
            abstain: false,
          },
        );
      if (n === 2 || n === 3) {
        expect(create(false)).toThrow(
          expect.objectContaining({
            details: { code: "CONSENSUS_NOT_BYZANTINE_TOLERANT" },
          }),
        );
      } else expect(create(false)).not.toThrow();
      expect(create(true)).not.toThrow();
    }
  });

  test("known bug 65: validators change: the joiner follows first, then votes; the leaver stops", () => {
    const cluster = createTestCluster({
      n: 5,
      members: (at) => (at < 5 ? [0, 1, 2, 3] : [1, 2, 3, 4]),
    });
    cluster.start();
    expectProgress(cluster, 10, 6000);
    const votes = (node: number, from: number, to: number) =>
      cluster.nodes[node]?.log.filter(
        (record) => record.type === "prepare-voted" && record.height >= from && record.height < to,
      ).length;
    expect(votes(0, 1, 5)).toBe(4);
    expect(votes(0, 5, 99)).toBe(0);
    expect(votes(4, 1, 5)).toBe(0);
    expect(votes(4, 5, 99)).toBeGreaterThan(3);
    expect(cluster.nodes[0]?.replica.status.self).toBe(null);
    expect(cluster.nodes[4]?.replica.status.self).toBe(3);
  });

  test("known bug 13: the validator list changes at every height, overlap on", () => {
    const cluster = createTestCluster({
      n: 6,
      members: (at) => [0, 1, 2, 3, 4, 5].filter((node) => node !== at % 6),
      timing: () => ({ minBlockIntervalMs: 1 }),
    });
    cluster.start();
    for (let block = 0; block < 30; block++)
      cluster.schedule(block * 7, () => {
        cluster.submit(`t${block}`);
      });
    expect(cluster.runUntil(() => cluster.lowestHead() >= 12, 60_000)).toBe(true);
    expect(cluster.checks.violations).toEqual([]);
  });

  test("known bug 21: every message arrives twice: own messages still pass own rules", () => {
    const cluster = createTestCluster({ n: 4, duplicateRate: 1, lossRate: 0.05, seed: 3 });
    cluster.start();
    cluster.nodes[1]?.crash();
    expectProgress(cluster, 6, 15_000);
  });
});
