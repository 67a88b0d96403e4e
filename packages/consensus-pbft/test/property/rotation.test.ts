import { height as toHeight, view } from "@credlink/primitives";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  createRoster,
  createValidatorSet,
  emptySkipList,
  faultBound,
  nextSkipList,
  primaryOf,
  type SkipList,
  skippedAt,
  type Validator,
  type ValidatorSet,
} from "../../src/certificates.ts";
import { fakeValidator } from "../../src/compliance.ts";

const nodes = Array.from({ length: 12 }, (_, node) => fakeValidator(node));

/** One run: V(h) for h = 1, 2, …, and who answers its turn at which height. */
interface Run {
  readonly sets: readonly (readonly Validator[])[];
  readonly answers: (nodeId: string, height: number) => boolean;
}

const sets = new WeakMap<readonly Validator[], ValidatorSet>();

/** Hashing a list costs more than all the rest: each is hashed once. */
function setOf(members: readonly Validator[]): ValidatorSet {
  const set = sets.get(members) ?? createValidatorSet(members);
  sets.set(members, set);
  return set;
}

interface Height {
  readonly list: SkipList;
  readonly members: readonly Validator[];
  readonly skipped: readonly string[];
  readonly primary: string;
  readonly missed: boolean;
}

/** Decides heights one after the other, as replicas and executor do together. */
function decide({ sets, answers }: Run): readonly Height[] {
  const heights: Height[] = [];
  let list = emptySkipList;
  for (let at = 1; at + 2 < sets.length; at++) {
    const members = sets[at] ?? [];
    const height = toHeight(at);
    const skipped = skippedAt(list, height);
    const roster = createRoster(setOf(members), skipped);
    const nameOf = (v: number) => members[primaryOf(roster, height, view(v))]?.nodeId ?? "";
    const primary = nameOf(0);
    let deciding = 0;
    while (deciding < members.length && !answers(nameOf(deciding), at)) deciding++;
    const proposer = nameOf(deciding);
    list = nextSkipList(list, {
      height,
      primary,
      proposer,
      validatorCount: members.length,
      validatorsAfterNext: sets[at + 2] ?? [],
    });
    const missed = proposer !== primary;
    heights.push({ list, members, skipped, primary, missed });
  }
  return heights;
}

/** The rule as a reader would state it: every height looks at the whole past. */
function slowSkipped(past: readonly Height[], at: number, sets: Run["sets"]): readonly string[] {
  const skips = new Map<string, { until: number; length: number; made: number }>();
  const pardons = new Map<string, number>();
  for (let k = 1; k <= at - 2; k++) {
    const turn = past[k - 1];
    if (turn === undefined) break;
    const { primary, missed, members } = turn;
    const n = members.length;
    const known = skips.get(primary);
    if (known === undefined || known.until <= k) {
      const misses = past.filter(
        (other, index) =>
          index + 1 <= k &&
          index + 1 > k - 4 * n &&
          index + 1 > (pardons.get(primary) ?? 0) &&
          other.missed &&
          other.primary === primary &&
          faultBound(other.members.length) > 0,
      ).length;
      if (!missed) skips.delete(primary);
      else if (faultBound(n) > 0 && (known !== undefined || misses >= 2)) {
        const length = known === undefined ? 2 * n : Math.min(2 * known.length, 64 * n);
        skips.set(primary, { until: k + 2 + length, length, made: k });
        pardons.set(primary, k);
      }
    }
    const after = sets[k + 2] ?? [];
    for (const [nodeId, one] of skips) {
      if (after.some((member) => member.nodeId === nodeId)) continue;
      if (one.until <= k + 1) skips.delete(nodeId);
      else one.until = Math.min(one.until, k + 2);
      pardons.set(nodeId, k);
    }
    for (const { nodeId } of nodes) {
      if (!after.some((member) => member.nodeId === nodeId)) pardons.set(nodeId, k);
    }
    const counted = [...skips.values()].filter(({ until }) => until > k + 2);
    const oldestFirst = counted.sort((a, b) => a.made - b.made);
    const most = faultBound(after.length);
    for (const one of oldestFirst.slice(0, Math.max(0, counted.length - most))) one.until = k + 2;
  }
  return [...skips]
    .filter(([, one]) => one.made + 2 <= at && at < one.until)
    .sort(([, a], [, b]) => a.made - b.made)
    .map(([nodeId]) => nodeId);
}

