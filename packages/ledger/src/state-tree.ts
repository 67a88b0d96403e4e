import { compareBytes, concatBytes, type Digest, invariant } from "@credlink/primitives";
import { LedgerError } from "./errors.ts";
import { encodeU64 } from "./fixed-u64.ts";
import { HashPlan, lastLevelNode, leafNode, type StateLeaf, type TreeNode } from "./state-nodes.ts";
import { emptyPage, LAST_LEVEL, PAGE_LEVELS, type Page } from "./state-page.ts";
import { EMPTY_STATE_ROOT, pathBit, type StateProof } from "./state-proof.ts";

/** Key of a page: one byte, the nibbles of its prefix; the prefix; u64 height. */
export function pageKey(path: Uint8Array, depth: number, height: number): Uint8Array {
  const nibbles = depth / PAGE_LEVELS;
  const prefix = path.slice(0, (nibbles + 1) >> 1);
  if ((nibbles & 1) === 1) {
    const last = prefix.length - 1;
    prefix[last] = (prefix[last] ?? 0) & 0xf0;
  }
  return concatBytes(Uint8Array.of(nibbles), prefix, encodeU64(height));
}

/** Finds pages by key: those of candidates in memory, of committed blocks in the store. */
export interface PageSource {
  /** @throws LedgerError LEDGER_STORE_CORRUPT when a committed page is missing or damaged. */
  page(key: Uint8Array): Page;
}

/** A change of one leaf; null takes it out. */
export interface LeafChange {
  readonly path: Uint8Array;
  readonly valueDigest: Uint8Array | null;
}

/** The outcome of changing a tree; the old one stays as it was. */
export interface TreeUpdate {
  readonly root: Digest;
  /** Pages written at this height. */
  readonly pages: readonly { readonly key: Uint8Array; readonly page: Page }[];
  /** Keys of pages that the new tree does not use any more. */
  readonly stale: readonly Uint8Array[];
}

interface Draft {
  readonly path: Uint8Array;
  readonly depth: number;
  readonly nodes: (TreeNode | null)[];
}

/**
 * The tree after `changes`, as of `height`. The top page is written at every height, so that a
 * height alone finds a tree.
 *
 * @param parentHeight height of the tree that is changed, or null for the empty tree.
 */
export function updateTree(
  source: PageSource,
  parentHeight: number | null,
  height: number,
  changes: readonly LeafChange[],
): TreeUpdate {
  invariant(parentHeight === null || parentHeight < height, "a tree grows upward");
  const sorted = [...changes].sort((a, b) => compareBytes(a.path, b.path));
  for (let i = 1; i < sorted.length; i++) {
    const [a, b] = [sorted[i - 1], sorted[i]];
    invariant(a && b && compareBytes(a.path, b.path) < 0, "each leaf changes once");
  }
  const update = new Update(source, height, sorted);
  return update.run(parentHeight);
}

const TOP = new Uint8Array(0);

class Update {
  readonly #source: PageSource;
  readonly #height: number;
  readonly #changes: readonly LeafChange[];
  readonly #pages: { key: Uint8Array; page: Page }[] = [];
  readonly #stale: Uint8Array[] = [];
  readonly #plan = new HashPlan();

  constructor(source: PageSource, height: number, changes: readonly LeafChange[]) {
    this.#source = source;
    this.#height = height;
    this.#changes = changes;
  }

  run(parentHeight: number | null): TreeUpdate {
    const top =
      parentHeight === null
        ? { path: TOP, depth: 0, nodes: emptyPage() }
        : this.#copy(TOP, 0, parentHeight);
    const root = this.#apply(top, 1, 0, top.nodes[1] ?? null, 0, this.#changes.length);
    top.nodes[1] = root;
    this.#keep(top);
    this.#plan.run();
    return { root: root?.hash ?? EMPTY_STATE_ROOT, pages: this.#pages, stale: this.#stale };
  }

  /** A page to change, the old one becoming stale. */
  #copy(path: Uint8Array, depth: number, height: number): Draft {
    const key = pageKey(path, depth, height);
    this.#stale.push(key);
    return { path, depth, nodes: [...this.#source.page(key)] };
  }

  #keep(draft: Draft): void {
    this.#pages.push({
      key: pageKey(draft.path, draft.depth, this.#height),
      page: draft.nodes,
    });
  }

