import { beforeAll, describe, expect, it } from "vitest";
import { type Consortium, createConsortium } from "../support/consortium.ts";
import { runMutant, soloGenesis } from "../support/mutants.ts";

let consortium: Consortium;
beforeAll(async () => {
  consortium = await createConsortium();
});

/** `pnpm engines` runs 10,000, in processes of different engines. */
const MUTANTS = 1_000;

describe(`${MUTANTS} mutated modules`, () => {
  it("are refused with a code or run to a receipt, the same twice, and never crash", async () => {
    const { address } = consortium.institution;
    const genesis = soloGenesis(consortium.genesis, address);
    let accepted = 0;
    const statuses = new Set<string>();
    for (let seed = 1; seed <= MUTANTS; seed++) {
      const first = await runMutant(seed, genesis, address);
      if (typeof first === "string") {
        expect(first, `seed ${seed}`).toMatch(/^VM_MODULE_/);
        statuses.add(first);
        continue;
      }
      accepted++;
      expect(await runMutant(seed, genesis, address), `seed ${seed}`).toEqual(first);
      statuses.add(first.status);
    }
    expect(accepted).toBeGreaterThan(50);
    expect(statuses.size).toBeGreaterThan(8);
  });
});
