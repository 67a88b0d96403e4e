import type { StateEntry, StateRange } from "@credlink/ledger";
import { compareBytes, toHex } from "@credlink/primitives";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { StateOverlay, type StateReader } from "../../src/state-overlay.ts";

/** The slow truth: a plain map, ranges by sorting. */
class Model implements StateReader {
  readonly rows = new Map<string, StateEntry>();

  get(_: string, key: Uint8Array): Uint8Array | null {
    return this.rows.get(toHex(key))?.value ?? null;
  }

  set(key: Uint8Array, value: Uint8Array | null): void {
    if (value === null) this.rows.delete(toHex(key));
    else this.rows.set(toHex(key), { key, value });
  }

  range({ from, to, limit }: StateRange): readonly StateEntry[] {
    return [...this.rows.values()]
      .filter(({ key }) => compareBytes(key, from) >= 0 && compareBytes(key, to) < 0)
      .sort((a, b) => compareBytes(a.key, b.key))
      .slice(0, limit);
  }
}

const key = fc.uint8Array({ minLength: 1, maxLength: 2, max: 5 });
const change = fc.tuple(key, fc.option(fc.uint8Array({ maxLength: 2 }), { nil: null }));
const changes = fc.array(change, { maxLength: 25 });

describe("StateOverlay", () => {
  it("answers as a map would, over several layers, whatever the limit", () => {
    fc.assert(
      fc.property(
        changes,
        changes,
        changes,
        key,
        key,
        fc.integer({ min: 1, max: 9 }),
        (...input) => {
          const [committed, first, second, from, to, limit] = input;
          const base = new Model();
          for (const [at, value] of committed) base.set(at, value);
          const model = new Model();
          for (const [at, value] of [...committed, ...first, ...second]) model.set(at, value);
          const lower = new StateOverlay(base);
          for (const [at, value] of first) lower.set("c", at, value);
          const upper = new StateOverlay(lower);
          for (const [at, value] of second) upper.set("c", at, value);
          const range = { contract: "c", from, to, limit };
          expect(upper.range(range)).toEqual(model.range(range));
          for (const [at] of [...committed, ...first, ...second]) {
            expect(upper.get("c", at)).toEqual(model.get("c", at));
          }
          upper.mergeInto(lower);
          expect(lower.range(range)).toEqual(model.range(range));
          expect(lower.writes()).toHaveLength(
            new Set([...first, ...second].map(([at]) => toHex(at))).size,
          );
          expect(upper.get("other", from)).toEqual(base.get("other", from));
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
