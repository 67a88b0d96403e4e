import { createValidatorSet } from "@credlink/consensus-pbft";
import { height } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import { KnownValidators } from "../../src/known-validators.ts";
import { neglected, Situations } from "../../src/situations.ts";
import { at, createBench } from "./helpers.ts";

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

describe("a view change where the validators changed", () => {
  it("compares the lists, not the objects that hold them", () => {
    const { set, replica } = createBench();
    const other = createValidatorSet(set.validators.slice(1));
    const known = new KnownValidators(set);
    const header = { height: height(1), validatorsHash: set.hash, nextValidatorsHash: set.hash };
    const shown = { validatorsAt: () => createValidatorSet(set.validators) };
    known.onDecided(header as never, shown as never);
    const next = { ...header, height: height(2) };
    known.onDecided(next as never, { validatorsAt: () => other } as never);
    const situations = new Situations(known);
    const entered = (h: number) =>
      situations.onStep({
        input: null,
        effects: [{ type: "report", code: "CONSENSUS_VIEW_ENTERED", ...at(h, 1) }],
        nowMs: 0,
        replica: replica(),
      });
    entered(3);
    expect(situations.counts).toEqual({});
    entered(4);
    expect(situations.counts).toEqual({ "validators changed where the view did": 1 });
  });
});
