import {
  createSeededRandom,
  createSimulatedClock,
  createSimulatedNetwork,
} from "@credlink/testkit";
import { describe, expect, it } from "vitest";
import {
  CLOCK_ALARM_MS,
  CLOCK_INTERVAL_MS,
  CLOCK_LINE_INTERVAL_MS,
  createClockCheck,
} from "../../../src/engine/clock-check.ts";
import { createInstruments, engineMetrics } from "../../../src/engine/metrics.ts";
import { createRecordingLogger, createRecordingMetrics } from "../../support/recording.ts";

/** Nodes whose wall clocks are so many milliseconds off; n0 is the one that is looked at. */
function createNodes(skewsMs: readonly number[], latencyMs = 1) {
  const clock = createSimulatedClock();
  const network = createSimulatedNetwork({
    clock,
    random: createSeededRandom(1),
    defaults: { minLatencyMs: latencyMs, maxLatencyMs: latencyMs },
  });
  const names = skewsMs.map((_, index) => `n${index}`);
  const logger = createRecordingLogger();
  const metrics = createRecordingMetrics();
  const checks = skewsMs.map((skewMs, index) => {
    const id = names[index] ?? "";
    const peer = { id, organization: id, role: "validator", provisional: false };
    const check = createClockCheck({
      network: network.attach(peer),
      clock: clock.process(skewMs),
      logger,
      instruments: createInstruments(metrics),
      budget: { spend: () => true },
      validators: () => names.filter((name) => name !== id),
      requestTimeoutMs: 500,
    });
    check.serve();
    return check;
  });
  const first = checks[0];
  if (first === undefined) throw new Error("one node at least");
  const lines = () => logger.entries.filter(({ level }) => level === "warn");
  /** So many rounds of questions and answers. */
  const rounds = async (count: number): Promise<void> => {
    for (let round = 0; round < count; round++) {
      first.tick();
      await clock.runUntil(clock.monotonicMs() + CLOCK_INTERVAL_MS);
    }
    first.tick();
  };
  return { network, check: first, lines, rounds, metrics };
}

describe("the clock check", () => {
  it("knows nothing until a validator has answered", () => {
    expect(createNodes([0]).check.offsetMs()).toBeNull();
    expect(createNodes([0, 0, 0, 0]).check.offsetMs()).toBeNull();
  });

  it.each([
    { n: 4, skews: [0, 250, 250, 250], expected: 250 },
    { n: 4, skews: [300, 0, 0, 0], expected: -300 },
    { n: 5, skews: [0, 40, 50, 60, 70], expected: 50 },
    { n: 7, skews: [0, 10, 10, 10, 10, 3_600_000, -3_600_000], expected: 10 },
    { n: 10, skews: [0, 5, 5, 5, 5, 5, 5, 9_000, 9_000, 9_000], expected: 5 },
  ])("finds the middle of $n clocks, whatever f of them say", async ({ skews, expected }) => {
    const { check, rounds, metrics } = createNodes(skews);
    await rounds(1);
    expect(check.offsetMs()).toBeCloseTo(expected, 0);
    expect(metrics.value(engineMetrics.clockOffset)).toBeCloseTo(expected / 1_000, 2);
  });

  it("says so beyond 100 ms, not at 100 ms, and then once a minute", async () => {
    const quiet = createNodes([0, CLOCK_ALARM_MS, CLOCK_ALARM_MS, CLOCK_ALARM_MS], 0);
    await quiet.rounds(3);
    expect(quiet.lines()).toEqual([]);
    const off = CLOCK_ALARM_MS + 1;
    const loud = createNodes([0, off, off, off], 0);
    await loud.rounds(1);
    expect(loud.lines()).toEqual([
      {
        level: "warn",
        message: "our clock differs from the validators' clocks",
        fields: { code: "NODE_CLOCK_OFF", offsetMs: off },
      },
    ]);
    await loud.rounds(CLOCK_LINE_INTERVAL_MS / CLOCK_INTERVAL_MS);
    expect(loud.lines()).toHaveLength(2);
  });

  it("does not take slow answers for a clock that is off", async () => {
    const { network, check, lines, rounds } = createNodes([0, 0, 0, 0]);
    for (const peer of ["n1", "n2", "n3"]) {
      network.setLink("n0", peer, { minLatencyMs: 0, maxLatencyMs: 0 });
      network.setLink(peer, "n0", { minLatencyMs: 300, maxLatencyMs: 300 });
    }
    await rounds(2);
    expect(check.offsetMs()).toBeCloseTo(-150, 0);
    expect(lines()).toEqual([]);
  });

  it("gives no say to who does not answer any more", async () => {
    const { network, check, rounds } = createNodes([0, 500, 500, 20]);
    await rounds(1);
    expect(check.offsetMs()).toBeCloseTo(500, 0);
    network.setCut("n1", "n0", true);
    network.setCut("n2", "n0", true);
    await rounds(2);
    expect(check.offsetMs()).toBeCloseTo(20, 0);
  });
});
