import { createSimulatedClock } from "@credlink/testkit";
import { describe, expect, it } from "vitest";
import { createPeerBudget } from "../../../src/engine/peer-budget.ts";
import { createRecordingLogger } from "../../support/recording.ts";

function createBudget() {
  const clock = createSimulatedClock();
  const cuts: string[] = [];
  const network = {
    self: "n0",
    peers: () => [],
    send: () => {},
    request: async () => new Uint8Array(0),
    onMessage: () => {},
    onRequest: () => {},
    onPeerChange: () => {},
    disconnect: (peer: string, code: string) => cuts.push(`${peer} ${code}`),
  };
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
