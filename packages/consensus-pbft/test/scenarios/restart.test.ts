import { equalBytes, height, validatorIndex, view } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import { createTestCluster, type TestCluster } from "../../src/compliance.ts";
import type { Message } from "../../src/messages.ts";
import { createReplica } from "../../src/replica.ts";
import { expectProgress, isOf } from "./helpers.ts";

function restartAll(cluster: TestCluster): void {
  for (const node of cluster.nodes) node.crash();
  for (const node of cluster.nodes) node.start();
}

describe("crash and restart", () => {
  test("known bug 26: all crash after COMMIT was sent: the lock comes back from the log", () => {
    let isCut = true;
    const cluster = createTestCluster({
      n: 4,
      script: ({ message }) => !(isCut && message.type === "commit"),
    });
    cluster.start();
    cluster.submit("locked");
    expect(
      cluster.runUntil(
        () => cluster.nodes.every((node) => node.replica.status.phase === "prepared"),
        2000,
      ),
    ).toBe(true);
    cluster.run(20);
    const prepared = cluster.nodes[0]?.log.find((record) => record.type === "commit-voted");
    restartAll(cluster);
    cluster.run(10);
    expect(cluster.lowestHead()).toBe(0);
    isCut = false;
    expect(cluster.runUntil(() => cluster.lowestHead() >= 1, 10_000)).toBe(true);
    const decided = cluster.nodes[3]?.chain.get(height(1))?.proposal.digest;
    if (prepared?.type !== "commit-voted" || decided === undefined) throw new Error("no lock");
    expect(equalBytes(decided, prepared.certificate.digest)).toBe(true);
    expectProgress(cluster, 3, 6000);
  });

  test("known bug 34: all restart right after a view change, and resume in exactly that view", () => {
    let isCut = true;
    const cluster = createTestCluster({
      n: 4,
      script: ({ message }) =>
        !(isCut && (message.type === "pre-prepare" || message.type === "view-change")),
    });
    cluster.start();
    cluster.submit("again");
    const inView1 = () => cluster.nodes.every((node) => node.replica.status.view === 1);
    expect(cluster.runUntil(inView1, 6000)).toBe(true);
    cluster.run(5);
    restartAll(cluster);
    expect(inView1()).toBe(true);
    isCut = false;
    expect(cluster.runUntil(() => cluster.lowestHead() >= 1, 3000)).toBe(true);
    expect(cluster.nodes[0]?.chain.get(height(1))?.certificate.view).toBe(1);
    expectProgress(cluster, 3, 6000);
  });

  test("all restart in a view that they entered locked: the same VIEW-CHANGE is sent again", () => {
    let isCut = true;
    const cluster = createTestCluster({
      n: 4,
      script: ({ message }) =>
        !isOf(message, "commit", 1, 0) &&
        !(
          isCut &&
          (message.type === "pre-prepare" || message.type === "view-change") &&
          message.view > 0
        ),
    });
    cluster.start();
    cluster.submit("locked in view 0");
    const inView1 = () => cluster.nodes.every((node) => node.replica.status.view === 1);
    expect(cluster.runUntil(inView1, 6000)).toBe(true);
    cluster.run(5);
    const locked = cluster.nodes[0]?.log.find((record) => record.type === "commit-voted");
    restartAll(cluster);
    isCut = false;
    expect(cluster.runUntil(() => cluster.lowestHead() >= 1, 6000)).toBe(true);
    if (locked?.type !== "commit-voted") throw new Error("no lock");
    const decided = cluster.nodes[0]?.chain.get(height(1))?.proposal.digest;
    expect(decided).toEqual(locked.certificate.digest);
    expect(cluster.checks.violations).toEqual([]);
  });

  test("known bug 35: a rolling restart at each phase of a block", () => {
    for (let delay = 0; delay < 24; delay++) {
      const cluster = createTestCluster({ n: 4, fsyncMs: 2 });
      cluster.start();
      for (const node of cluster.nodes) {
        cluster.submit(`block of ${node.number}`);
        cluster.run(delay);
        node.crash();
        cluster.run(3);
        node.start();
        cluster.run(30);
      }
      expectProgress(cluster, 2, 15_000);
    }
  });

  test("the power fails everywhere at every millisecond of a block: no fork, no second vote", () => {
    for (let delay = 0; delay < 40; delay++) {
      const cluster = createTestCluster({ n: 4, fsyncMs: 2, delayMs: [1, 5], seed: delay });
      cluster.start();
      cluster.submit("block");
      cluster.run(delay);
      restartAll(cluster);
      expect(cluster.runUntil(() => cluster.lowestHead() >= 1, 10_000)).toBe(true);
      expectProgress(cluster, 1, 10_000);
    }
  });

  test("a replica whose log is gone abstains: it follows and never votes", () => {
    const cluster = createTestCluster({ n: 4 });
    cluster.start();
    expectProgress(cluster, 2, 3000);
    const node = cluster.nodes[2];
    node?.crash();
    if (node !== undefined) node.log = [];
    node?.start(true);
    const before = cluster.nodes[0]?.head.height ?? 0;
    for (let block = 0; block < 4; block++) {
      cluster.submit(`more ${block}`);
      expect(cluster.runUntil(() => cluster.lowestHead() >= before + block + 1, 15_000)).toBe(true);
    }
    expect(node?.replica.status.abstaining).toBe(true);
    expect(node?.log.filter((record) => record.type !== "decided")).toEqual([]);
    expect(cluster.checks.violations).toEqual([]);
  });

  test("a vote of our own that our log does not know: stop voting", () => {
    const cluster = createTestCluster({ n: 4 });
    cluster.start();
    const ours = cluster.nodes[2];
    const template = { height: height(1), view: view(0), digest: cluster.genesisDigest };

    const vote = cluster.sign(2, { type: "prepare", ...template, sender: validatorIndex(2) });
    cluster.deliver(0, 2, vote);
    cluster.run(10);
    expect(ours?.replica.status.abstaining).toBe(true);
    expect(ours?.reports.has("CONSENSUS_OWN_VOTE_UNKNOWN")).toBe(true);
  });

  test("another process with our key: stop voting, across a restart too", () => {
    const cluster = createTestCluster({ n: 4, fsyncMs: 2, delayMs: [1, 1] });
    cluster.start();
    cluster.submit("under way");
    const ours = cluster.nodes[2];
    const votes = () =>
      cluster.delivered.filter(({ from, message }) => from === 2 && message.type !== "decided");
    // Its PREPARE is being made durable.
    const isWaiting = () => (ours?.replica.status.phase ?? "idle") !== "idle";
    expect(cluster.runUntil(isWaiting, 3000)).toBe(true);
    expect(votes()).toEqual([]);
    ours?.feed({ type: "key-shared" });
    ours?.feed({ type: "key-shared" });
    expect(cluster.runUntil(() => cluster.lowestHead() >= 1, 15_000)).toBe(true);
    cluster.run(2000);
    expect(votes()).toEqual([]);
    expect(ours?.replica.status.abstaining).toBe(true);
    expect(ours?.reports.get("CONSENSUS_KEY_SHARED")).toBe(1);
    expect(ours?.log.filter(({ type }) => type === "abstained")).toHaveLength(1);
    ours?.crash();
    ours?.start();
    expect(ours?.replica.status.abstaining).toBe(true);
    expect(cluster.checks.violations).toEqual([]);
  });

  test("a store behind the vote log: no vote at the heights that the log knows decided", () => {
    const cluster = createTestCluster({ n: 4 });
    cluster.start();
    expectProgress(cluster, 3, 3000);
    const node = cluster.nodes[2];
    if (node?.startedWith === null || node === undefined) throw new Error("never started");
    const replica = createReplica(node.options, { ...node.startedWith, records: node.log });
    const effects = [...replica.start(cluster.nowMs)];
    effects.push(...replica.step({ type: "work", pending: true }, cluster.nowMs));
    for (let wait = 1; wait < 20; wait++) {
      const timer = { kind: "view", height: height(1), view: view(0) } as const;
      effects.push(...replica.step({ type: "timer", timer }, cluster.nowMs + wait * 1000));
    }
    const sent = effects.filter((effect) => effect.type === "broadcast");
    expect(sent).toEqual([]);
    expect(effects.filter((effect) => effect.type === "persist")).toEqual([]);
  });

  test("a node that was down for thirty blocks is brought back and votes again", () => {
    const cluster = createTestCluster({ n: 4 });
    cluster.start();
    cluster.nodes[3]?.crash();
    for (let block = 1; block <= 30; block++) {
      cluster.submit(`b${block}`);
      expect(cluster.runUntil(() => cluster.lowestHead() >= block, 10_000)).toBe(true);
    }
    cluster.nodes[3]?.start();
    expect(cluster.runUntil(() => cluster.nodes[3]?.head.height === 30, 3000)).toBe(true);
    cluster.nodes[0]?.crash();
    cluster.submit("with the one that came back");
    expect(cluster.runUntil(() => cluster.lowestHead() >= 31, 10_000)).toBe(true);
    expect(cluster.checks.violations).toEqual([]);
  });

  test("one block missed, nothing else going on: its own late votes get it DECIDED", () => {
    const cluster = createTestCluster({
      n: 4,
      status: false,
      script: ({ message, to, nowMs }) =>
        to !== 3 || nowMs > 1_700_000_000_400 || !isVote(message, "commit"),
    });
    cluster.start();
    cluster.submit("missed");
    expect(cluster.runUntil(() => cluster.lowestHead([0, 1, 2]) >= 1, 1000)).toBe(true);
    cluster.run(100);
    expect(cluster.nodes[3]?.head.height).toBe(0);
    expect(cluster.runUntil(() => cluster.lowestHead() >= 1, 2000)).toBe(true);
    expect(cluster.nodes.some((node) => node.reports.has("CONSENSUS_LATE_MESSAGE_ANSWERED"))).toBe(
      true,
    );
    expect(cluster.checks.violations).toEqual([]);
  });
});

function isVote(message: Message, type: Message["type"]): boolean {
  return message.type === type && !isOf(message, type, -1, -1);
}
