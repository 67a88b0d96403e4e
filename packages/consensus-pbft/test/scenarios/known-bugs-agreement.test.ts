import { equalBytes, height, toHex, validatorIndex, view } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import { createTestCluster, INVALID_TRANSACTION, type TestCluster } from "../../src/compliance.ts";
import type { Message, PreparedCertificate, ViewChangeVote } from "../../src/messages.ts";
import { expectProgress, isOf } from "./helpers.ts";
import { BAD, blockOn, bytes, clusterWithLiar, h1, LIVE, prePrepare, tell, v0 } from "./liar.ts";

/** Node 0 alone hears the COMMITs of (1, 0): it decides, and nobody knows that it did. */
function decidedByOneAlone(n: number): TestCluster {
  const cluster = createTestCluster({
    n,
    status: false,
    script: ({ message, to }) => !(isOf(message, "commit", 1, 0) && to !== 0),
  });
  cluster.start();
  cluster.submit("decided by one alone");
  expect(cluster.runUntil(() => cluster.nodes[0]?.head.height === 1, 2000)).toBe(true);
  return cluster;
}

function digestAt(cluster: TestCluster, node: number, at: number): Uint8Array | undefined {
  return cluster.nodes[node]?.chain.get(height(at))?.proposal.digest;
}

describe("what others decided twice", () => {
  for (const n of [4, 5, 7, 10]) {
    test(`known bug 1: one of ${n} decided, the rest restart and change the view: same block`, () => {
      const cluster = decidedByOneAlone(n);
      const rest = cluster.nodes.map(({ number }) => number).filter((number) => number !== 0);
      for (const number of rest) cluster.nodes[number]?.crash();
      cluster.partition(rest);
      for (const number of rest) cluster.nodes[number]?.start();
      cluster.submit("another block would do as well", rest);
      expect(cluster.runUntil(() => cluster.lowestHead(rest) >= 1, 10_000)).toBe(true);
      for (const number of rest) {
        expect(digestAt(cluster, number, 1)).toEqual(digestAt(cluster, 0, 1));
        expect(cluster.nodes[number]?.chain.get(height(1))?.certificate.view).toBeGreaterThan(0);
      }
      cluster.partition();
      expectProgress(cluster, 2, 10_000);
    });
  }

  test("known bug 5: no fast path: q PREPAREs, however many, decide nothing", () => {
    const cluster = createTestCluster({
      n: 4,
      status: false,
      script: ({ message }) => message.type !== "commit",
    });
    cluster.start();
    cluster.submit("prepared by all");
    cluster.run(20_000);
    for (const node of cluster.nodes) {
      expect(node.log.some((record) => record.type === "commit-voted")).toBe(true);
      expect(node.head.height).toBe(0);
    }
    expect(cluster.checks.violations).toEqual([]);
  });

  test("known bug 7: each view's certificate reaches one replica only: still one block follows", () => {
    const cluster = createTestCluster({
      n: 4,
      script: ({ message, to }) => {
        if (message.type !== "commit" && message.type !== "prepare") return true;
        if (message.height > 1 || message.view >= 5) return true;
        return message.type === "prepare" && to === (message.view + 2) % 4;
      },
    });
    cluster.start();
    cluster.submit("shown to one, then silence");
    expect(cluster.runUntil(() => cluster.lowestHead() >= 1, 120_000)).toBe(true);
    const decided = cluster.nodes[0]?.chain.get(height(1));
    expect(decided?.certificate.view).toBeGreaterThanOrEqual(5);
    expect(decided?.proposal.proposer).toBe(1);
    expectProgress(cluster, 3, 20_000);
  });

  test("known bug 8: no justification lets a fresh block over one that was decided", () => {
    const heard: Message[] = [];
    const cluster = createTestCluster({
      n: 4,
      status: false,
      script: ({ message, to, from }) => {
        if (to === 2 && from !== 2 && !isOf(message, "commit", 1, 0)) heard.push(message);
        return !(isOf(message, "commit", 1, 0) && to !== 0);
      },
    });
    cluster.byzantine.add(2);
    cluster.start();
    // The liar is the primary of (1, 1); it prepares honestly in view 0.
    const wanted = () => heard.find((one) => isOf(one, "pre-prepare", 1, 0));
    cluster.submit("decided");
    expect(cluster.runUntil(() => wanted() !== undefined, 1000)).toBe(true);
    const first = wanted();
    if (first?.type !== "pre-prepare") throw new Error("no proposal");
    const two = validatorIndex(2);
    const { digest } = first;
    const votes = ["prepare", "commit"] as const;
    for (const type of votes) {
      tell(cluster, { type, height: h1, view: v0, digest, sender: two }, [0, 1, 3]);
    }
    expect(cluster.runUntil(() => cluster.nodes[0]?.head.height === 1, 1000)).toBe(true);
    cluster.partition([1, 2, 3]);
    cluster.schedule(2000, () => {
      tell(cluster, { type: "wish", height: h1, view: view(1), sender: two }, [1, 3]);
    });
    const changes = () =>
      heard.flatMap((one) => (one.type === "view-change" && one.view === 1 ? [one] : []));
    expect(cluster.runUntil(() => changes().length >= 2, 10_000)).toBe(true);
    const own = cluster.sign(2, {
      type: "view-change",
      height: h1,
      view: view(1),
      preparedView: null,
      preparedDigest: null,
      sender: two,
      prepared: null,
    });
    if (own.type !== "view-change") throw new Error("not a view change");
    const honest = changes().slice(0, 2);
    const signed = [...honest, own].sort((a, b) => a.sender - b.sender).map(signedPart);
    const certificate = honest[0]?.prepared ?? null;
    expect(certificate).not.toBe(null);
    const fresh = blockOn(cluster, [bytes("over it")], h1, two);
    for (const justification of forgeries(signed, signedPart(own), certificate)) {
      tell(cluster, prePrepare(fresh, view(1), justification, two), [1, 3]);
    }
    cluster.run(400);
    for (const node of [1, 3]) {
      expect(cluster.nodes[node]?.known.has(toHex(fresh.digest))).toBe(true);
      expect(cluster.nodes[node]?.log.some((record) => isPrepareFor(record, fresh.digest))).toBe(
        false,
      );
    }
    cluster.partition();
    expect(cluster.runUntil(() => cluster.lowestHead([1, 3]) >= 1, 30_000)).toBe(true);
    expect(equalBytes(digestAt(cluster, 1, 1) ?? new Uint8Array(), digest)).toBe(true);
    expect(cluster.checks.violations).toEqual([]);
  });

  test("known bug 17: one node is cut off at each moment around a view change", () => {
    for (let victim = 0; victim < 4; victim++) {
      for (let delay = 0; delay < 60; delay += 5) {
        const cluster = createTestCluster({
          n: 4,
          script: ({ message }) => !isOf(message, "pre-prepare", 1, 0),
        });
        cluster.start();
        cluster.submit("cut off");
        cluster.run(1980 + delay);
        cluster.partition([0, 1, 2, 3].filter((node) => node !== victim));
        cluster.run(3000);
        cluster.partition();
        const target = Math.max(...cluster.nodes.map(({ head }) => head.height)) + 1;
        cluster.submit("together again");
        expect(cluster.runUntil(() => cluster.lowestHead() >= target, 10_000)).toBe(true);
        expect(cluster.checks.violations).toEqual([]);
      }
    }
  });

  test("known bug 28: empty blocks and work at the same moment: one block a height", () => {
    for (let seed = 1; seed <= 5; seed++) {
      const cluster = createTestCluster({
        n: 4,
        seed,
        lossRate: 0.05,
        delayMs: [1, 40],
        timing: () => ({ emptyBlockIntervalMs: 300, minBlockIntervalMs: 20 }),
      });
      cluster.start();
      for (let at = 290; at < 6000; at += 100) {
        cluster.schedule(at + (seed % 20), () => cluster.submit(`work ${at}`));
      }
      cluster.run(8000);
      expect(cluster.checks.violations).toEqual([]);
      expect(cluster.lowestHead()).toBeGreaterThan(8);
    }
  });

  test("known bug 40: any one message of the normal case may be lost, of each type", () => {
    for (const type of ["pre-prepare", "prepare", "commit"] as const) {
      const copies = type === "pre-prepare" ? 3 : 12;
      for (let lost = 0; lost < copies; lost++) {
        let seen = 0;
        const cluster = createTestCluster({
          n: 4,
          script: ({ message }) => !isOf(message, type, 1, 0) || seen++ !== lost,
        });
        cluster.start();
        cluster.submit("first");
        expect(cluster.runUntil(() => cluster.lowestHead() >= 1, 6000)).toBe(true);
        expectProgress(cluster, 1, 6000);
      }
    }
  });

  test("known bug 40: all first PREPAREs are lost, or all COMMITs: sent again in the same view", () => {
    for (const type of ["prepare", "commit"] as const) {
      const startMs = 1_700_000_000_000;
      const cluster = createTestCluster({
        n: 4,
        status: false,
        script: ({ message, nowMs }) => !(isOf(message, type, 1, 0) && nowMs < startMs + 300),
      });
      cluster.start();
      cluster.submit("first");
      expect(cluster.runUntil(() => cluster.lowestHead() >= 1, 1900)).toBe(true);
      expect(cluster.nodes[0]?.chain.get(height(1))?.certificate.view).toBe(0);
    }
  });

  test("known bug 61: f colluders vote for an invalid block: no honest vote, no certificate", () => {
    const liars = [1, 4];
    const honest = [0, 2, 3, 5, 6];
    const cluster = createTestCluster({ n: 7 });
    for (const liar of liars) cluster.byzantine.add(liar);
    cluster.start();
    const bad = blockOn(cluster, [INVALID_TRANSACTION]);
    tell(cluster, prePrepare(bad), honest);
    for (const liar of liars) {
      const vote = { height: h1, view: v0, digest: bad.digest, sender: validatorIndex(liar) };
      tell(cluster, { type: "prepare", ...vote }, honest);
      tell(cluster, { type: "commit", ...vote }, honest);
    }
    cluster.submit("honest");
    expect(cluster.runUntil(() => cluster.lowestHead(honest) >= 1, 15_000)).toBe(true);
    for (const node of honest) {
      expect(cluster.nodes[node]?.log.some((one) => isPrepareFor(one, bad.digest))).toBe(false);
      expect(digestAt(cluster, node, 1)).not.toEqual(bad.digest);
    }
    expect(cluster.checks.violations).toEqual([]);
  });

  test("known bug 64: a primary that proposes to nobody, then one that never speaks", () => {
    const cluster = clusterWithLiar();
    cluster.submit("nobody proposes it");
    expect(cluster.runUntil(() => cluster.lowestHead(LIVE) >= 1, 4000)).toBe(true);
    expect(cluster.nodes[BAD]?.alive).toBe(false);
    for (let block = 2; block <= 5; block++) {
      cluster.submit(`block ${block}`);
      expect(cluster.runUntil(() => cluster.lowestHead(LIVE) >= block, 6000)).toBe(true);
    }
    expect(cluster.checks.violations).toEqual([]);
  });

  test("known bug 64: two primaries in a row that never speak: the third one's view decides", () => {
    const cluster = createTestCluster({ n: 7 });
    cluster.start();
    cluster.nodes[1]?.crash();
    cluster.nodes[2]?.crash();
    cluster.submit("passed over twice");
    const live = [0, 3, 4, 5, 6];
    expect(cluster.runUntil(() => cluster.lowestHead(live) >= 1, 10_000)).toBe(true);
    expect(cluster.nodes[0]?.chain.get(h1)?.certificate.view).toBe(2);
    expect(cluster.checks.violations).toEqual([]);
  });
});

/** Justifications that a liar can make of what it has, each against one rule. */
function forgeries(
  signed: readonly ViewChangeVote[],
  own: ViewChangeVote,
  certificate: PreparedCertificate | null,
) {
  return [
    null,
    { viewChanges: signed, prepared: null },
    { viewChanges: [own, own, own], prepared: null },
    { viewChanges: [own], prepared: null },
    { viewChanges: signed, prepared: certificate },
    { viewChanges: [...signed].reverse(), prepared: null },
    { viewChanges: signed.filter((one) => one.preparedView === null), prepared: null },
  ];
}

function signedPart(message: ViewChangeVote): ViewChangeVote {
  const { height: at, view: in_, preparedView, preparedDigest, sender, signature } = message;
  return { height: at, view: in_, preparedView, preparedDigest, sender, signature };
}

function isPrepareFor(record: { readonly type: string }, digest: Uint8Array): boolean {
  return (
    record.type === "prepare-voted" &&
    "digest" in record &&
    record.digest instanceof Uint8Array &&
    equalBytes(record.digest, digest)
  );
}
