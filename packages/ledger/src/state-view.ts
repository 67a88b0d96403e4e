import {
  compareBytes,
  type Digest,
  type Height,
  invariant,
  textOfBytes,
} from "@credlink/primitives";
import {
  NeedsRange,
  type StateEntry,
  type StateRange,
  type StateView,
  type StateWrite,
} from "./executor.ts";
import { stateRowKey } from "./rows.ts";
import { SizedCache } from "./sized-cache.ts";
import type { KeyValueStore } from "./store.ts";

/** One layer of changes, each (contract, key) once. */
export class WriteSet {
  readonly #writes: readonly StateWrite[];
  readonly #rows = new Map<string, Map<string, StateWrite>>();
  readonly #sorted = new Map<string, readonly StateWrite[]>();

  constructor(writes: readonly StateWrite[]) {
    this.#writes = writes;
    for (const write of writes) {
      const { contract, key } = write;
      let rows = this.#rows.get(contract);
      if (rows === undefined) {
        rows = new Map();
        this.#rows.set(contract, rows);
      }
      const name = textOfBytes(key);
      invariant(!rows.has(name), "each key is written once");
      rows.set(name, write);
    }
  }

  /** @param name the key as `textOfBytes` writes it. */
  get(contract: string, name: string): StateWrite | undefined {
    return this.#rows.get(contract)?.get(name);
  }

  all(): Iterable<StateWrite> {
    return this.#writes;
  }

  /** The changes inside a range, ascending by key. */
  within(range: StateRange): readonly StateWrite[] {
    let sorted = this.#sorted.get(range.contract);
    if (sorted === undefined) {
      sorted = [...(this.#rows.get(range.contract)?.values() ?? [])].sort((a, b) =>
        compareBytes(a.key, b.key),
      );
      this.#sorted.set(range.contract, sorted);
    }
    let first = 0;
    for (let end = sorted.length; first < end; ) {
      const middle = (first + end) >> 1;
      const write = sorted[middle];
      if (write !== undefined && compareBytes(write.key, range.from) < 0) first = middle + 1;
      else end = middle;
    }
    const found: StateWrite[] = [];
    for (let i = first; i < sorted.length; i++) {
      const write = sorted[i];
      if (write === undefined || compareBytes(write.key, range.to) >= 0) break;
      found.push(write);
    }
    return found;
  }
}

/** The committed state as of the store's head, behind a cache of values. */
export class StateBase {
  readonly store: KeyValueStore;
  readonly #cache: SizedCache<Uint8Array | null>;

  constructor(store: KeyValueStore, cacheBytes: number) {
    this.store = store;
    this.#cache = new SizedCache(cacheBytes);
  }

  /** @param name the key as `textOfBytes` writes it. */
  get(contract: string, key: Uint8Array, name: string): Uint8Array | null {
    const known = this.#cache.get(name, contract);
    if (known !== undefined) return known;
    const value = this.store.get("state", stateRowKey(contract, key));
    this.#cache.set(name, value, value?.length ?? 0, contract);
    return value;
  }

  /** After a commit: the cache holds what the store holds. */
  apply(writes: WriteSet): void {
    for (const { contract, key, value } of writes.all()) {
      this.#cache.set(textOfBytes(key), value, value?.length ?? 0, contract);
    }
  }
}

/**
 * One committed version of the state, and how to get back to it: `undo` holds what the next block
 * changed, as it was before. Versions link forward only, so that those nobody reads are freed.
 */
interface Version {
  undo: WriteSet | null;
  next: Version | null;
}

interface LoadedRange {
  readonly entries: readonly StateEntry[];
  /** Whether nothing follows `entries` inside the range. */
  readonly isComplete: boolean;
}

const MAX_LOADED_RANGES = 1_024;

/** What a view is the state of. */
export interface ViewPlace {
  readonly height: Height;
  readonly digest: Digest;
  readonly timestampMs: number;
  readonly root: Digest;
}

/**
 * A StateView that is either committed (a version over the base) or an overlay on its parent. An
 * overlay whose block is committed turns into a version, so chains of overlays stay short. A
 * view keeps answering with its own state when the head has moved on.
 */
export class LayeredView implements StateView {
  readonly height: Height;
  readonly digest: Digest;
  readonly timestampMs: number;
  readonly root: Digest;
  readonly #base: StateBase;
  /** Null exactly while the view is an overlay. */
  #version: Version | null;
  #parent: LayeredView | null;
  #writes: WriteSet | null;
  readonly #loaded = new Map<string, LoadedRange>();

  private constructor(
    place: ViewPlace,
    base: StateBase,
    below: { readonly parent: LayeredView; readonly writes: WriteSet } | null,
  ) {
    this.height = place.height;
    this.digest = place.digest;
    this.timestampMs = place.timestampMs;
    this.root = place.root;
    this.#base = base;
    this.#parent = below?.parent ?? null;
    this.#writes = below?.writes ?? null;
    this.#version = below === null ? { undo: null, next: null } : null;
  }

  /** The state that the store holds now. */
  static committed(place: ViewPlace, base: StateBase): LayeredView {
    return new LayeredView(place, base, null);
  }

