import type { Replica, ReplicaHoldings } from "@credlink/consensus-pbft";
import { defaultEngineOptions } from "@credlink/node/engine";
import { describe, expect, it } from "vitest";
import { MemoryChecker } from "../../src/memory-checker.ts";
import { engineLimits, replicaLimits } from "../../src/memory-limits.ts";
import { brokenBy, createBench } from "./helpers.ts";

const bench = createBench();
const limits = replicaLimits({ members: 4, nextMembers: 4, lateMembers: 4, view: 0 });
const engine = engineLimits({ members: 4, everMembers: 4, peers: 4 }, defaultEngineOptions.mempool);

function createChecker(): MemoryChecker {
  return new MemoryChecker(bench.known, 4, 1_000);
}

function replicaThatHolds(holdings: ReplicaHoldings): Replica {
  return { ...bench.replica(), status: bench.replica().status, holdings };
}

describe("negative control I13: what a node keeps", () => {
  for (const what of Object.keys(limits)) {
    it(`${what} of a replica: the limit is allowed, one more is found`, () => {
      const judge = (more: number) => {
        const held = { ...limits, [what]: Reflect.get(limits, what) + more };
        const holder = { name: "node-0", engine: null };
        return brokenBy(() => createChecker().look(holder, replicaThatHolds(held)));
      };
      expect([judge(0), judge(1)]).toEqual([null, "I13"]);
    });
  }

  for (const what of Object.keys(engine)) {
    it(`${what} of an engine: the limit is allowed, one more is found`, () => {
      const judge = (more: number) => {
        const holdings = { ...engine, [what]: Reflect.get(engine, what) + more };
        const holder = { name: "node-0", engine: { holdings: () => holdings } };
        return brokenBy(() => createChecker().look(holder, bench.replica()));
      };
      expect([judge(0), judge(1)]).toEqual([null, "I13"]);
    });
  }

  it("every sixteenth step of a node is looked at", () => {
    const checker = createChecker();
    for (let step = 0; step < 40; step++) {
      checker.onStep({ name: `node-${step % 2}`, engine: null }, bench.replica());
    }
    expect(checker.looks).toBe(2);
  });

  it("a segment is too long, unless one record alone is", () => {
    const judge = (bytes: number, frames: number) =>
      brokenBy(() => createChecker().onCommit("node-0", 9, [{ bytes, frames, maxHeight: 9 }]));
    expect([judge(1_000, 2), judge(1_001, 1), judge(1_001, 2)]).toEqual([null, null, "I13"]);
  });

  it("a full segment that speaks of old heights alone is there no more", () => {
    const judge = (maxHeight: number, blocks = 5) => {
      const checker = createChecker();
      checker.onBoot("node-0");
      return brokenBy(() => {
        for (let height = 21 - blocks; height <= 20; height++) {
          checker.onCommit("node-0", height, [
            { bytes: 900, frames: 5, maxHeight },
            { bytes: 100, frames: 0, maxHeight: 0 },
          ]);
        }
      });
    };
    expect([judge(15), judge(14)]).toEqual([null, "I13"]);
    // The first blocks of a process delete what the one before left.
    expect(judge(14, 4)).toBe(null);
  });
});
