import { describe, expect, it } from "vitest";
import { type ProfileName, runSeed } from "../../src/index.ts";

describe("the hash chain in place of the ledger", () => {
  it("makes the runs that the real ledger makes: the same events, blocks, receipts and faults", async () => {
    for (const seed of [3, 8, 21, 1_000_083]) {
      const run = async (profile: ProfileName) => {
        const { reason, height, events, virtualMs, coverage } = await runSeed({
          seed,
          profile,
          heights: 25,
        });
        return { reason, height, events, virtualMs, coverage };
      };
      expect(await run("protocol"), `seed ${seed}`).toEqual(await run("ledger"));
    }
  });
});
