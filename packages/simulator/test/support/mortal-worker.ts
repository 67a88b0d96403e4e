import type { Unit } from "../../src/worker-pool.ts";

/** Stands for the worker: seed 3 ends the process without a word, seed 5 with one. */
process.on("message", ({ unit }: { unit: Unit }) => {
  const tell = (message: object): unknown => process.send?.(message);
  for (let seed = unit.from; seed < unit.from + unit.count; seed++) {
    tell({ type: "begun", seed });
    if (seed === 3) setTimeout(() => process.exit(9), 20);
    if (seed === 5) {
      tell({ type: "crash", reason: "out of memory" });
      setTimeout(() => process.exit(1), 20);
    }
    if (seed === 3 || seed === 5) return;
  }
  const empty = { failed: [], coverage: {}, heights: 0, virtualSeconds: 0, cpuSeconds: 0 };
  const { count } = unit;
  tell({
    type: "done",
    tally: { ...empty, seeds: count, passed: count, traceDigest: "0".repeat(16) },
  });
});
