import { height, validatorIndex, view } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import { createTestCluster, type TestCluster } from "../../src/compliance.ts";
import type { Input } from "../../src/effects.ts";
import type { UnsignedMessage, Wish } from "../../src/messages.ts";
import { expectProgress, inputsOf, isOf, replay } from "./helpers.ts";
import { h1, v0 } from "./liar.ts";

function highestView(cluster: TestCluster): number {
  return Math.max(...cluster.nodes.map((node) => (node.alive ? node.replica.status.view : 0)));
}

describe("views that others could not change, or not stop changing", () => {
  test("known bug 14: a storm of view changes while the replicas stand at different heights", () => {
    for (let seed = 1; seed <= 6; seed++) {
      const cluster = createTestCluster({ n: 4, seed, lossRate: 0.1 });
      cluster.start();
      // Node 3 stays at 0, node 2 at 1, and both wish and change views there.
      cluster.partition([0, 1, 2]);
      cluster.submit("first");
      expect(cluster.runUntil(() => cluster.lowestHead([0, 1, 2]) >= 1, 10_000)).toBe(true);
      cluster.partition([0, 1], [2], [3]);
      cluster.submit("second");
      cluster.run(5000);
      cluster.partition([0, 1, 3], [2]);
      cluster.run(3000);
      cluster.partition();
      expectProgress(cluster, 3, 20_000);
    }
  });

  test("known bug 29: one liar's VIEW-CHANGE with each field mutated poisons nobody", () => {
    const place = { height: h1, sender: validatorIndex(1) };
    const nothing = { preparedView: null, preparedDigest: null, prepared: null };
    const cluster = createTestCluster({ n: 4 });
    const digest = cluster.genesisDigest;
    const hollow = { height: h1, view: v0, digest, signatures: [] };
    const some = { preparedView: v0, preparedDigest: digest };
    const mutations: readonly UnsignedMessage[] = [
      { type: "view-change", ...place, view: v0, ...nothing },
      { type: "view-change", ...place, view: view(1), ...nothing },
      { type: "view-change", ...place, view: view(2 ** 31), ...nothing },
      { type: "view-change", ...place, view: view(1), ...some, prepared: null },
      { type: "view-change", ...place, view: view(1), ...some, prepared: hollow },
      { type: "view-change", ...place, view: view(1), ...nothing, prepared: hollow },
      { type: "view-change", ...place, view: view(1), ...nothing, preparedView: v0 },
      { type: "view-change", ...place, view: view(1), ...nothing, preparedDigest: digest },
      {
        type: "view-change",
        ...place,
        view: view(1),
        preparedView: view(1),
        preparedDigest: digest,
        prepared: { ...hollow, view: view(1) },
      },
      { type: "view-change", height: height(2), sender: place.sender, view: view(7), ...nothing },
    ];
    for (const [at, message] of mutations.entries()) {
      const fresh = createTestCluster({ n: 4 });
      fresh.byzantine.add(1);
      fresh.start();
      fresh.submit("under fire");
      for (let ms = 0; ms < 4000; ms += 500) {
        fresh.schedule(ms, () => {
          for (const to of [0, 2, 3]) fresh.deliver(1, to, fresh.sign(1, message));
        });
      }
      const live = [0, 2, 3];
      const done = fresh.runUntil(() => fresh.lowestHead(live) >= 1, 10_000);
      expect([at, done]).toEqual([at, true]);
      // The liar's own view 0 is silent; the first view of an honest primary decides.
      expect([at, fresh.nodes[0]?.chain.get(h1)?.certificate.view]).toEqual([at, 1]);
      fresh.submit("and after");
      expect(fresh.runUntil(() => fresh.lowestHead(live) >= 2, 10_000)).toBe(true);
      expect(fresh.checks.violations).toEqual([]);
    }
  });

  test("known bug 32: replicas that recover one after another meet in one view", () => {
    for (const gapMs of [100, 900, 2100, 5000]) {
      const cluster = createTestCluster({ n: 7 });
      cluster.start();
      for (const node of cluster.nodes) node.crash();
      for (const node of cluster.nodes) {
        cluster.run(gapMs);
        node.start();
        cluster.submit(`node ${node.number} is back`);
      }
      expect(cluster.runUntil(() => cluster.lowestHead() >= 1, 10_000)).toBe(true);
      expect(highestView(cluster)).toBeLessThan(4);
      expectProgress(cluster, 3, 10_000);
    }
  });

  test("known bug 37: q wishes arrive at every place among the votes: decided once, no dead end", () => {
    const cluster = createTestCluster({ n: 4, trace: true });
    cluster.start();
    cluster.submit("one");
    expect(cluster.runUntil(() => cluster.lowestHead() >= 1, 3000)).toBe(true);
    cluster.run(20);
    const node = cluster.nodes[2];
    if (node === undefined) throw new Error("no such node");
    const inputs = inputsOf(node);
    const wishes: Input[] = [0, 1, 3].map((sender) => ({
      type: "message",
      message: wishOf(sender),
    }));
    for (let place = 0; place <= inputs.length; place++) {
      const nowMs = inputs[Math.min(place, inputs.length - 1)]?.nowMs ?? 0;
      const mixed = inputs.toSpliced(place, 0, ...wishes.map((input) => ({ input, nowMs })));
      const effects = replay(node, mixed).flat();
      // Who left view 0 before its pre-prepare came holds the certificate and fetches the block.
      const ends = effects.filter(({ type }) => type === "decide" || type === "sync");
      expect([place, ends.length]).toEqual([place, 1]);
      expect(effects.some(({ type }) => type === "halt")).toBe(false);
    }
  });

  for (const [name, leaver] of [
    ["known bug 41: validators change during a view change; the primary stays", 0],
    ["known bug 48: validators change during a view change; the primary is removed", 3],
  ] as const) {
    test(name, () => {
      const cluster = createTestCluster({
        n: 5,
        members: (at) => (at < 4 ? [0, 1, 2, 3] : [1, 2, 3, 4, 0].filter((one) => one !== leaver)),
        // Heights 3 and 4, the last of the old list and the first of the new, need a second view.
        script: ({ message }) =>
          !isOf(message, "pre-prepare", 3, 0) && !isOf(message, "pre-prepare", 4, 0),
      });
      cluster.start();
      expectProgress(cluster, 8, 20_000);
      const at4 = cluster.nodes[1]?.chain.get(height(4));
      expect(at4?.certificate.view).toBeGreaterThan(0);
      expect(cluster.nodes[leaver]?.replica.status.self).toBe(null);
    });
  }

  test("known bug 49: q view changes without any wish take a replica along", () => {
    const cluster = createTestCluster({
      n: 4,
      script: ({ message, to }) =>
        !isOf(message, "pre-prepare", 1, 0) &&
        !(to === 3 && (message.type === "wish" || isOf(message, "pre-prepare", 1, 1))),
    });
    cluster.start();
    cluster.submit("no wish arrives at node 3");
    expect(cluster.runUntil(() => cluster.nodes[3]?.replica.status.view === 1, 4000)).toBe(true);
    cluster.run(2);
    expect(cluster.nodes[3]?.log[0]).toEqual({
      type: "entered-view",
      height: h1,
      view: view(1),
    });
    expectProgress(cluster, 2, 6000);
  });
});

function wishOf(sender: number): Wish {
  return {
    type: "wish",
    height: h1,
    view: view(1),
    sender: validatorIndex(sender),
    signature: new Uint8Array(64),
  };
}
