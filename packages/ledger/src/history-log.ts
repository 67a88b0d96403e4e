import {
  type Digest,
  decode,
  digestCodec,
  encode,
  type Height,
  height,
  heightCodec,
  struct,
} from "@credlink/primitives";
import {
  type ConsensusHistory,
  decodeHistory,
  encodeHistoryRow,
  type LinkedHistory,
  openHistoryRow,
  type SeenStatements,
  splitHistoryRow,
} from "./consensus-history.ts";
import { LedgerError } from "./errors.ts";
import { encodeU64 } from "./fixed-u64.ts";
import { metadataOperation, readMetadata } from "./rows.ts";
import type { KeyValueStore, WriteOperation } from "./store.ts";

/** Heights whose history is kept when nothing else is said. */
export const DEFAULT_HISTORY_HEIGHTS = 100_000;
/** Rows that one commit takes away at most, when fewer are to be kept than were. */
const MAX_PRUNED_AT_ONCE = 16;

/** Where the kept history begins: the highest height that is no longer kept, and its link. */
export interface HistoryAnchor {
  readonly height: Height;
  readonly link: Digest;
}

const anchorCodec = struct<HistoryAnchor>({ height: heightCodec, link: digestCodec });

/**
 * The stored anchor; at first that of height 0, whose link is the genesis digest.
 * @throws LedgerError LEDGER_STORE_CORRUPT
 */
export function readHistoryAnchor(store: KeyValueStore, genesisDigest: Digest): HistoryAnchor {
  const payload = readMetadata(store, "history");
  return payload === null
    ? { height: height(0), link: genesisDigest }
    : decode(anchorCodec, payload);
}

/** The link stored at a height; null when its row is not there. */
export function readHistoryLink(
  store: KeyValueStore,
  anchor: HistoryAnchor,
  at: number,
): Digest | null {
  if (at === anchor.height) return anchor.link;
  const row = store.get("history", encodeU64(at));
  return row === null ? null : splitHistoryRow(row).link;
}

/** What a row of history holds, whether it links or not; null when it is missing or damaged. */
export function readStoredStatements(store: KeyValueStore, at: Height): SeenStatements | null {
  const row = store.get("history", encodeU64(at));
  try {
    return row && decodeHistory(at, splitHistoryRow(row).payload);
  } catch (error) {
    if (error instanceof LedgerError) return null;
    throw error;
  }
}

/** The rows of history of one chain: one is added with every block, the oldest go. */
export class HistoryLog {
  readonly #store: KeyValueStore;
  /** 0 = all. */
  readonly #keptHeights: number;
  #anchor: HistoryAnchor;
  #last: HistoryAnchor | null = null;
  /** What the operations last made will have written. */
  #next: { readonly anchor: HistoryAnchor; readonly last: HistoryAnchor } | null = null;

  /** @throws LedgerError LEDGER_STORE_CORRUPT */
  constructor(store: KeyValueStore, genesisDigest: Digest, keptHeights: number) {
    this.#store = store;
    this.#keptHeights = keptHeights;
    this.#anchor = readHistoryAnchor(store, genesisDigest);
  }

  /**
   * What one block adds and takes away. A row below that is missing or damaged does not hold up
   * the chain: `verifyChain` names it.
   */
  operations(history: ConsensusHistory): WriteOperation[] {
    const { key, row, link } = encodeHistoryRow(this.#linkBelow(history.height), history);
    const operations: WriteOperation[] = [{ type: "put", space: "history", key, value: row }];
    const anchor = this.#prune(history.height, operations);
    this.#next = { anchor, last: { height: history.height, link } };
    return operations;
  }

  /** The operations were written. */
  written(): void {
    if (this.#next === null) return;
    this.#anchor = this.#next.anchor;
    this.#last = this.#next.last;
    this.#next = null;
  }

  /**
   * Null when the height is not kept any more.
   * @throws LedgerError LEDGER_STORE_CORRUPT when the row is missing or does not link
   */
  read(at: Height): LinkedHistory | null {
    // What a batch under way takes away may be gone before its commit has resolved.
    const anchor = this.#next?.anchor ?? this.#anchor;
    if (at <= anchor.height) return null;
    const row = this.#store.get("history", encodeU64(at));
    const below = readHistoryLink(this.#store, anchor, at - 1);
    return openHistoryRow(below ?? anchor.link, at, row ?? new Uint8Array(0));
  }

  #linkBelow(at: Height): Digest {
    if (this.#last?.height === at - 1) return this.#last.link;
    return readHistoryLink(this.#store, this.#anchor, at - 1) ?? this.#anchor.link;
  }

  #prune(head: Height, operations: WriteOperation[]): HistoryAnchor {
    if (this.#keptHeights === 0) return this.#anchor;
    const end = Math.min(head - this.#keptHeights, this.#anchor.height + MAX_PRUNED_AT_ONCE);
    let anchor = this.#anchor;
    for (let at = this.#anchor.height + 1; at <= end; at++) {
      const link = readHistoryLink(this.#store, this.#anchor, at) ?? anchor.link;
      anchor = { height: height(at), link };
      operations.push({ type: "delete", space: "history", key: encodeU64(at) });
    }
    if (anchor !== this.#anchor) {
      operations.push(metadataOperation("history", encode(anchorCodec, anchor)));
    }
    return anchor;
  }
}
