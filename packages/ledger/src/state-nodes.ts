import type { Digest } from "@credlink/primitives";
import { stateLeafHash, stateLeafHashes, stateNodeHash, stateNodeHashes } from "./digests.ts";
import { EMPTY_STATE_ROOT } from "./state-proof.ts";

/** A leaf of the state tree: the digest of a value, and where it stands. */
export interface StateLeaf {
  readonly path: Uint8Array;
  readonly valueDigest: Uint8Array;
}

/**
 * A node of the state tree: a leaf (the only key below it), or an inner node of which only the
 * hash is known here.
 */
export interface TreeNode {
  readonly hash: Digest;
  readonly leaf: StateLeaf | null;
  /** Height of the page with an inner node's children, where that is a page of its own. */
  readonly pageHeight: number;
}

/** A node that has no hash yet: it is computed with others, or when somebody asks for it. */
abstract class UnhashedNode implements TreeNode {
  abstract readonly leaf: StateLeaf | null;
  readonly pageHeight = 0;
  #hash: Digest | null = null;

  get isHashed(): boolean {
    return this.#hash !== null;
  }

  get hash(): Digest {
    this.#hash ??= this.compute();
    return this.#hash;
  }

  settle(hash: Digest): void {
    this.#hash = hash;
  }

  protected abstract compute(): Digest;
}

/** Most leaves of a page that is read are never asked for their hash. */
class LeafNode extends UnhashedNode {
  readonly leaf: StateLeaf;
  isPlanned = false;

  constructor(path: Uint8Array, valueDigest: Uint8Array) {
    super();
    this.leaf = { path, valueDigest };
  }

  protected compute(): Digest {
    return stateLeafHash(this.leaf.path, this.leaf.valueDigest);
  }
}

/** An inner node over children that may have no hash yet either. */
class JoinedNode extends UnhashedNode {
  readonly leaf = null;
  /** Joins of the same change below this one, and it: those of one level do not need each other. */
  readonly level: number;
  /** Null once they are not needed: a tree must not keep the one before it in memory. */
  #children: readonly [TreeNode | null, TreeNode | null] | null;

  constructor(left: TreeNode | null, right: TreeNode | null) {
    super();
    this.#children = [left, right];
    this.level = 1 + Math.max(levelOf(left), levelOf(right));
  }

  /** The hashes of both children. */
  parts(): readonly [Digest, Digest] {
    const [left, right] = this.#children ?? [null, null];
    return [left?.hash ?? EMPTY_STATE_ROOT, right?.hash ?? EMPTY_STATE_ROOT];
  }

  override settle(hash: Digest): void {
    super.settle(hash);
    this.#children = null;
  }

  protected compute(): Digest {
    const hash = stateNodeHash(...this.parts());
    this.#children = null;
    return hash;
  }
}

/** An inner node on a page's last level: its children are in a page of their own. */
class LastLevelNode implements TreeNode {
  readonly leaf = null;
  readonly pageHeight: number;
  readonly node: TreeNode;

  constructor(node: TreeNode, pageHeight: number) {
    this.node = node;
    this.pageHeight = pageHeight;
  }

  get hash(): Digest {
    return this.node.hash;
  }
}

function levelOf(node: TreeNode | null): number {
  if (node instanceof LastLevelNode) return levelOf(node.node);
  return node instanceof JoinedNode && !node.isHashed ? node.level : 0;
}

/** A leaf whose hash is computed when it is asked for. */
export function leafNode(path: Uint8Array, valueDigest: Uint8Array): TreeNode {
  return new LeafNode(path, valueDigest);
}

/** The same inner node where its children are in a page of `pageHeight`. */
export function lastLevelNode(node: TreeNode, pageHeight: number): TreeNode {
  return new LastLevelNode(node, pageHeight);
}

/** Inner nodes of a change, hashed together: many digests at once take half the time. */
export class HashPlan {
  readonly #leaves: LeafNode[] = [];
  /** Inner nodes by their level, less one. */
  readonly #levels: JoinedNode[][] = [];

  /** The inner node over two subtrees; null is an empty one. */
  join(left: TreeNode | null, right: TreeNode | null): TreeNode {
    const node = new JoinedNode(left, right);
    this.#addLeaf(left);
    this.#addLeaf(right);
    while (this.#levels.length < node.level) this.#levels.push([]);
    this.#levels[node.level - 1]?.push(node);
    return node;
  }

  /** Computes the hashes of all that was joined, from the leaves upward. */
  run(): void {
    settle(this.#leaves, stateLeafHashes(this.#leaves.map(({ leaf }) => leaf)));
    for (const nodes of this.#levels) settle(nodes, stateNodeHashes(nodes.map(partsOf)));
    this.#leaves.length = 0;
    this.#levels.length = 0;
  }

  #addLeaf(node: TreeNode | null): void {
    if (!(node instanceof LeafNode) || node.isHashed || node.isPlanned) return;
    node.isPlanned = true;
    this.#leaves.push(node);
  }
}

const partsOf = (node: JoinedNode) => node.parts();

function settle(nodes: readonly UnhashedNode[], hashes: readonly Digest[]): void {
  for (let i = 0; i < nodes.length; i++) nodes[i]?.settle(hashes[i] as Digest);
}
