import { height, toHex, validatorIndex, view } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import { createTestCluster, type Delivery } from "../../src/compliance.ts";
import { expectProgress, isOf } from "./helpers.ts";

const index = validatorIndex;

describe("view change", () => {
  for (const n of [4, 5, 7, 10]) {
    test(`S-9.2-4: ${n} validators, a silent primary: the next view decides`, () => {
      const cluster = createTestCluster({ n });
      cluster.start();
      cluster.nodes[1]?.crash();
      const alive = cluster.nodes.map((node) => node.number).filter((number) => number !== 1);
      cluster.submit("first");
      expect(cluster.runUntil(() => cluster.lowestHead(alive) >= 1, 3000)).toBe(true);
      for (const at of alive) {
        const certificate = cluster.nodes[at]?.chain.get(height(1))?.certificate;
        expect(certificate?.view).toBe(1);
      }
      expectProgress(cluster, 5, 10_000);
    });
  }

  test("known bug 63: a prepared block survives the view change that follows", () => {
    const cluster = createTestCluster({
      n: 4,
      script: ({ message }: Delivery) => !isOf(message, "commit", 1, 0),
    });
    cluster.start();
    cluster.submit("kept");
    expect(cluster.runUntil(() => cluster.lowestHead() >= 1, 6000)).toBe(true);
    const decided = cluster.nodes[0]?.chain.get(height(1));
    expect(decided?.certificate.view).toBeGreaterThan(0);
    expect(decided?.proposal.proposer).toBe(1);
    expect(cluster.nodes.some((node) => node.reports.has("CONSENSUS_REPROPOSED"))).toBe(true);
    expectProgress(cluster, 3, 6000);
  });

  test("known bug 19: a block prepared in view 0 is proposed again unchanged, time and all", () => {
    const proposals = new Map<number, string>();
    const cluster = createTestCluster({
      n: 4,
      replica: { baseTimeoutMs: 5000 },
      script: ({ message }) => {
        if (message.type === "pre-prepare" && message.height === 1) {
          proposals.set(message.view, toHex(message.digest));
        }
        return !isOf(message, "commit", 1, 0);
      },
    });
    cluster.start();
    cluster.submit("kept");
    expect(cluster.runUntil(() => cluster.lowestHead() >= 1, 20_000)).toBe(true);
    expect(proposals.size).toBeGreaterThan(1);
    expect(new Set(proposals.values()).size).toBe(1);
    expect(cluster.checks.violations).toEqual([]);
  });

  test("known bug 16: a block proposed again half an hour later is not too old", () => {
    const cluster = createTestCluster({
      n: 4,
      script: ({ message }) => !isOf(message, "commit", 1, 0),
    });
    cluster.start();
    cluster.submit("old");
    cluster.run(100);
    const proposedMs = cluster.nowMs;
    for (const node of cluster.nodes) node.crash();
    cluster.run(30 * 60_000);
    for (const node of cluster.nodes) node.start();
    expect(cluster.runUntil(() => cluster.lowestHead() >= 1, 10_000)).toBe(true);
    const block = cluster.nodes[2]?.chain.get(height(1));
    expect(block?.proposal.timestampMs).toBeLessThan(proposedMs);
    expect(block?.certificate.view).toBeGreaterThan(0);
    expect(cluster.checks.violations).toEqual([]);
  });

  test("known bug 6: no lock hides: the only replica that prepared is heard in the next view", () => {
    // Node 3 alone sees the quorum of PREPAREs, so it alone is locked; then the primary dies.
    const cluster = createTestCluster({
      n: 4,
      script: ({ message, to }) =>
        !(isOf(message, "prepare", 1, 0) && to !== 3) && !isOf(message, "commit", 1, 0),
    });
    cluster.start();
    cluster.submit("hidden");
    cluster.run(200);
    expect(cluster.nodes[3]?.replica.status.phase).toBe("prepared");
    cluster.nodes[1]?.crash();
    const alive = [0, 2, 3];
    expect(cluster.runUntil(() => cluster.lowestHead(alive) >= 1, 10_000)).toBe(true);
    expect(cluster.nodes[0]?.chain.get(height(1))?.proposal.proposer).toBe(1);
    expect(cluster.checks.violations).toEqual([]);
  });

  test("known bug 2: two replicas locked on different blocks, and one lost, still decide one", () => {
    // View 0: only node 0 locks. View 1 does not hear of that: only node 3 locks, on another
    // block; then node 1 dies. View 2 needs node 0 to follow against its own lock.
    const cluster = createTestCluster({
      n: 4,
      script: ({ message, from, to }) => {
        if (isOf(message, "prepare", 1, 0)) return to === 0;
        if (isOf(message, "prepare", 1, 1)) return to === 3;
        if (isOf(message, "commit", 1, 0) || isOf(message, "commit", 1, 1)) return false;
        return !(isOf(message, "view-change", 1, 1) && from === 0);
      },
    });
    cluster.start();
    cluster.submit("one of two", [0, 1]);
    const lockOf = (node: number) =>
      cluster.nodes[node]?.log.findLast((record) => record.type === "commit-voted");
    expect(cluster.runUntil(() => lockOf(0) !== undefined, 3000)).toBe(true);
    cluster.submit("another");
    expect(cluster.runUntil(() => lockOf(3) !== undefined, 10_000)).toBe(true);
    cluster.nodes[1]?.crash();
    const [first, second] = [lockOf(0), lockOf(3)];
    if (first?.type !== "commit-voted" || second?.type !== "commit-voted")
      throw new Error("no lock");
    expect(first.certificate.digest).not.toEqual(second.certificate.digest);
    expect(cluster.runUntil(() => cluster.lowestHead() >= 1, 30_000)).toBe(true);
    const decided = cluster.nodes[0]?.chain.get(height(1));
    expect(decided?.certificate.view).toBeGreaterThan(1);
    expect(decided?.proposal.digest).toEqual(second.certificate.digest);
    expectProgress(cluster, 3, 10_000);
  });

  test("known bug 11: any one view-change message may be lost: nobody is stuck", () => {
    for (let lost = 0; lost < 24; lost++) {
      let seen = 0;
      const cluster = createTestCluster({
        n: 4,
        script: ({ message }) => {
          if (message.type !== "wish" && message.type !== "view-change") return true;
          return seen++ !== lost;
        },
      });
      cluster.start();
      cluster.nodes[1]?.crash();
      cluster.submit("first");
      // In view 1: T0 is 2 s, and the timer of view 1 would run out after 5 s.
      expect(cluster.runUntil(() => cluster.lowestHead() >= 1, 4000)).toBe(true);
      expect(cluster.checks.violations).toEqual([]);
    }
  });

  test("known bug 24: views that drifted apart meet again", () => {
    const cluster = createTestCluster({ n: 4, status: false });
    cluster.start();
    cluster.partition([0, 1], [2], [3]);
    cluster.submit("apart");
    cluster.run(8000);
    cluster.partition([1, 2, 3], [0]);
    cluster.submit("together");
    cluster.run(3000);
    cluster.partition([0, 2, 3]);
    cluster.run(3000);
    cluster.partition();
    const target = cluster.lowestHead() + 1;
    cluster.submit("all");
    expect(cluster.runUntil(() => cluster.lowestHead() >= target, 5000)).toBe(true);
    expect(cluster.checks.violations).toEqual([]);
  });

  test("known bug 30: no quorum for long: views do not run away, and one block follows", () => {
    const cluster = createTestCluster({ n: 4 });
    cluster.start();
    cluster.submit("before");
    expect(cluster.runUntil(() => cluster.lowestHead() >= 1, 2000)).toBe(true);
    cluster.nodes[2]?.crash();
    cluster.nodes[3]?.crash();
    cluster.submit("waiting");
    cluster.run(600_000);
    expect(cluster.nodes[0]?.replica.status.view).toBe(0);
    cluster.nodes[2]?.start();
    cluster.nodes[3]?.start();
    expect(cluster.runUntil(() => cluster.lowestHead() >= 2, 4000)).toBe(true);
    expect(cluster.checks.violations).toEqual([]);
  });

  test("known bug 42: one validator floods wishes for huge views: no view changes", () => {
    const cluster = createTestCluster({ n: 4 });
    cluster.byzantine.add(3);
    cluster.start();
    const live = [0, 1, 2];
    for (let block = 1; block <= 6; block++) {
      cluster.submit(`block ${block}`);
      for (const huge of [1, 2, 1000, 2 ** 31]) {
        for (const to of live) {
          const wish = { type: "wish", height: height(block), view: view(huge), sender: index(3) };
          cluster.deliver(3, to, cluster.sign(3, { ...wish, type: "wish" }));
          cluster.deliver(
            3,
            to,
            cluster.sign(3, {
              ...wish,
              type: "view-change",
              preparedView: null,
              preparedDigest: null,
              prepared: null,
            }),
          );
        }
      }
      expect(cluster.runUntil(() => cluster.lowestHead(live) >= block, 10_000)).toBe(true);
    }
    const entered = live.map((at) => cluster.nodes[at]?.reports.get("CONSENSUS_VIEW_ENTERED") ?? 0);
    // Only where the flooder itself was the primary of view 0 did a view have to change.
    expect(Math.max(...entered)).toBeLessThanOrEqual(2);
    expect(cluster.checks.violations).toEqual([]);
  });

  test("a replica that heard no wish follows a justified pre-prepare into its view", () => {
    const cluster = createTestCluster({
      n: 4,
      script: ({ message, to }) =>
        !isOf(message, "pre-prepare", 1, 0) &&
        (to !== 3 || (message.type !== "wish" && message.type !== "view-change")),
    });
    cluster.start();
    // The primary alone sees its own proposal of view 0, and nobody prepares it with it.
    cluster.submit("first");
    expect(cluster.runUntil(() => cluster.lowestHead() >= 1, 6000)).toBe(true);
    expect(cluster.nodes[3]?.log).toContainEqual({
      type: "entered-view",
      height: height(1),
      view: view(1),
    });
    expect(cluster.checks.violations).toEqual([]);
  });
});
