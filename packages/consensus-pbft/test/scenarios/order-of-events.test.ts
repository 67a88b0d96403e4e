import { height, view } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import { createTestCluster, type TestCluster } from "../../src/compliance.ts";
import type { Effect, Input } from "../../src/effects.ts";
import { inputsOf, isOf, replay, votesIn } from "./helpers.ts";

function node(cluster: TestCluster, number: number) {
  const found = cluster.nodes[number];
  if (found === undefined) throw new Error("no such node");
  return found;
}

function decisions(effects: readonly Effect[]) {
  return effects.flatMap((effect) => (effect.type === "decide" ? [effect] : []));
}

/** A traced run in which height 1 is decided, in view 0 or after a silent primary in view 1. */
function tracedRun(isPrimarySilent: boolean): TestCluster {
  const cluster = createTestCluster({ n: 4, trace: true });
  cluster.start();
  if (isPrimarySilent) node(cluster, 1).crash();
  cluster.submit("one");
  cluster.runUntil(() => cluster.lowestHead([0, 2, 3]) >= 1, 10_000);
  cluster.run(50);
  expect(cluster.lowestHead([0, 2, 3])).toBe(1);
  return cluster;
}

const roundExpiry: Input = {
  type: "timer",
  timer: { kind: "view", height: height(1), view: view(0) },
};

