/** Classes of data, each a name space of its own in the node's database. */
export const spaces = [
  /** u64 height -> encoded block, certificate and justification, behind a checksum. */
  "blocks",
  /** transaction id -> signed transaction bytes. */
  "bodies",
  /** u64 height ‖ u32 index -> receipt; transaction id -> its place. */
  "receipts",
  /** u8 length ‖ contract ‖ key -> value, as of the head. */
  "state",
  /** u8 nibbles ‖ prefix ‖ u64 height -> page of the state tree. */
  "pages",
  /** u8 kind ‖ u64 height or digest -> what the replay guard, pruning and lookups need. */
  "index",
  /** name -> local facts: head, genesis, schema version. */
  "metadata",
  /** u64 height -> what this node saw of the consensus, linked to the row below. */
  "history",
] as const;
export type Space = (typeof spaces)[number];

export type WriteOperation =
  | {
      readonly type: "put";
      readonly space: Space;
      readonly key: Uint8Array;
      readonly value: Uint8Array;
    }
  | { readonly type: "delete"; readonly space: Space; readonly key: Uint8Array };

export interface RangeOptions {
  /** Inclusive lower bound. */
  readonly from?: Uint8Array;
  /** Exclusive upper bound. */
  readonly to?: Uint8Array;
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** Ordered keys (by bytes) and values, one atomic batch at a time. */
export interface KeyValueStore {
  /** @throws AppError of the store's own when it cannot answer. Values must not be changed. */
  get(space: Space, key: Uint8Array): Uint8Array | null;
  getMany(space: Space, keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | null)[]>;
  range(
    space: Space,
    options: RangeOptions,
  ): Promise<readonly (readonly [key: Uint8Array, value: Uint8Array])[]>;
  /** All or nothing; with `sync` durable when it resolves. */
  write(operations: readonly WriteOperation[], options: { readonly sync: boolean }): Promise<void>;
  close(): Promise<void>;
}
