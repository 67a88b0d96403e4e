import { taggedSm3 } from "@credlink/crypto";
import {
  MAX_STATE_VALUE_BYTES,
  type StateEntry,
  type StateView,
  type StateWrite,
} from "@credlink/ledger";
import { stateRowKey } from "@credlink/ledger/rules";
import {
  bytesUpTo,
  type Codec,
  type Digest,
  encode,
  type Height,
  list,
  nullable,
  struct,
  textOfBytes,
} from "@credlink/primitives";
import type { BranchIndex, SharedTip } from "./branches.ts";

/** More changes than any simulated block makes. */
const MAX_WRITES = 100_000;

const writesCodec: Codec<readonly { row: Uint8Array; value: Uint8Array | null }[]> = list(
  struct<{ row: Uint8Array; value: Uint8Array | null }>({
    row: bytesUpTo(256),
    value: nullable(bytesUpTo(MAX_STATE_VALUE_BYTES)),
  }),
  MAX_WRITES,
);

/** Root of the state after a block: digest of its parent's root and of the block's net changes. */
export function chainedRoot(parentRoot: Uint8Array, writes: readonly StateWrite[]): Digest {
  const rows = writes.map(({ contract, key, value }) => ({
    row: stateRowKey(contract, key),
    value,
  }));
  return taggedSm3("credlink/simulated-state/1", parentRoot, encode(writesCodec, rows));
}

/** The text that stands for (contract, key). */
export function cellOf(contract: string, key: Uint8Array): string {
  return `${contract}/${textOfBytes(key)}`;
}

/** What a view is the state of. */
export interface ChainedPlace {
  readonly height: Height;
  readonly digest: Digest;
  readonly timestampMs: number;
  readonly root: Digest;
}

/** The state after a block, on the branch of its parent: what the block changed, over the rest. */
export class ChainedView implements StateView {
  readonly height: Height;
  readonly digest: Digest;
  readonly timestampMs: number;
  readonly root: Digest;
  readonly writes: readonly StateWrite[];
  readonly #cells: BranchIndex<Uint8Array | null>;
  readonly #parent: SharedTip | null;
  readonly #own: ReadonlyMap<string, Uint8Array | null>;

  constructor(
    place: ChainedPlace,
    cells: BranchIndex<Uint8Array | null>,
    parent: SharedTip | null,
    writes: readonly StateWrite[],
  ) {
    this.height = place.height;
    this.digest = place.digest;
    this.timestampMs = place.timestampMs;
    this.root = place.root;
    this.writes = writes;
    this.#cells = cells;
    this.#parent = parent;
    this.#own = new Map(writes.map(({ contract, key, value }) => [cellOf(contract, key), value]));
  }

  get(contract: string, key: Uint8Array): Uint8Array | null {
    const cell = cellOf(contract, key);
    const own = this.#own.get(cell);
    if (own !== undefined) return own;
    if (this.#parent === null) return null;
    return this.#cells.find(cell, this.#parent)?.value ?? null;
  }

  /** The stand-in executor reads keys alone. */
  range(): readonly StateEntry[] {
    throw new Error("a chained state has no order of keys");
  }

  async loadRange(): Promise<void> {
    this.range();
  }
}
