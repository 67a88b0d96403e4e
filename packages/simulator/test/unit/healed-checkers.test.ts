import { createMemoryStore, type Space } from "@credlink/ledger";
import { utf8 } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import { FairnessChecker } from "../../src/fairness-checker.ts";
import { drainBoundMs, livenessBoundMs } from "../../src/liveness-bound.ts";
import { compareStores, sharedRows } from "../../src/store-comparison.ts";
import { ViewChecker } from "../../src/view-checker.ts";
import { brokenBy } from "./helpers.ts";

const core = ["node-0", "node-1", "node-2"];

describe("negative control I18: chain quality", () => {
  /** Judges blocks 5, 6, … by their primaries and proposers. */
  const judge = (
    turns: readonly (readonly [primary: string, proposer: string | null])[],
    from = 5,
  ) => {
    const checker = new FairnessChecker(new Set(core), 1, from);
    const broken = turns.map(([primary, proposer], at) =>
      brokenBy(() =>
        checker.onBlock({
          ...{ height: 5 + at, primary, proposer, hasRoom: false },
          transactions: new Set<string>(),
        }),
      ),
    );
    return { broken: broken.find((one) => one !== null) ?? null, honest: checker.honest };
  };
  const kept = ["node-1", "node-1"] as const;
  const lost = ["node-1", "node-3"] as const;

  it("every turn of the core is its own: the first that is lost is found", () => {
    expect(judge([kept, kept])).toEqual({ broken: null, honest: 2 });
    expect(judge([kept, kept, kept, lost]).broken).toBe("I18");
    expect(judge([["node-0", null]]).broken).toBe("I18");
  });

  it("a traitor's turn may go either way, and so may one before the first height judged", () => {
    const either = [
      ["node-3", "node-3"],
      ["node-3", "node-0"],
      ["node-3", "node-0"],
    ] as const;
    expect(judge(either)).toEqual({ broken: null, honest: 0 });
    expect(judge([lost, lost, kept], 7)).toEqual({ broken: null, honest: 1 });
  });
});

describe("negative control I18: inclusion within f + 2 blocks", () => {
  /** Blocks 6, 7, … of these proposers; a transaction is known while 5 is decided. */
  const judge = (
    proposers: readonly string[],
    options: { readonly includedAt?: number; readonly roomAt?: readonly number[] } = {},
  ) => {
    const { includedAt = 0, roomAt = [6, 7, 8, 9, 10, 11] } = options;
    const checker = new FairnessChecker(new Set(core), 1, 1);
    checker.onKnown("late", 5);
    return brokenBy(() => {
      for (const [at, proposer] of proposers.entries()) {
        const height = 6 + at;
        const transactions = new Set(height === includedAt ? ["late"] : []);
        const hasRoom = roomAt.includes(height);
        checker.onBlock({ height, proposer, primary: proposer, hasRoom, transactions });
      }
    });
  };

  it("an honest primary that leaves it out although there is room is found at the deadline", () => {
    expect(judge(["node-0", "node-1"])).toBe(null);
    expect(judge(["node-0", "node-3", "node-1"], { includedAt: 8 })).toBe(null);
    expect(judge(["node-0", "node-3", "node-1"])).toBe("I18");
  });

  it("blocks that were built before, full ones, and those of a censor are no fault", () => {
    expect(judge(["node-0", "node-1", "node-2"], { roomAt: [6] })).toBe(null);
    expect(judge(["node-0", "node-1", "node-2"], { roomAt: [] })).toBe(null);
    expect(judge(["node-3", "node-3", "node-3"])).toBe(null);
    const full = ["node-0", "node-1", "node-2", "node-0", "node-1", "node-2"];
    expect(judge(full, { roomAt: [10] })).toBe("I18");
  });
});

