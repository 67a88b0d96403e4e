import type { StateEntry, StateRange } from "@credlink/ledger";
import { describe, expect, it } from "vitest";
import { SortedChanges } from "../../src/sorted-changes.ts";
import { StateOverlay, type StateReader } from "../../src/state-overlay.ts";

const EMPTY = new Uint8Array(0);
const END = Uint8Array.of(0xff);

/** Holds nothing, and writes down what it was asked for. */
class Asked implements StateReader {
  readonly limits: number[] = [];

  get(): null {
    return null;
  }

  range({ limit }: StateRange): readonly StateEntry[] {
    this.limits.push(limit);
    return [];
  }
}

describe("a range over changes", () => {
  it("looks at no change behind those that fill the page, however many there are", () => {
    const changes = Array.from({ length: 200 }, (_, at) => ({
      key: Uint8Array.of(at),
      // Every fifth deletes.
      value: at % 5 === 0 ? null : EMPTY,
    }));
    const sorted = new SortedChanges(changes);
    const keys = (most: number, from = EMPTY, to = END) =>
      sorted.leading(from, to, most).map(({ key }) => key[0]);
    expect(keys(1)).toEqual([0, 1]);
    expect(keys(4)).toEqual([0, 1, 2, 3, 4]);
    expect(keys(5)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(keys(1, Uint8Array.of(10), Uint8Array.of(11))).toEqual([10]);
    expect(keys(256)).toHaveLength(200);
    expect(keys(5, Uint8Array.of(9), Uint8Array.of(3))).toEqual([]);
  });

  it("asks below for what deletions before the page's end may hide, and not for those behind", () => {
    const below = new Asked();
    const overlay = new StateOverlay(below);
    for (let at = 0; at < 200; at++) {
      overlay.set("c", Uint8Array.of(at), at === 3 || at === 5 ? EMPTY : null);
    }
    const range = (limit: number) => overlay.range({ contract: "c", from: EMPTY, to: END, limit });
    expect(range(1).map(({ key }) => key[0])).toEqual([3]);
    expect(range(2).map(({ key }) => key[0])).toEqual([3, 5]);
    expect(range(3).map(({ key }) => key[0])).toEqual([3, 5]);
    expect(below.limits).toEqual([1 + 3, 2 + 4, 3 + 198]);
  });
});
