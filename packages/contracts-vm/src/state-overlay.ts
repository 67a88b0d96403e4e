import {
  MAX_RANGE_ENTRIES,
  type StateEntry,
  type StateRange,
  type StateUsage,
  type StateWrite,
} from "@credlink/ledger";
import { concatBytes, textOfBytes } from "@credlink/primitives";
import { type Change, Merge, SortedChanges } from "./sorted-changes.ts";
import { isOverQuota, readQuota, readUsage, usageAfter } from "./state-usage.ts";

/** Where an overlay reads what it did not change. */
export interface StateReader {
  /** @param name the key as `textOfBytes` writes it, of a caller who has it. */
  get(contract: string, key: Uint8Array, name?: string): Uint8Array | null;
  range(range: StateRange): readonly StateEntry[];
}

const ZERO = Uint8Array.of(0);

/** The inner map of a contract, made where there is none. */
function ofContract<T>(maps: Map<string, Map<string, T>>, contract: string): Map<string, T> {
  return known(maps, contract, () => new Map<string, T>());
}

/** The value of a name, made where there is none. */
function known<T>(values: Map<string, T>, name: string, make: () => T): T {
  let value = values.get(name);
  if (value === undefined) {
    value = make();
    values.set(name, value);
  }
  return value;
}

/** What the parent below the lowest overlay answered: it stays as it is, so that stays right. */
class KnownReads {
  private readonly parent: StateReader;
  private readonly values = new Map<string, Map<string, Uint8Array | null>>();

  private readonly usages = new Map<string, StateUsage>();
  private readonly quotas = new Map<string, StateUsage>();

  constructor(parent: StateReader) {
    this.parent = parent;
  }

  usageOf(contract: string): StateUsage {
    return known(this.usages, contract, () => readUsage(this.parent, contract));
  }

  quotaOf(contract: string): StateUsage {
    return known(this.quotas, contract, () => readQuota(this.parent, contract));
  }

  find(contract: string, key: Uint8Array, name: string): Uint8Array | null {
    const values = ofContract(this.values, contract);
    let value = values.get(name);
    if (value === undefined) {
      value = this.parent.get(contract, key, name);
      values.set(name, value);
    }
    return value;
  }
}

/** Changes over a parent that stays as it is, until `mergeInto` hands them on. */
export class StateOverlay implements StateReader {
  private readonly parent: StateReader;
  private readonly below: StateOverlay | KnownReads;
  /** Null, as the other two, until something is in it: most calls inside a call change nothing. */
  private changes: Map<string, Map<string, Change>> | null = null;
  /** Changes by key, of contracts whose ranges were asked for. */
  private sorted: Map<string, SortedChanges> | null = null;
  /** What the states of contracts come to by these changes, where `setWithinQuota` counted. */
  private usages: Map<string, StateUsage> | null = null;

  constructor(parent: StateReader) {
    this.parent = parent;
    this.below = parent instanceof StateOverlay ? parent : new KnownReads(parent);
  }

  /** The key's text is made once, for all overlays of the chain and for what is below. */
  get(contract: string, key: Uint8Array, name = textOfBytes(key)): Uint8Array | null {
    let overlay: StateOverlay | KnownReads = this;
    while (overlay instanceof StateOverlay) {
      const change = overlay.changes?.get(contract)?.get(name);
      if (change !== undefined) return change.value;
      overlay = overlay.below;
    }
    return overlay.find(contract, key, name);
  }

  /** `value` null deletes. The overlay keeps both arrays: neither may change afterwards. */
  set(contract: string, key: Uint8Array, value: Uint8Array | null): void {
    this.put(contract, textOfBytes(key), { key, value });
  }

  /**
   * `set` for a contract whose state is counted. False, and nothing is set, where that would grow it
   * above its quota, which is that of the state below the lowest overlay.
   */
  setWithinQuota(contract: string, key: Uint8Array, value: Uint8Array | null): boolean {
    const before = this.usageOf(contract);
    const name = textOfBytes(key);
    const after = usageAfter(before, key, this.get(contract, key, name), value);
    if (isOverQuota(before, after, this.reads().quotaOf(contract))) return false;
    this.usages ??= new Map();
    this.usages.set(contract, after);
    this.put(contract, name, { key, value });
    return true;
  }

  /** What a contract's state comes to by all changes so far. */
  usageOf(contract: string): StateUsage {
    let overlay: StateOverlay | KnownReads = this;
    while (overlay instanceof StateOverlay) {
      const usage = overlay.usages?.get(contract);
      if (usage !== undefined) return usage;
      overlay = overlay.below;
    }
    return overlay.usageOf(contract);
  }

  /** Contracts whose state was counted here, and what it comes to now. */
  counted(): Iterable<readonly [contract: string, usage: StateUsage]> {
    return this.usages ?? [];
  }

  range(range: StateRange): readonly StateEntry[] {
    const { from: start, to } = range;
    const changes = this.changesOf(range.contract)?.leading(start, to, range.limit) ?? [];
    if (changes.length === 0) return this.parent.range(range);
    const deleted = changes.reduce((count, { value }) => count + Number(value === null), 0);
    // What was deleted hides as many entries below: without them a page would come for each.
    const limit = Math.min(MAX_RANGE_ENTRIES, range.limit + deleted);
    const merge = new Merge(changes, range.limit);
    for (let from = start; ; ) {
      const page = this.parent.range({ ...range, from, limit });
      const last = page.length < limit ? undefined : page[page.length - 1];
      merge.takePage(page, last?.key ?? null);
      if (merge.isFull || last === undefined) return merge.entries;
      from = concatBytes(last.key, ZERO);
    }
  }

  /** Keys in [from, to) that were deleted since the parent of the lowest overlay. */
  countDeleted(contract: string, from: Uint8Array, to: Uint8Array): number {
    const seen = new Set<string>();
    let deleted = 0;
    let overlay: StateOverlay | KnownReads = this;
    while (overlay instanceof StateOverlay) {
      for (const { key, value } of overlay.changesOf(contract)?.within(from, to) ?? []) {
        const name = textOfBytes(key);
        if (seen.has(name)) continue;
        seen.add(name);
        if (value === null) deleted++;
      }
      overlay = overlay.below;
    }
    return deleted;
  }

  /** Puts all changes into `target`. */
  mergeInto(target: StateOverlay): void {
    if (this.changes === null) return;
    for (const [contract, changes] of this.changes) {
      for (const [name, change] of changes) target.put(contract, name, change);
    }
    target.usages ??= new Map();
    for (const [contract, usage] of this.usages ?? []) target.usages.set(contract, usage);
  }

  /** All changes, each key once. */
  writes(): readonly StateWrite[] {
    const writes: StateWrite[] = [];
    for (const [contract, changes] of this.changes ?? []) {
      for (const { key, value } of changes.values()) writes.push({ contract, key, value });
    }
    return writes;
  }

  private put(contract: string, name: string, change: Change): void {
    this.changes ??= new Map();
    ofContract(this.changes, contract).set(name, change);
    this.sorted?.get(contract)?.put(change);
  }

  private reads(): KnownReads {
    let overlay: StateOverlay | KnownReads = this.below;
    while (overlay instanceof StateOverlay) overlay = overlay.below;
    return overlay;
  }

  private changesOf(contract: string): SortedChanges | null {
    const changes = this.changes?.get(contract);
    if (changes === undefined) return null;
    this.sorted ??= new Map();
    let sorted = this.sorted.get(contract);
    if (sorted === undefined) {
      sorted = new SortedChanges(changes.values());
      this.sorted.set(contract, sorted);
    }
    return sorted;
  }
}
