import type { StateEntry, StateRange, StateWrite } from "@credlink/ledger";
import { compareBytes, concatBytes } from "@credlink/primitives";

/** Where an overlay reads what it did not change. */
export interface StateReader {
  get(contract: string, key: Uint8Array): Uint8Array | null;
  range(range: StateRange): readonly StateEntry[];
}

interface Change {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

/** Bytes as text of one character each: its order is the bytes' order. */
function textOf(key: Uint8Array): string {
  return String.fromCharCode(...key);
}

/** Changes over a parent that stays as it is, until `mergeInto` hands them on. */
export class StateOverlay implements StateReader {
  private readonly parent: StateReader;
  private readonly changes = new Map<string, Map<string, Change>>();

  constructor(parent: StateReader) {
    this.parent = parent;
  }

  get(contract: string, key: Uint8Array): Uint8Array | null {
    const change = this.changes.get(contract)?.get(textOf(key));
    return change === undefined ? this.parent.get(contract, key) : change.value;
  }

  /** `value` null deletes. The overlay keeps both arrays: neither may change afterwards. */
  set(contract: string, key: Uint8Array, value: Uint8Array | null): void {
    let ofContract = this.changes.get(contract);
    if (ofContract === undefined) {
      ofContract = new Map();
      this.changes.set(contract, ofContract);
    }
    ofContract.set(textOf(key), { key, value });
  }

  range(range: StateRange): readonly StateEntry[] {
    const own = this.changesIn(range);
    if (own.length === 0) return this.parent.range(range);
    const merged: StateEntry[] = [];
    let next = 0;
    let from = range.from;
    for (;;) {
      const page = this.parent.range({ ...range, from });
      const last = page.length < range.limit ? undefined : page[page.length - 1];
      next = mergePage(merged, page, own, next, last?.key ?? null);
      if (merged.length >= range.limit || last === undefined) return merged.slice(0, range.limit);
      from = concatBytes(last.key, Uint8Array.of(0));
    }
  }

  /** Puts all changes into `target`. */
  mergeInto(target: StateOverlay): void {
    for (const [contract, changes] of this.changes) {
      for (const { key, value } of changes.values()) target.set(contract, key, value);
    }
  }

  /** All changes, each key once. */
  writes(): readonly StateWrite[] {
    const writes: StateWrite[] = [];
    for (const [contract, changes] of this.changes) {
      for (const { key, value } of changes.values()) writes.push({ contract, key, value });
    }
    return writes;
  }

  private changesIn(range: StateRange): readonly Change[] {
    const changes = this.changes.get(range.contract);
    if (changes === undefined) return [];
    return [...changes.values()]
      .filter(({ key }) => compareBytes(key, range.from) >= 0 && compareBytes(key, range.to) < 0)
      .sort((a, b) => compareBytes(a.key, b.key));
  }
}

/**
 * Adds a parent's page and the changes up to `bound` (all that are left when null) in order of
 * keys; a change hides the parent's entry. Returns how many changes are done with.
 */
function mergePage(
  merged: StateEntry[],
  page: readonly StateEntry[],
  changes: readonly Change[],
  start: number,
  bound: Uint8Array | null,
): number {
  let next = start;
  const takeChange = (): void => {
    const change = changes[next++];
    if (change !== undefined && change.value !== null) {
      merged.push({ key: change.key, value: change.value });
    }
  };
  const nextKey = (): Uint8Array | undefined => changes[next]?.key;
  for (const entry of page) {
    let key = nextKey();
    while (key !== undefined && compareBytes(key, entry.key) < 0) {
      takeChange();
      key = nextKey();
    }
    if (key !== undefined && compareBytes(key, entry.key) === 0) takeChange();
    else merged.push(entry);
  }
  for (let key = nextKey(); key !== undefined; key = nextKey()) {
    if (bound !== null && compareBytes(key, bound) > 0) break;
    takeChange();
  }
  return next;
}
