import { height } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import { TestChain } from "../support/chain.ts";
import { createConsortium } from "../support/consortium.ts";

/** Decides a block in which `primary` missed its turn, or not; answers what the block wrote. */
async function turn(chain: TestChain, primary: string, proposer: string): Promise<number> {
  chain.turn = { primary, proposer, validatorCount: 4 };
  return (await chain.block()).writes.length;
}

describe("the skip-list in the state", () => {
  it("is written only when it changes, and names the two heights above", async () => {
    const chain = new TestChain((await createConsortium({ validators: 4 })).genesis);
    const skippedIn = (distance: number) => {
      const at = height(chain.view.height + distance);
      return chain.executor.skipped(chain.view, at);
    };
    expect(await turn(chain, "node-1", "node-1")).toBe(0);
    expect(await turn(chain, "node-1", "node-2")).toBe(1);
    expect(await turn(chain, "node-2", "node-2")).toBe(0);
    expect(await turn(chain, "node-1", "node-3")).toBe(1);
    expect([skippedIn(1), skippedIn(2)]).toEqual([[], ["node-1"]]);
    expect(await turn(chain, "node-2", "node-2")).toBe(0);
    expect([skippedIn(1), skippedIn(2)]).toEqual([["node-1"], ["node-1"]]);
  });

  it("skips nobody where fewer than four validators tolerate no fault", async () => {
    const options = { validators: 3, allowNonByzantine: true, production: false };
    const chain = new TestChain((await createConsortium(options)).genesis);
    for (let block = 0; block < 6; block++) {
      chain.turn = { primary: "node-1", proposer: "node-2", validatorCount: 3 };
      expect((await chain.block()).writes.length).toBe(0);
    }
    expect(chain.executor.skipped(chain.view, height(8))).toEqual([]);
  });
});
