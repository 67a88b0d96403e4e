import { describe, expect, it } from "vitest";
import type { Strategy } from "../../src/index.ts";
import { type Plan, type RunResult, runSeed, strategies } from "../../src/index.ts";

/** Fails with the seed and its replay, so that the line can be pasted. */
function expectGood(result: RunResult): void {
  const { seed, reason } = result;
  expect(reason, `seed ${seed}: pnpm sim --replay ${seed}`).toBe(null);
}

/** A run without faults but those named. */
function calm(change: Partial<Plan>): (plan: Plan) => Plan {
  return (plan) => ({
    ...plan,
    heights: 40,
    byzantine: new Map(),
    safetyMs: 2_000,
    faultEveryMs: 400,
    submitEveryMs: 60,
    loss: 0,
    duplication: 0,
    latency: [0.2, 5],
    diskSync: [0.05, 1],
    crashes: false,
    partition: "none",
    cuts: false,
    clogs: false,
    skewMs: 0,
    driftPpm: 0,
    jumps: false,
    pauses: false,
    diskFaults: false,
    forgetful: 0,
    executionMs: 0,
    emptyBlockIntervalMs: 0,
    spares: 0,
    ...change,
  });
}

describe("S-9.2-1, S-9.2-2: drawn runs, everything at once", () => {
  it("keeps agreement, and goes on when it is healed, for 40 seeds", async () => {
    const met: Record<string, number> = {};
    for (let seed = 1; seed <= 40; seed++) {
      const result = await runSeed({ seed, heights: 25 });
      expectGood(result);
      for (const [name, count] of Object.entries(result.coverage)) {
        met[name] = (met[name] ?? 0) + (count > 0 ? 1 : 0);
      }
    }
    // What no run met, no run has shown.
    const wanted = ["crash", "blackout", "partition", "byzantine", "decided in a view above 0"];
    for (const name of [...wanted, "sent view-change", "view 2 or above", "slowDisk", "cut"]) {
      expect(met[name], name).toBeGreaterThan(0);
    }
  });
});

describe("S-9.2-1: one traitor of four, each strategy", () => {
  for (const strategy of strategies) {
    it(`${strategy}: two seeds`, async () => {
      for (const seed of [11, 12]) {
        const byzantine = new Map([[seed % 4, [strategy]]]);
        const adjust = calm({ byzantine, loss: 0.05 });
        expectGood(await runSeed({ seed, validators: 4, adjust }));
      }
    });
  }
});

describe("S-9.2-3, S-9.2-4: crashes of any number of nodes", () => {
  it("loses no decided block and no vote through crashes and blackouts, n = 1, 4, 5, 7, 10", async () => {
    for (const [seed, validators] of [1, 4, 5, 7, 10].entries()) {
      const adjust = calm({ crashes: true, faultEveryMs: 120, diskSync: [0.5, 20] });
      expectGood(await runSeed({ seed: 100 + seed, validators, adjust }));
    }
  });
});

describe("negative control: the checkers see a fork when there is one", () => {
  it("two traitors of four split the honest two: agreement breaks, and I1 says so", async () => {
    const reasons: string[] = [];
    for (let seed = 1; seed <= 12; seed++) {
      const byzantine = new Map<number, readonly Strategy[]>([
        [0, ["equivocate"]],
        [1, ["equivocate"]],
      ]);
      const adjust = calm({ byzantine });
      const result = await runSeed({ seed, validators: 4, adjust, watched: ["I1"] });
      reasons.push(result.reason ?? "none");
      if (result.reason?.startsWith("I1:")) break;
    }
    expect(
      reasons.some((reason) => reason.startsWith("I1:")),
      reasons.join("; "),
    ).toBe(true);
  });
});

describe("negative control: the checkers see a vote that was not durable", () => {
  it("disks that lie about syncs break persist-before-send, and I6 says so", async () => {
    const result = await runSeed({ seed: 1, validators: 4, adjust: calm({}), lyingDisks: true });
    expect(result.reason).toMatch(/^I6:/);
  });
});

describe("negative control: the checkers execute by themselves", () => {
  it("nodes that agree on wrong states keep every other invariant, and I3 says so", async () => {
    const result = await runSeed({
      seed: 1,
      validators: 4,
      adjust: calm({}),
      nodeExecutor: (real) => ({
        ...real,
        execute: async (parent, context, transactions) => {
          const done = await real.execute(parent, context, transactions);
          return { ...done, writes: done.writes.slice(1) };
        },
      }),
    });
    expect(result.reason).toMatch(/^I3:/);
  });
});

describe("one seed decides all", () => {
  it("gives the same trace twice, and another for another seed", async () => {
    const digests: string[] = [];
    for (const seed of [5, 5, 6, 6]) {
      digests.push((await runSeed({ seed, validators: 4, heights: 20 })).traceDigest);
    }
    expect(digests[0]).toBe(digests[1]);
    expect(digests[2]).toBe(digests[3]);
    expect(digests[0]).not.toBe(digests[2]);
  });
});
