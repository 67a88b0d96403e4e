import { type Height, height, validatorIndex, view } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import { createTestCluster, type TestCluster, type TestNode } from "../../src/compliance.ts";
import type { VoteRecord } from "../../src/effects.ts";
import type { Message } from "../../src/messages.ts";
import { createReplica } from "../../src/replica.ts";
import { expectProgress, votesIn } from "./helpers.ts";

function nodeOf(cluster: TestCluster, number: number): TestNode {
  const node = cluster.nodes[number];
  if (node === undefined) throw new Error("no such node");
  return node;
}

/** A cluster of four with a few blocks, whose node 2 has lost its log and abstains. */
function createAmnesiac(blocks = 3) {
  const cluster = createTestCluster({ n: 4 });
  cluster.start();
  expectProgress(cluster, blocks, 3000);
  const node = nodeOf(cluster, 2);
  node.crash();
  node.log = [];
  node.start(true);
  return { cluster, node };
}

function ownVote(cluster: TestCluster, at: number): Message {
  const sender = validatorIndex(2);
  const digest = cluster.genesisDigest;
  return cluster.sign(2, { type: "commit", height: height(at), view: view(0), digest, sender });
}

/** What a replica with these records sends when everything invites it to vote at its height. */
function votesOf(node: TestNode, head: Height, records: readonly VoteRecord[]) {
  const { startedWith, options } = node;
  if (startedWith === null) throw new Error("never started");
  const replica = createReplica(options, { ...startedWith, records, abstain: false });
  const effects = [...replica.start(0)];
  for (let wait = 1; wait < 30; wait++) {
    effects.push(...replica.step({ type: "work", pending: true }, wait * 1000));
    const timer = { kind: "view", height: height(head + 1), view: view(0) } as const;
    effects.push(...replica.step({ type: "timer", timer }, wait * 1000));
  }
  return { replica, effects };
}

describe("recovery of a lost vote log", () => {
  test("S-9.2-3: votes again after the witnessed height; the chain then bears another's loss", () => {
    const { cluster, node } = createAmnesiac();
    expectProgress(cluster, 1, 20_000);
    expect(node.replica.status.abstaining).toBe(true);
    const witnessed = node.head.height;
    node.feed({ type: "recovered", height: witnessed });
    expect(node.replica.status.abstaining).toBe(false);
    expect(node.reports.get("CONSENSUS_RECOVERED")).toBe(1);
    nodeOf(cluster, 0).crash();
    expectProgress(cluster, 3, 30_000);
    const voted = node.log.filter(({ type }) => type === "prepare-voted");
    expect(voted.length).toBeGreaterThan(0);
    expect(voted.every((record) => "height" in record && record.height > witnessed)).toBe(true);
  });

  test("joins the view that was entered while it followed, with a durable entry", () => {
    const { cluster, node } = createAmnesiac();
    nodeOf(cluster, 0).crash();
    nodeOf(cluster, 1).crash();
    cluster.submit("stuck");
    cluster.run(10_000);
    nodeOf(cluster, 1).start();
    cluster.run(10_000);
    // Two of four that vote enter no view; what the third brings must start from its entry.
    expect(node.replica.status.view).toBe(0);
    node.feed({ type: "recovered", height: node.head.height });
    expect(cluster.runUntil(() => node.head.height > 3, 60_000)).toBe(true);
    expect(cluster.checks.violations).toEqual([]);
  });

  test("no vote up to the height, no proposal up to one above, by input and by record", () => {
    // Node 2 is primary of height 6.
    const { cluster, node } = createAmnesiac(5);
    const head = node.head.height;
    const later = height(head + 2);
    const { effects } = votesOf(node, head, [{ type: "recovered", height: later }]);
    expect(votesIn(effects)).toEqual([]);
    // At head + 1 it may vote when the witness is the head, and may not propose.
    const fresh = votesOf(node, head, [{ type: "recovered", height: head }]);
    expect(fresh.replica.status.abstaining).toBe(false);
    expect(fresh.effects.some(({ type }) => type === "build-proposal")).toBe(false);
    const free = votesOf(node, head, []);
    expect(free.effects.some(({ type }) => type === "build-proposal")).toBe(true);
    node.feed({ type: "recovered", height: later });
    expectProgress(cluster, 8, 30_000);
    const heights = (type: VoteRecord["type"]) =>
      node.log.flatMap((record) =>
        record.type === type && "height" in record ? [record.height] : [],
      );
    expect(Math.min(...heights("prepare-voted"))).toBe(later + 1);
    expect(Math.min(...heights("proposed"))).toBeGreaterThan(later + 1);
  });

  test("a forgotten vote above the recovered height: abstain again; below it: no reason", () => {
    const { cluster, node } = createAmnesiac();
    const head = node.head.height;
    node.feed({ type: "recovered", height: head });
    node.feed({ type: "own-vote", message: ownVote(cluster, head) });
    expect(node.replica.status.abstaining).toBe(false);
    node.feed({ type: "own-vote", message: ownVote(cluster, head + 1) });
    expect(node.replica.status.abstaining).toBe(true);
  });

  test("a vote far above our head, that we do not know, is forgotten all the same", () => {
    const cluster = createTestCluster({ n: 4 });
    cluster.start();
    const node = nodeOf(cluster, 2);
    node.feed({ type: "own-vote", message: ownVote(cluster, 50) });
    expect(node.replica.status.abstaining).toBe(true);
  });

  test("abstention survives restarts until a recovery is on record", () => {
    const cluster = createTestCluster({ n: 4 });
    cluster.start();
    expectProgress(cluster, 1, 3000);
    const node = nodeOf(cluster, 2);
    node.feed({ type: "own-vote", message: ownVote(cluster, 9) });
    cluster.run(100);
    expect(node.log.at(-1)).toEqual({ type: "abstained", height: 9 });
    node.crash();
    node.start();
    expect(node.replica.status.abstaining).toBe(true);
    node.crash();
    node.log = [{ type: "recovered", height: node.head.height }];
    node.start();
    expect(node.replica.status.abstaining).toBe(false);
    expectProgress(cluster, 2, 20_000);
  });

  test("what was on its way to the disk when it abstained is never sent", () => {
    const cluster = createTestCluster({ n: 4, fsyncMs: 50, trace: true });
    cluster.start();
    const node = nodeOf(cluster, 2);
    cluster.submit("one");
    const effects = () => node.trace.flatMap((step) => step.effects);
    const isPersisting = () => effects().some(({ type }) => type === "persist");
    expect(cluster.runUntil(isPersisting, 3000)).toBe(true);
    expect(votesIn(effects())).toEqual([]);
    node.feed({ type: "own-vote", message: ownVote(cluster, 7) });
    cluster.run(3000);
    expect(votesIn(effects())).toEqual([]);
    expect(cluster.checks.violations).toEqual([]);
  });
});