  /** Applies changes [low, high) below `node`, at `place` of a draft; returns what stands there. */
  #apply(
    draft: Draft,
    place: number,
    depth: number,
    node: TreeNode | null,
    low: number,
    high: number,
  ): TreeNode | null {
    if (low === high) return node;
    if (node === null || node.leaf !== null) {
      return this.#build(draft, place, depth, this.#leaves(node, low, high));
    }
    if (place >= LAST_LEVEL) {
      const below = this.#copy(this.#pathOf(low), depth, node.pageHeight);
      const result = this.#apply(below, 1, depth, node, low, high);
      if (result === null || result.leaf !== null) return result;
      this.#keep(below);
      return lastLevelNode(result, this.#height);
    }
    let middle = low;
    while (middle < high && pathBit(this.#pathOf(middle), depth) === 0) middle++;
    const { nodes } = draft;
    const [left, right] = [2 * place, 2 * place + 1];
    nodes[left] = this.#apply(draft, left, depth + 1, nodes[left] ?? null, low, middle);
    nodes[right] = this.#apply(draft, right, depth + 1, nodes[right] ?? null, middle, high);
    return this.#join(draft, place);
  }

  /** The node over its two children; a lone leaf moves up into its place. */
  #join({ nodes }: Draft, place: number): TreeNode | null {
    const left = nodes[2 * place] ?? null;
    const right = nodes[2 * place + 1] ?? null;
    const only = left === null ? right : right === null ? left : null;
    if (left === null && right === null) return null;
    if (only?.leaf) {
      nodes[2 * place] = null;
      nodes[2 * place + 1] = null;
      return only;
    }
    return this.#plan.join(left, right);
  }

  /** The subtree of some leaves, in a place that held none or one. */
  #build(draft: Draft, place: number, depth: number, leaves: readonly TreeNode[]): TreeNode | null {
    const [only] = leaves;
    if (leaves.length <= 1 || only?.leaf == null) return only ?? null;
    if (place >= LAST_LEVEL) {
      const below = { path: only.leaf.path, depth, nodes: emptyPage() };
      const result = this.#build(below, 1, depth, leaves);
      invariant(result !== null && result.leaf === null, "two leaves need an inner node");
      this.#keep(below);
      return lastLevelNode(result, this.#height);
    }
    const isLeft = (leaf: TreeNode) => leaf.leaf !== null && pathBit(leaf.leaf.path, depth) === 0;
    const { nodes } = draft;
    const [left, right] = [2 * place, 2 * place + 1];
    nodes[left] = this.#build(draft, left, depth + 1, leaves.filter(isLeft));
    nodes[right] = this.#build(
      draft,
      right,
      depth + 1,
      leaves.filter((leaf) => !isLeft(leaf)),
    );
    return this.#join(draft, place);
  }

  /** What changes [low, high) make of a subtree that held at most one leaf; ascending by path. */
  #leaves(old: TreeNode | null, low: number, high: number): readonly TreeNode[] {
    const leaves: TreeNode[] = [];
    let isOldReplaced = old === null;
    for (let i = low; i < high; i++) {
      const change = this.#changes[i];
      invariant(change !== undefined, "a change of the range");
      if (old?.leaf && compareBytes(old.leaf.path, change.path) === 0) isOldReplaced = true;
      if (change.valueDigest !== null) leaves.push(leafNode(change.path, change.valueDigest));
    }
    if (!isOldReplaced && old !== null) leaves.push(old);
    return leaves;
  }

  #pathOf(index: number): Uint8Array {
    const change = this.#changes[index];
    invariant(change !== undefined, "a change of the range");
    return change.path;
  }
}

/** Root of the tree of a height. */
export function treeRoot(source: PageSource, height: number): Digest {
  const top = source.page(pageKey(TOP, 0, height));
  return top[1]?.hash ?? EMPTY_STATE_ROOT;
}

/** Proof of what stands at `path` in the tree of a height. */
export function createStateProof(source: PageSource, height: number, path: Uint8Array): StateProof {
  const siblings: (Digest | null)[] = [];
  let page = source.page(pageKey(TOP, 0, height));
  let place = 1;
  let node = page[1] ?? null;
  for (let depth = 0; node !== null && node.leaf === null; depth++) {
    if (place >= LAST_LEVEL) {
      page = source.page(pageKey(path, depth, node.pageHeight));
      place = 1;
    }
    const bit = pathBit(path, depth);
    siblings.push(page[2 * place + (1 - bit)]?.hash ?? null);
    place = 2 * place + bit;
    node = page[place] ?? null;
    if (depth >= 256) throw new LedgerError({ code: "LEDGER_STORE_CORRUPT" }, "a tree too deep");
  }
  return { siblings, leaf: node?.leaf ?? null };
}

/** Every leaf of the tree of a height, ascending by path. */
export function* treeLeaves(source: PageSource, height: number): Generator<StateLeaf> {
  const top = source.page(pageKey(TOP, 0, height));
  yield* leavesBelow(source, top, 1, top[1] ?? null, new Uint8Array(32), 0);
}

function* leavesBelow(
  source: PageSource,
  page: Page,
  place: number,
  node: TreeNode | null,
  path: Uint8Array,
  depth: number,
): Generator<StateLeaf> {
  if (node === null) return;
  if (node.leaf !== null) {
    yield node.leaf;
    return;
  }
  const isLast = place >= LAST_LEVEL;
  const children = isLast ? source.page(pageKey(path, depth, node.pageHeight)) : page;
  const at = isLast ? 1 : place;
  for (const bit of [0, 1] as const) {
    const next = path.slice();
    if (bit === 1) next[depth >> 3] = (next[depth >> 3] ?? 0) | (0x80 >> (depth & 7));
    const child = children[2 * at + bit] ?? null;
    yield* leavesBelow(source, children, 2 * at + bit, child, next, depth + 1);
  }
}
