/**
 * Who is left out of the rotation of primaries: a pure fold over decided headers, so that every
 * node, after any restart, sync or snapshot, names the same primary.
 *
 * @see docs/protocol/consensus.md §3
 */
import {
  type Codec,
  type Height,
  heightCodec,
  list,
  struct,
  text,
  height as toHeight,
  u32,
} from "@credlink/primitives";
import { faultBound } from "./quorum.ts";
import { MAX_VALIDATORS, type Validator } from "./validator-set.ts";

/** Misses within the window that make a validator skipped. */
export const MISSES_TO_SKIP = 2;
/** Heights per validator: the window of misses, a first skip, and the longest one. */
const WINDOW_ROUNDS = 4;
const FIRST_SKIP_ROUNDS = 2;
const LONGEST_SKIP_ROUNDS = 64;
/** An entry made by block k counts from k + 2 on: L(k + 1) is fixed before k is decided. */
const EFFECT_DELAY = 2;

/** A height whose view-0 primary did not get its block decided. */
export interface Miss {
  readonly nodeId: string;
  readonly height: Height;
}

/**
 * A validator that is not primary from `from` until before `until`. Afterwards the entry stands
 * until its first turn: a block decided from it removes it, another miss doubles it.
 */
export interface Skip {
  readonly nodeId: string;
  readonly from: Height;
  readonly until: Height;
  /** Heights that it was made for, even if it was ended early. */
  readonly length: number;
}

/** Misses and skips, each oldest first; at most one skip and one miss of a node. */
export interface SkipList {
  readonly misses: readonly Miss[];
  readonly skips: readonly Skip[];
}

export const emptySkipList: SkipList = Object.freeze({ misses: [], skips: [] });

const nodeIdCodec = text(128);

/** How a skip-list stands in the state. */
export const skipListCodec: Codec<SkipList> = struct({
  misses: list(struct({ nodeId: nodeIdCodec, height: heightCodec }), MAX_VALIDATORS),
  skips: list(
    struct({ nodeId: nodeIdCodec, from: heightCodec, until: heightCodec, length: u32 }),
    MAX_VALIDATORS,
  ),
});

/** What one decided header says about its height's turn. */
export interface Turn {
  readonly height: Height;
  /** Node id of L(height, 0). */
  readonly primary: string;
  /** Node id of the header's proposer: of the view in which the block was fresh. */
  readonly proposer: string;
  /** |V(height)|. */
  readonly validatorCount: number;
  /** V(height + 2), as the state after the block names it. */
  readonly validatorsAfterNext: readonly Validator[];
}

/**
 * The skip-list after a block: the same object when the block changes nothing. After it the
 * skips of height + 1 are those it had before, and those of height + 2 are final.
 */
export function nextSkipList(before: SkipList, turn: Turn): SkipList {
  const judged = judgeTurn(before, turn);
  const members = new Set(turn.validatorsAfterNext.map(({ nodeId }) => nodeId));
  return capSkips(dropStrangers(judged, members, turn), turn);
}

function judgeTurn(list: SkipList, turn: Turn): SkipList {
  const { primary, height } = turn;
  const entry = list.skips.find(({ nodeId }) => nodeId === primary);
  // Its skip is made and not over: whatever it does at the heights in between, it starts afresh.
  if (entry !== undefined && entry.until > height) return list;
  if (primary === turn.proposer) {
    return entry === undefined ? list : { ...list, skips: without(list.skips, primary) };
  }
  if (faultBound(turn.validatorCount) === 0) return list;
  const { validatorCount } = turn;
  if (entry !== undefined) {
    return skip(list, turn, Math.min(2 * entry.length, LONGEST_SKIP_ROUNDS * validatorCount));
  }
  const oldest = height - WINDOW_ROUNDS * validatorCount;
  const recent = list.misses.filter((miss) => miss.height > oldest);
  const earlier = recent.filter(({ nodeId }) => nodeId === primary).length;
  if (earlier + 1 >= MISSES_TO_SKIP) return skip(list, turn, FIRST_SKIP_ROUNDS * validatorCount);
  return { ...list, misses: [...recent, { nodeId: primary, height }] };
}

function skip(list: SkipList, { primary, height }: Turn, length: number): SkipList {
  const from = toHeight(height + EFFECT_DELAY);
  const until = toHeight(from + length);
  return {
    misses: without(list.misses, primary),
    skips: [...without(list.skips, primary), { nodeId: primary, from, until, length }],
  };
}

/** What is known of nodes that are no validators any more goes, but no skip that still counts. */
function dropStrangers(list: SkipList, members: ReadonlySet<string>, turn: Turn): SkipList {
  const isKnown = ({ nodeId }: { readonly nodeId: string }) => members.has(nodeId);
  if (list.misses.every(isKnown) && list.skips.every(isKnown)) return list;
  const skips = list.skips
    .filter((one) => isKnown(one) || one.until > turn.height + 1)
    .map((one) => (isKnown(one) ? one : endedBy(one, turn)));
  return { misses: list.misses.filter(isKnown), skips };
}

/** At most f are skipped at once: the oldest skip gives way. */
function capSkips(list: SkipList, turn: Turn): SkipList {
  const most = faultBound(turn.validatorsAfterNext.length);
  const counted = list.skips.filter(({ until }) => until > turn.height + EFFECT_DELAY);
  const ended = new Set(counted.slice(0, Math.max(0, counted.length - most)));
  if (ended.size === 0) return list;
  return { ...list, skips: list.skips.map((one) => (ended.has(one) ? endedBy(one, turn) : one)) };
}

function endedBy(one: Skip, { height }: Turn): Skip {
  const until = toHeight(Math.min(one.until, height + EFFECT_DELAY));
  return until === one.until ? one : { ...one, until };
}

function without<T extends { readonly nodeId: string }>(
  entries: readonly T[],
  nodeId: string,
): readonly T[] {
  return entries.some((one) => one.nodeId === nodeId)
    ? entries.filter((one) => one.nodeId !== nodeId)
    : entries;
}

/**
 * Node ids that are not primary at `height`.
 *
 * @param list the list after block k, for `height` k + 1 or k + 2.
 */
export function skippedAt({ skips }: SkipList, height: Height): readonly string[] {
  return skips.filter(({ from, until }) => from <= height && height < until).map((s) => s.nodeId);
}
