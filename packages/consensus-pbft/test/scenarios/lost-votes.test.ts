import { height } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import { createTestCluster, type TestCluster } from "../../src/compliance.ts";
import { expectProgress, isOf } from "./helpers.ts";

/** T0 is at its lower bound, f are down, and everybody else is needed for a quorum. */
interface Scene {
  readonly n: number;
  readonly down: readonly number[];
  /** Height of the loss; its primary and the next one are up. */
  readonly at: number;
}

const scenes: readonly Scene[] = [
  { n: 4, down: [0], at: 13 },
  { n: 7, down: [6, 0], at: 15 },
];

type Lossy = "pre-prepare" | "prepare" | "commit";

/** From whom to whom the first message of the height is lost. */
type Way = readonly [from: number, to: number];

function liveOf({ n, down }: Scene): readonly number[] {
  return Array.from({ length: n }, (_, number) => number).filter(
    (number) => !down.includes(number),
  );
}

/** One copy is lost, or all copies of one sender. */
function lossesOf(scene: Scene, type: Lossy): readonly (readonly Way[])[] {
  const live = liveOf(scene);
  const others = (from: number): readonly Way[] =>
    live.filter((to) => to !== from).map((to) => [from, to]);
  if (type === "pre-prepare") {
    const ways = others(scene.at % scene.n);
    return [...ways.map((way) => [way]), ways];
  }
  const ring = live.map((to, place): Way => [live[(place + 1) % live.length] ?? to, to]);
  return [...ring.map((way) => [way]), ...live.map(others)];
}

/** Runs to the height before the loss, with f down from there on. */
function clusterLosing({ n, down, at }: Scene, type: Lossy, ways: readonly Way[]): TestCluster {
  const left = [...ways];
  const cluster = createTestCluster({
    n,
    executeMs: 60,
    script: ({ from, to, message }) => {
      if (!isOf(message, type, at, 0)) return true;
      const hit = left.findIndex((way) => way[0] === from && way[1] === to);
      if (hit >= 0) left.splice(hit, 1);
      return hit < 0;
    },
  });
  cluster.start();
  expectProgress(cluster, at - 1, 6000);
  for (const number of down) cluster.nodes[number]?.crash();
  return cluster;
}

function timeoutsOf(cluster: TestCluster): number {
  const counts = cluster.nodes.map(({ reports }) => reports.get("CONSENSUS_VIEW_TIMEOUT") ?? 0);
  return counts.reduce((a, b) => a + b, 0);
}

/**
 * Work for two blocks, the second as soon as anybody has the first: both keep their primaries, and
 * nobody's timer runs out.
 */
function expectTurnsKept(scene: Scene, type: Lossy, ways: readonly Way[]): void {
  const { n, at } = scene;
  const cluster = clusterLosing(scene, type, ways);
  const before = timeoutsOf(cluster);
  const live = liveOf(scene);
  const heads = (): readonly number[] => live.map((one) => cluster.nodes[one]?.head.height ?? 0);
  cluster.submit("a message of its block is lost");
  expect(cluster.runUntil(() => Math.max(...heads()) >= at, 3000)).toBe(true);
  cluster.submit("the next turn");
  expect(cluster.runUntil(() => Math.min(...heads()) >= at + 1, 3000)).toBe(true);
  const lost = ways.map((way) => way.join(" to ")).join(", ");
  for (const decided of [at, at + 1]) {
    const block = cluster.nodes[live[0] ?? 0]?.chain.get(height(decided));
    expect(block?.proposal.proposer, `block ${decided}, lost ${lost}`).toBe(decided % n);
    expect(block?.certificate.view, `block ${decided}, lost ${lost}`).toBe(0);
  }
  expect(timeoutsOf(cluster), `lost ${lost}`).toBe(before);
  expect(cluster.checks.violations).toEqual([]);
}

describe("a message lost while every live validator is needed and timeouts are at their shortest", () => {
  for (const scene of scenes) {
    const { n } = scene;
    const expectAll = (type: Lossy): void => {
      for (const ways of lossesOf(scene, type)) expectTurnsKept(scene, type, ways);
    };
    test(`a lost pre-prepare of ${n} costs nobody a timeout`, () => expectAll("pre-prepare"));
    test(`a lost prepare of ${n} costs nobody a timeout`, () => expectAll("prepare"));
    test(`a lost commit of ${n} costs nobody a timeout`, () => expectAll("commit"));
  }
});