  /** The state after `writes` on this one. */
  overlay(place: ViewPlace, writes: WriteSet): LayeredView {
    return new LayeredView(place, this.#base, { parent: this, writes });
  }

  get(contract: string, key: Uint8Array, name = textOfBytes(key)): Uint8Array | null {
    // The layers of `#layers`, without a generator: this is every read of the state.
    let view: LayeredView = this;
    while (view.#version === null) {
      const write = view.#writes?.get(contract, name);
      if (write !== undefined) return write.value;
      invariant(view.#parent !== null, "an overlay has a parent");
      view = view.#parent;
    }
    for (let version: Version | null = view.#version; version !== null; version = version.next) {
      const write = version.undo?.get(contract, name);
      if (write !== undefined) return write.value;
    }
    return this.#base.get(contract, key, name);
  }

  range(range: StateRange): readonly StateEntry[] {
    const { changes, needed } = this.#changesWithin(range);
    const loaded = this.#rootView().#loaded.get(nameOf(range));
    const isEnough = loaded && (loaded.isComplete || loaded.entries.length >= needed);
    if (!isEnough) throw new NeedsRange(range);
    return merge(loaded, changes, range.limit);
  }

  async loadRange(range: StateRange): Promise<void> {
    const { needed } = this.#changesWithin(range);
    const rootView = this.#rootView();
    const from = stateRowKey(range.contract, range.from);
    const to = stateRowKey(range.contract, range.to);
    const rows = await this.#base.store.range("state", { from, to, limit: needed });
    const prefix = from.length - range.from.length;
    const entries = rows.map(([key, value]) => ({ key: key.slice(prefix), value }));
    const loaded = rootView.#loaded;
    if (loaded.size >= MAX_LOADED_RANGES) loaded.clear();
    loaded.set(nameOf(range), { entries, isComplete: rows.length < needed });
  }

  /**
   * Before the block of the overlay `child` is written: keeps what it changes, so that this view
   * and all on it stay what they are whether the write is still to come, under way or done.
   */
  prepareCommit(child: LayeredView): void {
    const version = this.#version;
    const writes = child.#writes;
    invariant(version !== null && writes !== null, "an overlay on a committed view");
    invariant(child.#parent === this && version.next === null, "a child of the head's view");
    const before = [...writes.all()].map(({ contract, key }) => ({
      contract,
      key,
      value: this.#base.get(contract, key, textOfBytes(key)),
    }));
    version.next = { undo: null, next: null };
    version.undo = new WriteSet(before);
  }

  /** After the block of this overlay was written: the store holds this state now. */
  finishCommit(): void {
    const writes = this.#writes;
    const below = this.#parent === null ? null : this.#parent.#version;
    const version = below?.next ?? null;
    invariant(writes !== null && version !== null, "a commit that was prepared");
    this.#base.apply(writes);
    this.#version = version;
    this.#parent = null;
    this.#writes = null;
  }

  /** Changes over what the store holds, those that count first. */
  *#layers(): Generator<WriteSet> {
    let view: LayeredView = this;
    while (view.#version === null) {
      if (view.#writes !== null) yield view.#writes;
      invariant(view.#parent !== null, "an overlay has a parent");
      view = view.#parent;
    }
    for (let version: Version | null = view.#version; version !== null; version = version.next) {
      if (version.undo !== null) yield version.undo;
    }
  }

  #rootView(): LayeredView {
    let view: LayeredView = this;
    while (view.#version === null) {
      invariant(view.#parent !== null, "an overlay has a parent");
      view = view.#parent;
    }
    return view;
  }

  /** Changes of a range over the store, and how many stored entries can be needed under them. */
  #changesWithin(range: StateRange): {
    readonly changes: ReadonlyMap<string, StateWrite>;
    readonly needed: number;
  } {
    const changes = new Map<string, StateWrite>();
    for (const layer of this.#layers()) {
      for (const write of layer.within(range)) {
        const text = textOfBytes(write.key);
        if (!changes.has(text)) changes.set(text, write);
      }
    }
    let deletions = 0;
    for (const { value } of changes.values()) if (value === null) deletions++;
    return { changes, needed: range.limit + deletions };
  }
}

function nameOf(range: StateRange): string {
  const { contract, from, to } = range;
  return `${contract}\u{100}${textOfBytes(to)}\u{100}${textOfBytes(from)}`;
}

/** Stored entries under changes: ascending, at most `limit`. */
function merge(
  loaded: LoadedRange,
  changes: ReadonlyMap<string, StateWrite>,
  limit: number,
): readonly StateEntry[] {
  const entries: StateEntry[] = [];
  for (const entry of loaded.entries) {
    if (!changes.has(textOfBytes(entry.key))) entries.push(entry);
  }
  const lastLoaded = loaded.entries.at(-1)?.key;
  for (const { key, value } of changes.values()) {
    if (value === null) continue;
    // Beyond what was loaded there may be stored entries that come first.
    if (loaded.isComplete || (lastLoaded && compareBytes(key, lastLoaded) <= 0)) {
      entries.push({ key, value });
    }
  }
  entries.sort((a, b) => compareBytes(a.key, b.key));
  return entries.slice(0, limit);
}
