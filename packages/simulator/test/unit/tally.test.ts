import { describe, expect, it } from "vitest";
import { addTallies, emptyTally, exitCodeOf, type Tally } from "../../src/tally.ts";

function tally(seed: number, change: Partial<Tally> = {}): Tally {
  const traceDigest = ((BigInt(seed) * 0x9e37_79b9_7f4a_7c15n) & 0xffff_ffff_ffff_ffffn)
    .toString(16)
    .padStart(16, "0");
  return { ...emptyTally(), seeds: 1, passed: 1, heights: 50, traceDigest, ...change };
}

const failed = (seed: number, kind: "crash" | "safety" | "liveness") => [
  { seed, kind, reason: "I0: a test", replay: `pnpm sim --replay ${seed}` },
];

describe("tallies", () => {
  it("add up to the same whole in any order", () => {
    const parts = [
      tally(1, { coverage: { crash: 1, cut: 0 } }),
      tally(2, { coverage: { crash: 1 }, passed: 0, failed: failed(2, "safety") }),
      tally(3, { coverage: { cut: 1 }, passed: 0, failed: failed(3, "crash") }),
    ];
    const forward = parts.reduce(addTallies, emptyTally());
    const backward = parts.toReversed().reduce(addTallies, emptyTally());
    expect(backward).toEqual(forward);
    expect(forward).toMatchObject({ seeds: 3, passed: 1, heights: 150 });
    expect(forward.coverage).toEqual({ crash: 2, cut: 1 });
    expect(forward.failed.map(({ seed }) => seed)).toEqual([2, 3]);
    expect(forward.traceDigest).not.toBe(parts[0]?.traceDigest);
  });

  it("ask for the exit code of the gravest failure", () => {
    const liveness = failed(1, "liveness");
    expect(exitCodeOf([])).toBe(0);
    expect(exitCodeOf(liveness)).toBe(4);
    expect(exitCodeOf([...liveness, ...failed(2, "crash")])).toBe(3);
    expect(exitCodeOf([...liveness, ...failed(2, "crash"), ...failed(3, "safety")])).toBe(1);
  });
});