describe("negative control I19: all of the core in one view for T", () => {
  /** Enters view 1 at these times, leaves it first at `leftMs`; `decided` is a height ahead. */
  const judge = (entered: readonly (number | null)[], leftMs: number, decided?: string) => {
    const checker = new ViewChecker(50, 200, () => core);
    for (const node of core) checker.begin(node, 3, 0);
    return brokenBy(() => {
      for (const [at, node] of core.entries()) {
        const atMs = entered[at] ?? null;
        if (atMs !== null) checker.onPlace(node, 4, 1, atMs);
      }
      if (decided !== undefined) checker.onPlace(decided, 5, 0, leftMs - 1);
      checker.onPlace("node-0", 4, 2, leftMs);
    });
  };

  it("a view that is left too early after the last came is found, at the edge", () => {
    expect(judge([1_000, 1_000, 1_100], 1_100 + 750 - 50)).toBe(null);
    expect(judge([1_000, 1_000, 1_100], 1_100 + 750 - 52)).toBe("I19");
  });

  it("in view 0 a node may come later, as one does that was left out of the block before", () => {
    const judgeZero = (leftMs: number) => {
      const checker = new ViewChecker(50, 200, () => core);
      for (const node of core) checker.begin(node, 3, 0);
      for (const node of core) checker.onPlace(node, 4, 0, 1_000);
      return brokenBy(() => checker.onPlace("node-0", 4, 1, leftMs));
    };
    expect(judgeZero(1_000 + 500 - 200)).toBe(null);
    expect(judgeZero(1_000 + 500 - 202)).toBe("I19");
  });

  it("a node that never came is found, unless somebody decided the height", () => {
    expect(judge([1_000, 1_000, null], 9_000)).toBe("I19");
    expect(judge([1_000, 1_000, null], 9_000, "node-1")).toBe(null);
  });

  it("a view that somebody was in before anybody looked is not judged", () => {
    const checker = new ViewChecker(50, 200, () => core);
    for (const node of core) checker.begin(node, 4, 1);
    expect(brokenBy(() => checker.onPlace("node-0", 4, 2, 10))).toBe(null);
    expect(checker.left).toBe(0);
  });
});

describe("the bound B", () => {
  const calm = {
    validators: 4,
    faulty: 0,
    view: 0,
    blocks: 10,
    hopMs: 5,
    executionMs: 48,
    minIntervalMs: 20,
    clockAheadMs: 0,
  };

  it("adds up its terms: pause of sync, two views, ten rounds", () => {
    const views = 2 * 5_000 + 2 * 7_500 + 2 * (1_000 + 68);
    expect(livenessBoundMs(calm)).toBe(60_000 + views + 10 * 88);
    expect(drainBoundMs(calm)).toBe(livenessBoundMs(calm) + 30_000);
  });

  it("grows with faults, views, blocks and a head from the future", () => {
    const bound = livenessBoundMs(calm);
    for (const change of [{ faulty: 1 }, { view: 1 }, { blocks: 11 }, { clockAheadMs: 1 }]) {
      expect(livenessBoundMs({ ...calm, ...change })).toBeGreaterThan(bound);
    }
    const far = livenessBoundMs({ ...calm, view: 20 });
    expect(livenessBoundMs({ ...calm, view: 30 })).toBe(far);
  });
});

describe("negative control I14: stores of equal heads", () => {
  const put = (space: Space, key: Uint8Array, value: number) =>
    ({ type: "put", space, key, value: Uint8Array.of(value) }) as const;
  const contents = (rows: readonly ReturnType<typeof put>[]) => {
    const store = createMemoryStore();
    void store.write(rows, { sync: true });
    return store.snapshot();
  };
  const id = new Uint8Array(32).fill(7);
  const base = [put("state", id, 1), put("receipts", id, 1), put("bodies", id, 1)];
  const judge = (rows: readonly ReturnType<typeof put>[], height = 9) =>
    brokenBy(() =>
      compareStores(
        [
          { node: "node-0", height: 9, contents: contents(base) },
          { node: "node-1", height, contents: contents(rows) },
        ],
        sharedRows,
      ),
    );

  it("a row that differs, is missing or is one too many is found in every shared space", () => {
    expect(judge(base)).toBe(null);
    expect(judge([...base.slice(1), put("state", id, 2)])).toBe("I14");
    expect(judge(base.slice(1))).toBe("I14");
    for (const space of ["state", "receipts", "pages", "index", "metadata"] as const) {
      expect(judge([...base, put(space, utf8("more"), 1)]), space).toBe("I14");
    }
    expect(judge([...base.slice(0, 2), put("bodies", id, 2)])).toBe("I14");
  });

  it("local rows and other heights are not compared", () => {
    const local = [
      put("history", id, 1),
      put("metadata", utf8("pruned"), 1),
      put("metadata", utf8("history"), 1),
      put("bodies", utf8("of no block"), 1),
    ];
    expect(judge([...base, ...local])).toBe(null);
    expect(judge(base.slice(1), 10)).toBe(null);
  });
});
