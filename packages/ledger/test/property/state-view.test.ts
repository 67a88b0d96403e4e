import { utf8, utf8ToText } from "@credlink/primitives";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NeedsRange, type StateRange, type StateView } from "../../src/index.ts";
import { buildOn, commitSealed, openLedger, putTransaction } from "../support.ts";

type Model = ReadonlyMap<string, string>;
type Step = { readonly parent: number; readonly commit: boolean; readonly puts: readonly Put[] };
type Put = { readonly key: string; readonly value: string | null };

const put = fc.record({
  key: fc.constantFrom(..."abcdefghijkl"),
  value: fc.option(fc.constantFrom("1", "2", "3"), { nil: null }),
});
const steps = fc.array(
  fc.record({ parent: fc.nat(5), commit: fc.boolean(), puts: fc.array(put, { maxLength: 6 }) }),
  { minLength: 1, maxLength: 10 },
);
const ranges = fc.array(
  fc.record({
    from: fc.constantFrom(..."abcdef"),
    to: fc.constantFrom(..."ghijkm"),
    limit: fc.integer({ min: 1, max: 6 }),
  }),
  { minLength: 1, maxLength: 3 },
);

async function entriesOf(view: StateView, range: StateRange): Promise<readonly string[]> {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      return view.range(range).map(({ key, value }) => `${utf8ToText(key)}=${utf8ToText(value)}`);
    } catch (error) {
      if (!(error instanceof NeedsRange)) throw error;
      await view.loadRange(error.range);
    }
  }
  throw new Error("a loaded range does not answer");
}

/** Applies one block to the model of its parent's state. */
function after(model: Model, puts: readonly Put[]): Model {
  const next = new Map(model);
  for (const { key, value } of puts) {
    if (value === null) next.delete(key);
    else next.set(key, value);
  }
  return next;
}

async function play(
  history: readonly Step[],
  asked: readonly { from: string; to: string; limit: number }[],
) {
  const ledger = await openLedger();
  const views: { readonly view: StateView; readonly model: Model }[] = [];
  const genesis = ledger.stateAt(ledger.head.digest);
  if (genesis === null) throw new Error("the state of genesis");
  views.push({ view: genesis, model: new Map() });
  // Parents to choose from: the head, and candidates in a line above it.
  let line = [{ reference: ledger.head, model: new Map() as Model }];
  for (const { parent, commit, puts } of history) {
    // A block's history is about a decided block: candidates stand at most two above the head.
    const headHeight = ledger.head.header.height;
    const bases = line.filter(({ reference }) => reference.header.height <= headHeight + 1);
    const base = bases[parent % bases.length];
    if (base === undefined) throw new Error("a parent");
    const transactions = puts.map(({ key, value }) => putTransaction(ledger, key, value));
    const candidate = await buildOn(ledger, base.reference, transactions);
    const model = after(base.model, puts);
    views.push({ view: candidate.view, model });
    const { digest, block } = candidate.sealed;
    line.push({ reference: { digest, header: block.header }, model });
    if (commit && base === line[0]) {
      await commitSealed(ledger, candidate);
      line = [{ reference: ledger.head, model }];
    }
    for (const entry of views) await agree(entry.view, entry.model, asked);
  }
}

async function agree(
  view: StateView,
  model: Model,
  asked: readonly { from: string; to: string; limit: number }[],
) {
  for (const key of "abcdefghijkl") {
    const value = view.get("kv", utf8(key));
    expect(value === null ? undefined : utf8ToText(value)).toBe(model.get(key));
    expect(view.get("other", utf8(key))).toBeNull();
  }
  for (const { from, to, limit } of asked) {
    const expected = [...model.entries()]
      .filter(([key]) => key >= from && key < to)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, limit)
      .map(([key, value]) => `${key}=${value}`);
    const range = { contract: "kv", from: utf8(from), to: utf8(to), limit };
    expect(await entriesOf(view, range)).toEqual(expected);
  }
}

describe("state views against a model", () => {
  it("S-9.3-4: every view keeps its own state, whatever is committed around it", async () => {
    await fc.assert(
      fc.asyncProperty(steps, ranges, (history, asked) => play(history, asked)),
      { numRuns: 60 },
    );
  });
});
