import { describe, expect, it } from "vitest";
import { neglected } from "../../src/situations.ts";

describe("what a bulk run must meet", () => {
  it("is named when fewer than one in a thousand seeds met it, at the edge", () => {
    const wanted = ["a", "b", "c"];
    expect(neglected({ a: 2, b: 1 }, 2_000, wanted)).toEqual(["b", "c"]);
    expect(neglected({ a: 1, b: 1, c: 1 }, 1_000, wanted)).toEqual([]);
  });

  it("is not asked of short runs", () => {
    expect(neglected({}, 999, ["a"])).toEqual([]);
  });
});
