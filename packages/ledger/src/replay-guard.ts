import { type Address, type Height, invariant, textOfBytes } from "@credlink/primitives";
import { EXPIRY_WINDOW, NONCE_BYTES } from "./transaction.ts";

/** Blocks of a branch in which a (sender, nonce) must not occur again. */
export const REPLAY_WINDOW = EXPIRY_WINDOW;

/** Bytes of one (sender, nonce) in an index row. */
export const REPLAY_ENTRY_BYTES = 32 + NONCE_BYTES;

/** Which (sender, nonce) the blocks of one branch have used. */
export interface ReplayGuard {
  /**
   * Whether the pair occurs in the `REPLAY_WINDOW` blocks below `height`, or was added for
   * `height` itself.
   */
  includes(sender: Address, nonce: Uint8Array, height: Height): boolean;
}

/** The text that stands for a pair: 48 characters of one byte each. */
function entryOf(sender: Uint8Array, nonce: Uint8Array): string {
  return textOfBytes(sender) + textOfBytes(nonce);
}

/** One candidate's pairs over its parent's. Passes through once its block is committed. */
export interface ReplayLayer extends ReplayGuard {
  add(sender: Address, nonce: Uint8Array): void;
}

/** The pairs of the committed chain, and the root of all layers. */
export interface CommittedReplayGuard extends ReplayGuard {
  /** An empty layer for a block of `height` on `parent` (a layer, or this guard). */
  layer(parent: ReplayGuard, height: Height): ReplayLayer;
  /** Takes over the pairs of a committed block's layer and forgets what left the window. */
  absorb(layer: ReplayLayer): void;
  /** Takes over one block's index row while the chain is opened, lowest height first. */
  load(height: Height, row: Uint8Array): void;
}

class Layer implements ReplayLayer {
  readonly height: Height;
  #entries = new Set<string>();
  #parent: ReplayGuard;

  constructor(parent: ReplayGuard, height: Height) {
    this.#parent = parent;
    this.height = height;
  }

  includes(sender: Address, nonce: Uint8Array, height: Height): boolean {
    const isRecent = height - this.height <= REPLAY_WINDOW;
    if (isRecent && this.#entries.has(entryOf(sender, nonce))) return true;
    return this.#parent.includes(sender, nonce, height);
  }

  add(sender: Address, nonce: Uint8Array): void {
    this.#entries.add(entryOf(sender, nonce));
  }

  /** Gives its entries away and passes through to `root` from now on. */
  drain(root: ReplayGuard): ReadonlySet<string> {
    const entries = this.#entries;
    this.#entries = new Set();
    this.#parent = root;
    return entries;
  }
}

class Committed implements CommittedReplayGuard {
  /** Entry to the height of the last block that used it. */
  readonly #heights = new Map<string, number>();
  readonly #blocks: { readonly height: number; readonly entries: ReadonlySet<string> }[] = [];

  includes(sender: Address, nonce: Uint8Array, height: Height): boolean {
    const at = this.#heights.get(entryOf(sender, nonce));
    // A branch that lost sees entries of its rival at its own height: they do not count.
    return at !== undefined && at < height && height - at <= REPLAY_WINDOW;
  }

  layer(parent: ReplayGuard, height: Height): ReplayLayer {
    return new Layer(parent, height);
  }

  absorb(layer: ReplayLayer): void {
    invariant(layer instanceof Layer, "a layer of this guard");
    this.#add(layer.height, layer.drain(this));
  }

  load(height: Height, row: Uint8Array): void {
    const entries = new Set<string>();
    for (let at = 0; at < row.length; at += REPLAY_ENTRY_BYTES) {
      entries.add(textOfBytes(row.subarray(at, at + REPLAY_ENTRY_BYTES)));
    }
    this.#add(height, entries);
  }

  #add(height: number, entries: ReadonlySet<string>): void {
    for (const entry of entries) this.#heights.set(entry, height);
    this.#blocks.push({ height, entries });
    // The lowest block whose entries still count for height + 1 is height + 1 − window.
    for (;;) {
      const oldest = this.#blocks[0];
      if (oldest === undefined || oldest.height > height - REPLAY_WINDOW) return;
      this.#blocks.shift();
      for (const entry of oldest.entries) {
        if (this.#heights.get(entry) === oldest.height) this.#heights.delete(entry);
      }
    }
  }
}

/** An empty guard: the chain before its first block. */
export function createReplayGuard(): CommittedReplayGuard {
  return new Committed();
}