/** Lists that change now and then, by few members, as governance may. */
const changingSets = fc
  .tuple(
    fc.integer({ min: 1, max: 10 }),
    fc.array(fc.tuple(fc.boolean(), fc.nat(11)), { minLength: 120, maxLength: 120 }),
  )
  .map(([n, changes]) => {
    const sets: (readonly Validator[])[] = [];
    let members: readonly Validator[] = nodes.slice(0, n);
    for (const [changes9, node] of changes) {
      const one = nodes[node];
      const isMember = members.some(({ nodeId }) => nodeId === one?.nodeId);
      if (changes9 && one !== undefined && sets.length % 9 === 0) {
        if (!isMember) members = [...members, one];
        else if (members.length > 1) members = members.filter((other) => other !== one);
      }
      sets.push(members);
    }
    return sets;
  });

const runs = fc
  .tuple(
    fc.oneof(
      changingSets,
      fc.integer({ min: 1, max: 10 }).map((n) => Array(160).fill(nodes.slice(0, n))),
    ),
    fc.array(fc.tuple(fc.nat(11), fc.nat(160), fc.nat(80)), { maxLength: 8 }),
  )
  .map(
    ([sets, outages]): Run => ({
      sets,
      answers: (nodeId, at) =>
        !outages.some(
          ([node, from, length]) => `node${node}` === nodeId && at >= from && at < from + length,
        ),
    }),
  );

describe("the skip-list", () => {
  test("equals the slow model, never skips more than f, and never changes a fixed height", () => {
    fc.assert(
      fc.property(runs, (run) => {
        const heights = decide(run);
        heights.forEach((one, index) => {
          const at = index + 1;
          expect(one.skipped).toEqual(slowSkipped(heights, at, run.sets));
          const members = new Set(one.members.map(({ nodeId }) => nodeId));
          const skipped = one.skipped.filter((nodeId) => members.has(nodeId));
          expect(skipped.length).toBeLessThanOrEqual(faultBound(one.members.length));
          const before = heights[index - 1]?.list ?? emptySkipList;
          const nextOne = toHeight(at + 1);
          expect(skippedAt(one.list, nextOne)).toEqual(skippedAt(before, nextOne));
        });
      }),
      { numRuns: 100 },
    );
  });

  test("every validator that answers its turns is primary again, and no outage is forever", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10 }),
        fc.array(fc.nat(9), { maxLength: 3 }),
        fc.nat(400),
        (n, sick, end) => {
          const sets = Array(end + 66 * n + 3 * n + 4).fill(nodes.slice(0, n));
          const down = new Set(sick.slice(0, faultBound(n)).map((node) => `node${node}`));
          const heights = decide({ sets, answers: (id, at) => at >= end || !down.has(id) });
          const healed = heights.slice(end);
          const primaries = new Set(healed.map(({ primary }) => primary));
          expect(primaries.size).toBe(n);
          // Two heights later nobody's skip is left but those that ran already.
          const last = heights.at(-1)?.list.skips ?? [];
          expect(last.filter((one) => one.until > heights.length)).toEqual([]);
        },
      ),
      { numRuns: 100 },
    );
  });

  test("a dead validator costs ever fewer turns: at most one in 64 n heights in the end", () => {
    for (const n of [4, 5, 7, 10]) {
      const sets = Array(400 * n).fill(nodes.slice(0, n));
      const heights = decide({ sets, answers: (nodeId) => nodeId !== "node1" });
      const missesIn = (from: number, to: number) =>
        heights.slice(from, to).filter(({ missed }) => missed).length;
      expect(missesIn(0, 130 * n)).toBeLessThanOrEqual(2 + 6);
      expect(missesIn(200 * n, 396 * n)).toBeLessThanOrEqual(4);
    }
  });

  test("edges: the second miss counts within 4 n heights, and not one later", () => {
    const turn = (height: number, proposer: string) => ({
      height: toHeight(height),
      primary: "node1",
      proposer,
      validatorCount: 4,
      validatorsAfterNext: nodes.slice(0, 4),
    });
    const one = nextSkipList(emptySkipList, turn(1, "node2"));
    expect(one.skips).toEqual([]);
    expect(nextSkipList(one, turn(17, "node2")).skips).toEqual([]);
    const two = nextSkipList(one, turn(16, "node2"));
    expect(two.skips).toEqual([{ nodeId: "node1", from: 18, until: 26, length: 8 }]);
    expect(two.misses).toEqual([]);
    expect(skippedAt(two, toHeight(17))).toEqual([]);
    expect(skippedAt(two, toHeight(18))).toEqual(["node1"]);
    expect(skippedAt(two, toHeight(25))).toEqual(["node1"]);
    expect(skippedAt(two, toHeight(26))).toEqual([]);
    const again = nextSkipList(two, turn(26, "node2"));
    expect(again.skips).toEqual([{ nodeId: "node1", from: 28, until: 44, length: 16 }]);
    expect(nextSkipList(two, turn(26, "node1")).skips).toEqual([]);
    expect(nextSkipList(two, turn(20, "node1"))).toBe(two);
  });
});
