import { describe, expect, it } from "vitest";
import { runSeed } from "../../src/index.ts";

/** Seeds that once failed because of the product, and what it was. */
const seeds = [
  {
    seed: 1_000_083,
    was: "a node that lost power right behind its first block took its empty vote log for a lost one",
  },
  {
    seed: 5_001_019,
    was: "a traitor's block that one validator was not shown cost that validator its own turn: it learned of the block by the second exchange of statuses only",
  },
  {
    seed: 5_002_010,
    was: "a validator that caught up held the proof of a block, had just asked everybody for their heads, and did not ask again",
  },
  {
    seed: 1_792,
    was: "a node that became a validator, and at once primary, was not told of the last block before: others took it for one that had heard the votes",
  },
  {
    seed: 10_000_020,
    was: "a node recorded the justification of the first pre-prepare that it was sent in a view, a usurper's, and all refused the block in which it stood",
  },
] as const;

describe("seeds that failed once", () => {
  for (const { seed, was } of seeds) {
    it(`${seed}: ${was}`, async () => {
      const result = await runSeed({ seed, profile: "ledger" });
      expect(result.reason, `pnpm sim --replay ${seed} --profile ledger`).toBe(null);
    });
  }
});
