import { describe, expect, it } from "vitest";
import { runBatch, type TwinsBatch, type TwinsShape } from "../../src/index.ts";

const four: TwinsShape = { validators: 4, twins: 1, blocks: 2, views: 2, restart: null };

/** Runs scenarios of a shape: all of them, or the first `count` of a sample. */
function run(shape: TwinsShape, count: number, rest: Partial<TwinsBatch> = {}) {
  return runBatch({ shape, mode: "open", seed: 1, from: 0, count, ...rest });
}

describe("Twins: two processes with one key, and a network that is cut anew in every view", () => {
  it("holds for every scenario of two views at n = 4, whether wishes pass or not", () => {
    for (const mode of ["open", "closed"] as const) {
      const tally = run(four, 64 ** 2, { seed: null, mode });
      expect(tally.failed).toEqual([]);
      expect(tally.scenarios).toBe(4_096);
      // Scenarios that no twin could use would show nothing.
      for (const name of ["both twins led a view", "evidence", "view change"]) {
        expect(tally.coverage[name], name).toBeGreaterThan(50);
      }
    }
  });

  it("holds for samples at n = 4, 5, 6, 7, also where n is not 3f + 1", () => {
    for (const [validators, twins, count] of [
      [4, 1, 500],
      [5, 1, 300],
      [6, 1, 200],
      [7, 1, 150],
      [7, 2, 150],
    ] as const) {
      const shape = { ...four, validators, twins, blocks: 3, views: 5 };
      expect(run(shape, count).failed, `n = ${validators}`).toEqual([]);
    }
  });

  it("a key that restarts from an old vote log is silenced by whoever saw what it forgot", () => {
    for (const image of [0, 1]) {
      const shape = { ...four, restart: { view: 1, image } };
      const tally = run(shape, 32 ** 2, { seed: null });
      expect(tally.failed).toEqual([]);
      expect(tally.coverage["amnesiac silenced"]).toBeGreaterThan(20);
    }
  });

  it("negative control: with f + 1 twins agreement breaks, and the checker says so", () => {
    const tally = run({ ...four, twins: 2 }, 200);
    expect(tally.failures).toBeGreaterThan(10);
    expect(tally.failed.map(({ reason }) => reason)).toContain("fork at height 1");
  });
});
