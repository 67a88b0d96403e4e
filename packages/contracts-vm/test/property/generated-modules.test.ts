import { describe, expect, it } from "vitest";
import { fitModule } from "../support/fit-module.ts";
import { argumentOf, readModules } from "../support/generated-modules.ts";
import { createGenerator } from "../support/random-program.ts";
import { ThreeWays } from "../support/three-ways.ts";

describe("generated modules", () => {
  it("behave as the original and charge what the reference counts, to the end or cut short", () => {
    const ends = new Map<string, number>();
    const count = (end: string) => ends.set(end, (ends.get(end) ?? 0) + 1);
    for (const [index, module] of readModules().entries()) {
      const below = createGenerator(index + 1);
      const { code } = fitModule(module);
      const ways = new ThreeWays(code);
      const calls = ways.functions.map(({ name, wide }) => ({
        name,
        values: wide.map((isWide) => argumentOf(isWide, below)),
      }));
      const used = calls.map(({ name, values }) => {
        const outcome = ways.call(name, values, 1_000_000_000n);
        count("trap" in outcome ? outcome.trap : "result");
        return outcome.used;
      });
      // Again from the start, each call with a part of the gas that it needed.
      const again = new ThreeWays(code);
      for (const [place, { name, values }] of calls.entries()) {
        const most = used[place] ?? 0n;
        const outcome = again.call(name, values, (most * BigInt(below(100))) / 100n);
        count("trap" in outcome ? `short: ${outcome.trap}` : "short: result");
      }
    }
    // None of the ends is one that hardly ever comes.
    for (const end of ["result", "memory", "unreachable", "divide", "stack", "short: gas"]) {
      expect(ends.get(end), end).toBeGreaterThan(4);
    }
  });
});
