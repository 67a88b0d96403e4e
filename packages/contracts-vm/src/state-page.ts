import { MAX_RANGE_ENTRIES, type StateEntry } from "@credlink/ledger";
import { bytesUpTo, type Codec, concatBytes, list, nullable, struct } from "@credlink/primitives";

/** Longest key that a WebAssembly contract stores, in bytes. */
export const MAX_KEY_BYTES = 128;
/** Most bytes of keys and values in one page. */
export const MAX_PAGE_BYTES = 1024 * 1024;

/** One page of a range of a contract's state. */
export interface StatePage {
  /** Ascending by key. */
  readonly entries: readonly StateEntry[];
  /** Where the range goes on: `from` of the next page. Null: it ends here. */
  readonly next: Uint8Array | null;
}

/** What the host function `state_range` hands over. */
export const statePageCodec: Codec<StatePage> = struct({
  entries: list(
    struct({ key: bytesUpTo(MAX_KEY_BYTES), value: bytesUpTo(256 * 1024) }),
    MAX_RANGE_ENTRIES,
  ),
  next: nullable(bytesUpTo(MAX_KEY_BYTES + 1)),
});

const ZERO = Uint8Array.of(0);

/**
 * The page that a contract gets of the first entries of a range, at most `limit` of them: it ends
 * before the entry that would make it larger than `MAX_PAGE_BYTES`. Where it is full it says how to
 * go on, even if nothing follows: looking one entry further would have to be paid for.
 */
export function pageOf(
  entries: readonly StateEntry[],
  limit: number,
): StatePage & { readonly sizeBytes: number } {
  let sizeBytes = 0;
  let count = 0;
  for (const { key, value } of entries) {
    const grown = sizeBytes + key.length + value.length;
    if (grown > MAX_PAGE_BYTES) break;
    sizeBytes = grown;
    count++;
  }
  const isFull = count < entries.length || count === limit;
  const last = isFull ? entries[count - 1] : undefined;
  const next = last === undefined ? null : concatBytes(last.key, ZERO);
  return { entries: entries.slice(0, count), next, sizeBytes };
}
