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

/** Bytes as text of one character each, for Maps. */
export function textOf(bytes: Uint8Array): string {
  // Several times faster than spreading the bytes, which goes through their iterator.
  return Reflect.apply(String.fromCharCode, null, bytes);
}

/** The inner map of a contract, made where there is none. */
function ofContract<T>(maps: Map<string, Map<string, T>>, contract: string): Map<string, T> {
  let map = maps.get(contract);
  if (map === undefined) {
    map = new Map();
    maps.set(contract, map);
  }
  return map;
}

/** What the parent below the lowest overlay answered: it stays as it is, so that stays right. */
class KnownReads {
  private readonly parent: StateReader;
  private readonly values = new Map<string, Map<string, Uint8Array | null>>();

  constructor(parent: StateReader) {
    this.parent = parent;
  }

  find(contract: string, key: Uint8Array, name: string): Uint8Array | null {
    const values = ofContract(this.values, contract);
    let value = values.get(name);
    if (value === undefined) {
      value = this.parent.get(contract, key);
      values.set(name, value);
    }
    return value;
  }
}

/** Changes over a parent that stays as it is, until `mergeInto` hands them on. */
export class StateOverlay implements StateReader {
  private readonly parent: StateReader;
  private readonly below: StateOverlay | KnownReads;
  private readonly changes = new Map<string, Map<string, Change>>();

  constructor(parent: StateReader) {
    this.parent = parent;
    this.below = parent instanceof StateOverlay ? parent : new KnownReads(parent);
  }

  get(contract: string, key: Uint8Array): Uint8Array | null {
    // The key's text is made once for all overlays of the chain.
    const name = textOf(key);
    let overlay: StateOverlay | KnownReads = this;
    while (overlay instanceof StateOverlay) {
      const change = overlay.changes.get(contract)?.get(name);
      if (change !== undefined) return change.value;
      overlay = overlay.below;
    }
    return overlay.find(contract, key, name);
  }

  /** `value` null deletes. The overlay keeps both arrays: neither may change afterwards. */
  set(contract: string, key: Uint8Array, value: Uint8Array | null): void {
    ofContract(this.changes, contract).set(textOf(key), { key, value });
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
      const merged = ofContract(target.changes, contract);
      for (const [name, change] of changes) merged.set(name, change);
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
