import { height, view } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import { createTestCluster, type TestCluster } from "../../src/compliance.ts";
import type { Input, VoteRecord } from "../../src/effects.ts";
import { replayRecords } from "../../src/recovery.ts";
import { expectProgress, inputsOf, isOf, replay, votesIn } from "./helpers.ts";
import { h1, v0 } from "./liar.ts";

function node(cluster: TestCluster, number: number) {
  const found = cluster.nodes[number];
  if (found === undefined) throw new Error("no such node");
  return found;
}

describe("restarts and imports that others got wrong", () => {
  test("known bug 15: sync brings later blocks at every step of a view change", () => {
    const cluster = createTestCluster({ n: 4, trace: true });
    cluster.start();
    node(cluster, 1).crash();
    cluster.submit("one");
    cluster.submit("two");
    expect(cluster.runUntil(() => cluster.lowestHead([0, 2, 3]) >= 1, 10_000)).toBe(true);
    const inputs = inputsOf(node(cluster, 2));
    const jump: Input = {
      type: "committed",
      height: height(5),
      digest: cluster.genesisDigest,
      timestampMs: cluster.nowMs,
      nextValidators: cluster.rosterAt(6, cluster.genesisDigest),
      successor: {
        validatorsAfterNext: cluster.rosterAt(7, cluster.genesisDigest),
        timing: cluster.timingAt(6),
      },
    };
    for (let place = 0; place <= inputs.length; place++) {
      const nowMs = inputs[Math.min(place, inputs.length - 1)]?.nowMs ?? 0;
      const steps = replay(node(cluster, 2), inputs.toSpliced(place, 0, { input: jump, nowMs }));
      const after = steps.slice(place + 1).flat();
      expect(after.some(({ type }) => type === "halt" || type === "decide")).toBe(false);
      expect(votesIn(after).filter((vote) => vote.height <= 5)).toEqual([]);
    }
  });

  test("known bug 23: f + 1 validators lose their blocks but not their votes: they come back", () => {
    const cluster = createTestCluster({ n: 4 });
    cluster.start();
    expectProgress(cluster, 5, 3000);
    for (const number of [2, 3]) {
      const lost = node(cluster, number);
      lost.crash();
      lost.chain.clear();
      lost.head = { height: height(0), digest: cluster.genesisDigest, timestampMs: 0 };
      lost.start();
    }
    expect(cluster.runUntil(() => cluster.lowestHead() >= 5, 10_000)).toBe(true);
    expectProgress(cluster, 3, 20_000);
  });

  test("known bug 27: a block that is imported again, or twice in a row, changes nothing", () => {
    const cluster = createTestCluster({ n: 4, trace: true });
    cluster.start();
    expectProgress(cluster, 3, 3000);
    const inputs = inputsOf(node(cluster, 2));
    const plain = replay(node(cluster, 2), inputs).flat();
    const doubled = inputs.flatMap((timed) =>
      timed.input.type === "committed" ? [timed, timed, timed] : [timed],
    );
    expect(doubled.length).toBeGreaterThan(inputs.length);
    expect(replay(node(cluster, 2), doubled).flat()).toEqual(plain);
  });

  test("known bug 54: promises bind at exactly head + 1, not one height above or below", () => {
    const digest = createTestCluster({ n: 1 }).genesisDigest;
    const votedAt = (at: number): VoteRecord => ({
      type: "prepare-voted",
      height: height(at),
      view: v0,
      digest,
    });
    const table = [
      { head: 4, voted: 4, bound: false },
      { head: 4, voted: 5, bound: true },
      { head: 4, voted: 6, bound: true },
      { head: 0, voted: 1, bound: true },
    ];
    for (const { head, voted, bound } of table) {
      const { promises, voteFloor } = replayRecords([votedAt(voted)], height(head));
      expect([head, voted, promises.get(height(voted))?.prepared.has(v0) ?? false]).toEqual([
        head,
        voted,
        bound,
      ]);
      expect(voteFloor).toBe(0);
    }
    for (const decided of [3, 4, 5]) {
      const record: VoteRecord = { type: "decided", height: height(decided), digest };
      expect(replayRecords([record], height(4)).voteFloor).toBe(decided);
    }
  });

  test("known bug 60: each node restarts at each height under load: none is stuck", () => {
    const cluster = createTestCluster({ n: 4, lossRate: 0.02 });
    cluster.start();
    for (let block = 1; block <= 16; block++) {
      const restarted = node(cluster, block % 4);
      // Without this one the others are a quorum only with the one that restarts.
      const down = (block + 1 + (block % 3)) % 4;
      const up = [0, 1, 2, 3].filter((number) => number !== down);
      node(cluster, down).crash();
      cluster.submit(`before ${block}`);
      cluster.submit(`beside ${block}`);
      cluster.run(block % 7);
      restarted.crash();
      cluster.run(1 + (block % 3));
      restarted.start();
      expect(cluster.runUntil(() => cluster.lowestHead(up) >= block, 15_000)).toBe(true);
      node(cluster, down).start();
      expect(cluster.runUntil(() => cluster.lowestHead() >= block, 15_000)).toBe(true);
    }
    expect(cluster.checks.violations).toEqual([]);
  });

  test("known bug 59: a view timer of a view that was left means nothing, however late it fires", () => {
    const cluster = createTestCluster({
      n: 4,
      trace: true,
      script: ({ message }) => !isOf(message, "pre-prepare", 1, 0),
    });
    cluster.start();
    cluster.submit("one");
    expect(cluster.runUntil(() => node(cluster, 2).replica.status.view === 1, 6000)).toBe(true);
    const inputs = inputsOf(node(cluster, 2));
    const stale: Input = { type: "timer", timer: { kind: "view", height: h1, view: v0 } };
    const nowMs = cluster.nowMs;
    const steps = replay(node(cluster, 2), [...inputs, { input: stale, nowMs }]);
    expect(steps.at(-1)).toEqual([]);
    // One that was never set, although its height and view are the current ones.
    const idle = createTestCluster({ n: 4, trace: true });
    idle.start();
    expect(replay(node(idle, 2), [{ input: stale, nowMs }]).at(-1)).toEqual([]);
    const early: Input = { type: "timer", timer: { kind: "view", height: h1, view: view(9) } };
    expect(replay(node(cluster, 2), [...inputs, { input: early, nowMs }]).at(-1)).toEqual([]);
  });
});
