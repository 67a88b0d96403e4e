import { createSimulatedClock } from "@credlink/testkit";
import { describe, expect, it } from "vitest";
import { createPeerBudget } from "../../../src/engine/peer-budget.ts";
import { createRecordingLogger } from "../../support/recording.ts";
import { createSilentNetwork } from "../../support/silent-network.ts";

function createBudget() {
  const clock = createSimulatedClock();
  const cuts: string[] = [];
  const network = createSilentNetwork("n0", (peer: string, code: string) =>
    cuts.push(`${peer} ${code}`),
  );
  return { clock, cuts, budget: createPeerBudget(network, clock, createRecordingLogger()) };
}

/** Messages of the consensus until one is refused. */
const BURST = 1_200;
const EXCESS = 5_000;

describe("a peer that sends beyond its allowances", () => {
  it("is dropped up to 5,000 times, and cut at the next, once a second", () => {
    const { cuts, budget } = createBudget();
    for (let at = 0; at < BURST; at++) expect(budget.spend("n1", "consensus")).toBe(true);
    for (let at = 0; at < EXCESS; at++) expect(budget.spend("n1", "consensus")).toBe(false);
    expect(cuts).toEqual([]);
    for (let at = 0; at < 1_000; at++) budget.spend("n1", "consensus");
    expect(cuts).toEqual(["n1 NODE_PEER_FLOOD"]);
    expect(budget.spend("n2", "consensus")).toBe(true);
  });

  it("is never cut for twice its allowance, however long: that is dropped", async () => {
    const { clock, cuts, budget } = createBudget();
    for (let second = 1; second <= 120; second++) {
      for (let at = 0; at < 1_150; at++) budget.spend("n1", "consensus");
      await clock.runUntil(second * 1_000);
    }
    expect(cuts).toEqual([]);
  });

  it("is heard again once its ban has passed", async () => {
    const { clock, cuts, budget } = createBudget();
    for (let at = 0; at < BURST + EXCESS + 1; at++) budget.spend("n1", "consensus");
    expect(cuts).toHaveLength(1);
    await clock.runUntil(60_000);
    for (let at = 0; at < BURST + EXCESS; at++) budget.spend("n1", "consensus");
    expect(cuts).toHaveLength(1);
  });
});

describe("faults of a peer", () => {
  it("cuts after more than twenty faults in a second, not at twenty", () => {
    const { budget, cuts } = createBudget();
    for (let i = 0; i < 20; i++) budget.blame("peer");
    expect(cuts).toEqual([]);
    budget.blame("peer");
    expect(cuts).toEqual(["peer NODE_PEER_INVALID_MESSAGES"]);
  });

  it("forgives what lies in an earlier second, and blames each peer for itself", async () => {
    const { budget, clock, cuts } = createBudget();
    for (let i = 0; i < 20; i++) budget.blame("peer");
    budget.blame("other");
    await clock.runUntil(1_001);
    for (let i = 0; i < 20; i++) budget.blame("peer");
    expect(cuts).toEqual([]);
  });
});

describe("allowances of a peer", () => {
  it("let a burst pass and then the rate; each is apart, and each peer's own", async () => {
    const { budget, clock, cuts } = createBudget();
    const passed = (peer: string, times: number) =>
      Array.from({ length: times }, () => budget.spend(peer, "consensus")).filter(Boolean).length;
    expect(passed("peer", 2_000)).toBe(1_200);
    expect(passed("other", 1)).toBe(1);
    expect(budget.spend("peer", "status")).toBe(true);
    await clock.runUntil(1_000);
    expect(passed("peer", 2_000)).toBe(600);
    // Who asks for somewhat too much gets no more, and stays.
    expect(cuts).toEqual([]);
  });

  it("bear a debt that must be paid off first", async () => {
    const { budget, clock } = createBudget();
    expect(budget.spend("peer", "requests", 600)).toBe(true);
    expect(budget.spend("peer", "requests", 0)).toBe(false);
    await clock.runUntil(2_000);
    expect(budget.spend("peer", "requests")).toBe(false);
    await clock.runUntil(2_011);
    expect(budget.spend("peer", "requests")).toBe(true);
  });
});
