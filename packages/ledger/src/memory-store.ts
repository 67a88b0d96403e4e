import { compareBytes, invariant, textOfBytes } from "@credlink/primitives";
import { type KeyValueStore, type RangeOptions, type Space, spaces } from "./store.ts";

interface Row {
  readonly key: Uint8Array;
  value: Uint8Array;
}

/** One space: rows by key, and from the first range on their order as well. */
class Table {
  readonly rows = new Map<string, Row>();
  readonly #own: (bytes: Uint8Array) => Uint8Array;
  #sorted: Row[] | null = null;

  /** @param own what a row keeps of bytes that it is given. */
  constructor(own: (bytes: Uint8Array) => Uint8Array) {
    this.#own = own;
  }

  put(key: Uint8Array, value: Uint8Array): void {
    const text = textOfBytes(key);
    const known = this.rows.get(text);
    if (known !== undefined) {
      known.value = this.#own(value);
      return;
    }
    const row = { key: this.#own(key), value: this.#own(value) };
    this.rows.set(text, row);
    this.#sorted?.splice(lowerBound(this.#sorted, key), 0, row);
  }

  delete(key: Uint8Array): void {
    if (this.rows.delete(textOfBytes(key))) this.#sorted?.splice(lowerBound(this.#sorted, key), 1);
  }

  sorted(): readonly Row[] {
    this.#sorted ??= [...this.rows.values()].sort((a, b) => compareBytes(a.key, b.key));
    return this.#sorted;
  }
}

/** Index of the first row whose key is not below `bound`. */
function lowerBound(rows: readonly Row[], bound: Uint8Array): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const row = rows[middle];
    if (row !== undefined && compareBytes(row.key, bound) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A store in memory: for tests, local runs of contract developers, and the simulator. */
export interface MemoryStore extends KeyValueStore {
  /** A copy of everything, for `restore`. */
  snapshot(): MemoryStoreSnapshot;
  /** Puts everything back to what it was; opens the store again if it was closed. */
  restore(snapshot: MemoryStoreSnapshot): void;
}

/** Rows by space. */
export type MemoryStoreSnapshot = ReadonlyMap<
  Space,
  readonly (readonly [key: Uint8Array, value: Uint8Array])[]
>;

/**
 * An empty store in memory. Values that it returns must not be changed.
 *
 * @param options.handedOver whether keys and values that it is given are never changed afterwards:
 *   it then keeps them without a copy. Default: false.
 */
export function createMemoryStore(options: { readonly handedOver?: boolean } = {}): MemoryStore {
  const own = (bytes: Uint8Array) => (options.handedOver === true ? bytes : bytes.slice());
  const tables = new Map<Space, Table>(spaces.map((space) => [space, new Table(own)]));
  let isOpen = true;
  const table = (space: Space): Table => {
    invariant(isOpen, "the store is open");
    const found = tables.get(space);
    invariant(found !== undefined, "a known space");
    return found;
  };
  const get = (space: Space, key: Uint8Array) =>
    table(space).rows.get(textOfBytes(key))?.value ?? null;
  return {
    get,
    getMany: async (space, keys) => keys.map((key) => get(space, key)),
    range: async (space, options) => selectRange(table(space).sorted(), options),
    async write(operations) {
      for (const { space } of operations) table(space);
      for (const operation of operations) {
        if (operation.type === "put") table(operation.space).put(operation.key, operation.value);
        else table(operation.space).delete(operation.key);
      }
    },
    async close() {
      isOpen = false;
    },
    snapshot: () =>
      new Map(
        [...tables].map(([space, { rows }]) => [
          space,
          [...rows.values()].map(({ key, value }) => [key, value] as const),
        ]),
      ),
    restore(snapshot) {
      isOpen = true;
      for (const space of spaces) {
        const fresh = new Table(own);
        for (const [key, value] of snapshot.get(space) ?? []) fresh.put(key, value);
        tables.set(space, fresh);
      }
    },
  };
}

function selectRange(rows: readonly Row[], options: RangeOptions) {
  const first = options.from === undefined ? 0 : lowerBound(rows, options.from);
  const end = options.to === undefined ? rows.length : lowerBound(rows, options.to);
  const limit = options.limit ?? Number.POSITIVE_INFINITY;
  const selected =
    options.reverse === true
      ? rows.slice(Math.max(first, end - limit), Math.max(first, end)).reverse()
      : rows.slice(first, Math.max(first, Math.min(end, first + limit)));
  return selected.map(({ key, value }) => [key, value] as const);
}
