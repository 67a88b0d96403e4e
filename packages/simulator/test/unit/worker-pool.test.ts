import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { addTallies, emptyTally, type Tally, tallyOfCrash } from "../../src/tally.ts";
import { runPool, type Unit } from "../../src/worker-pool.ts";

const worker = fileURLToPath(new URL("../support/mortal-worker.ts", import.meta.url));
const options = { profile: "protocol", validators: null, heights: null } as const;

it("counts a seed that ends its process as crashed and runs all others once", async () => {
  const units: Unit[] = [
    { from: 1, count: 6 },
    { from: 7, count: 2 },
  ];
  let total = emptyTally();
  const parts: Unit[] = [];
  await runPool({
    workers: 2,
    options,
    worker,
    next: () => units.shift() ?? null,
    onCrash: (seed, reason) => tallyOfCrash(seed, reason, options),
    onTally(part, tally: Tally) {
      parts.push(part);
      total = addTallies(total, tally);
    },
  });
  expect(total).toMatchObject({ seeds: 8, passed: 6 });
  expect(total.failed.map(({ seed, kind, reason }) => [seed, kind, reason])).toEqual([
    [3, "crash", "the process ended (9)"],
    [5, "crash", "out of memory"],
  ]);
  const seeds = parts.flatMap(({ from, count }) =>
    Array.from({ length: count }, (_, i) => from + i),
  );
  expect(seeds.sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});
