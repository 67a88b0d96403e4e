import type { StateEntry } from "@credlink/ledger";
import { compareBytes } from "@credlink/primitives";

/** A changed key; `value` null: deleted. */
export interface Change {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

/**
 * Changes in order of their keys. A contract may change thousands of keys and ask for ranges
 * between: neither sorts anew, and a change costs a search and a move of references.
 */
export class SortedChanges {
  private readonly items: Change[];

  constructor(changes: Iterable<Change>) {
    this.items = [...changes].sort((a, b) => compareBytes(a.key, b.key));
  }

  /** Adds a change, in place of that of the same key. */
  put(change: Change): void {
    const place = this.firstFrom(change.key);
    const item = this.items[place];
    const isKnown = item !== undefined && compareBytes(item.key, change.key) === 0;
    this.items.splice(place, isKnown ? 1 : 0, change);
  }

  /** Changes of keys in [from, to), ascending. */
  within(from: Uint8Array, to: Uint8Array): readonly Change[] {
    return this.items.slice(this.firstFrom(from), this.firstFrom(to));
  }

  /**
   * The first changes of keys in [from, to), ascending, as far as `most` of them that put a value:
   * whatever comes after these has no place on a page of `most` entries.
   */
  leading(from: Uint8Array, to: Uint8Array, most: number): readonly Change[] {
    const first = this.firstFrom(from);
    const end = this.firstFrom(to);
    let next = first;
    for (let put = 0; next < end && put < most; next++) {
      if (this.items[next]?.value !== null) put++;
    }
    return this.items.slice(first, next);
  }

  /** Place of the first change whose key is not below `key`. */
  private firstFrom(key: Uint8Array): number {
    let first = 0;
    for (let end = this.items.length; first < end; ) {
      const middle = (first + end) >> 1;
      const item = this.items[middle];
      if (item !== undefined && compareBytes(item.key, key) < 0) first = middle + 1;
      else end = middle;
    }
    return first;
  }
}

/** Puts a parent's pages and changes over them together, in order of keys, up to a limit. */
export class Merge {
  readonly entries: StateEntry[] = [];
  private readonly changes: readonly Change[];
  private readonly limit: number;
  private next = 0;

  constructor(changes: readonly Change[], limit: number) {
    this.changes = changes;
    this.limit = limit;
  }

  get isFull(): boolean {
    return this.entries.length >= this.limit;
  }

  /** Takes a page, and the changes up to `bound`: all that are left when null. */
  takePage(page: readonly StateEntry[], bound: Uint8Array | null): void {
    for (const entry of page) {
      this.takeChanges((key) => compareBytes(key, entry.key) < 0);
      if (this.isFull) return;
      const change = this.changes[this.next];
      // A change hides the parent's entry.
      if (change !== undefined && compareBytes(change.key, entry.key) === 0)
        this.takeChange(change);
      else this.entries.push(entry);
    }
    this.takeChanges((key) => bound === null || compareBytes(key, bound) <= 0);
  }

  private takeChanges(isDue: (key: Uint8Array) => boolean): void {
    while (!this.isFull) {
      const change = this.changes[this.next];
      if (change === undefined || !isDue(change.key)) return;
      this.takeChange(change);
    }
  }

  private takeChange({ key, value }: Change): void {
    this.next++;
    if (value !== null) this.entries.push({ key, value });
  }
}