describe("order of events", () => {
  test("known bug 18: a round expiry queued behind the commits, at every place of the queue", () => {
    const cluster = tracedRun(false);
    const inputs = inputsOf(node(cluster, 2));
    const digest = node(cluster, 2).chain.get(height(1))?.proposal.digest;
    for (let place = 0; place <= inputs.length; place++) {
      const nowMs = inputs[Math.min(place, inputs.length - 1)]?.nowMs ?? 0;
      const mixed = inputs.toSpliced(place, 0, { input: roundExpiry, nowMs });
      const steps = replay(node(cluster, 2), mixed);
      const decided = decisions(steps.flat());
      expect(decided.map((effect) => effect.proposal.digest)).toEqual([digest]);
      const decidedAt = steps.findIndex((effects) => decisions(effects).length > 0);
      const expiryAt = place + 1;
      if (expiryAt > decidedAt) expect(steps[expiryAt]).toEqual([]);
      const after = votesIn(steps.slice(decidedAt + 1).flat()).filter((vote) => vote.height === 1);
      expect(after.filter((vote) => vote.type !== "commit" || vote.digest !== digest)).toEqual([]);
    }
  });

  test("known bug 36: sync completes at every step of a view change: decided once at most", () => {
    const cluster = tracedRun(true);
    const stored = node(cluster, 0).chain.get(height(1));
    if (stored === undefined) throw new Error("not decided");
    const { digest, timestampMs } = stored.proposal;
    const successor = {
      validatorsAfterNext: cluster.rosterAt(3, digest),
      timing: cluster.timingAt(2),
    };
    const committed: Input = {
      type: "committed",
      height: height(1),
      digest,
      timestampMs,
      successor,
    };
    for (const number of [2, 3]) {
      const inputs = inputsOf(node(cluster, number));
      for (let place = 0; place <= inputs.length; place++) {
        const nowMs = inputs[Math.min(place, inputs.length - 1)]?.nowMs ?? 0;
        const mixed = inputs.toSpliced(place, 0, { input: committed, nowMs });
        const steps = replay(node(cluster, number), mixed);
        const before = decisions(steps.slice(0, place + 1).flat());
        const after = decisions(steps.slice(place + 1).flat());
        expect(before.length).toBeLessThanOrEqual(1);
        expect(after).toEqual([]);
        const votes = votesIn(steps.slice(place + 1).flat());
        expect(votes.filter((vote) => vote.height === 1)).toEqual([]);
        expect(steps.flat().some((effect) => effect.type === "halt")).toBe(false);
      }
    }
  });

  test("known bug 38: the store confirms the same head again and again: nothing is reset", () => {
    const cluster = tracedRun(true);
    const inputs = inputsOf(node(cluster, 2));
    const plain = replay(node(cluster, 2), inputs);
    const { head } = node(cluster, 2).startedWith ?? { head: null };
    if (head === null) throw new Error("never started");
    const again: Input = {
      type: "committed",
      ...head,
      successor: {
        validatorsAfterNext: cluster.rosterAt(2, head.digest),
        timing: cluster.timingAt(1),
      },
    };
    const mixed = inputs.flatMap((timed) => [{ ...timed, input: again }, timed]);
    const steps = replay(node(cluster, 2), mixed);
    expect(steps.flat()).toEqual(plain.flat());
  });

  test("a COMMIT that is durable only after the decision is still owed to those that lack it", () => {
    const cluster = tracedRun(false);
    const inputs = inputsOf(node(cluster, 2));
    const digest = node(cluster, 2).chain.get(height(1))?.proposal.digest;
    const isCommit = (effects: readonly Effect[] | undefined): boolean =>
      votesIn(effects ?? []).some(({ type }) => type === "commit");
    const plain = replay(node(cluster, 2), inputs);
    const decidedAt = plain.findIndex((effects) => decisions(effects).length > 0) - 1;
    const durableAt = plain.findIndex(isCommit) - 1;
    const durable = inputs[durableAt];
    const others = inputs.filter(
      ({ input }) => input.type === "message" && input.message.type === "commit",
    );
    if (durable?.input.type !== "persisted") throw new Error("the COMMIT waits for its record");
    const decidedMs = inputs[decidedAt]?.nowMs ?? 0;
    /** All others commit before our own record is durable, which comes so much later. */
    const lateBy = (lateMs: number) => {
      const before = inputs.slice(0, durableAt);
      const told = others.map(({ input }) => ({ input, nowMs: decidedMs }));
      const late = { input: durable.input, nowMs: decidedMs + lateMs };
      return replay(node(cluster, 2), [...before, ...told, late]);
    };
    const steps = lateBy(100);
    expect(decisions(steps.slice(0, -1).flat())).toHaveLength(1);
    expect(votesIn(steps.at(-1) ?? [])).toMatchObject([{ type: "commit", height: 1, digest }]);
    // Who is that late is told the decision by everybody: one more vote would ask for it.
    expect(votesIn(lateBy(249).at(-1) ?? [])).toHaveLength(1);
    expect(votesIn(lateBy(250).at(-1) ?? [])).toEqual([]);
  });

  test("no vote leaves before its record is durable: without `persisted` none is sent", () => {
    for (const isPrimarySilent of [false, true]) {
      const cluster = tracedRun(isPrimarySilent);
      for (const number of [0, 1, 2, 3]) {
        if (number === 1 && isPrimarySilent) continue;
        const inputs = inputsOf(node(cluster, number));
        const sent = votesIn(replay(node(cluster, number), inputs).flat());
        expect(sent.length).toBeGreaterThan(1);
        const deaf = inputs.filter(({ input }) => input.type !== "persisted");
        expect(votesIn(replay(node(cluster, number), deaf).flat())).toEqual([]);
      }
    }
  });

  test("a body is durable before the promise to commit it", () => {
    const cluster = tracedRun(false);
    const effects = replay(node(cluster, 2), inputsOf(node(cluster, 2))).flat();
    const promise = effects.findIndex(
      (effect) => effect.type === "persist" && effect.records[0]?.type === "commit-voted",
    );
    expect(promise).toBeGreaterThan(0);
    expect(effects[promise - 1]?.type).toBe("persist-body");
  });

  test("nothing of the next height is prepared before the store confirms this one", () => {
    const cluster = createTestCluster({ n: 4, commitMs: 400 });
    cluster.start();
    for (let block = 0; block < 4; block++) cluster.submit(`a${block}`);
    const early: string[] = [];
    cluster.run(100);
    cluster.submit("b");
    for (let ms = 0; ms < 3000; ms++) {
      cluster.run(1);
      for (const { number, head, log } of cluster.nodes) {
        for (const record of log) {
          if (record.type === "prepare-voted" && record.height > head.height + 1) {
            early.push(`${number}/${record.height}`);
          }
        }
      }
    }
    expect(early).toEqual([]);
    expect(cluster.lowestHead()).toBeGreaterThanOrEqual(2);
    expect(cluster.checks.violations).toEqual([]);
  });

  test("overlap: the next primary proposes while the block before is being committed", () => {
    const at = new Map<number, number>();
    const decided = new Map<number, number>();
    const cluster = createTestCluster({
      n: 4,
      timing: () => ({ minBlockIntervalMs: 1 }),
      script: ({ message, nowMs }) => {
        if (message.type === "pre-prepare" && !at.has(message.height)) {
          at.set(message.height, nowMs);
        }
        if (isOf(message, "commit", message.type === "decided" ? -1 : message.height, 0)) return 50;
        return true;
      },
    });
    cluster.start();
    for (let block = 1; block <= 6; block++) {
      cluster.schedule(block * 5, () => cluster.submit(`t${block}`));
    }
    cluster.runUntil(() => {
      const low = cluster.lowestHead();
      if (!decided.has(low)) decided.set(low, cluster.nowMs);
      return low >= 3;
    }, 3000);
    expect(at.get(2)).toBeLessThan(decided.get(1) ?? 0);
    expect(cluster.checks.violations).toEqual([]);
  });
});
