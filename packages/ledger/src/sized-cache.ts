interface Entry<V> {
  readonly value: V;
  readonly sizeBytes: number;
}

/** Entries by group and key. */
type Generation<V> = Map<string, Map<string, Entry<V>>>;

/**
 * A map bounded by the bytes of its values. What is set or used goes into the young generation;
 * when that holds half the bytes it becomes the old one, and the old one is forgotten. So an
 * entry stays for at least half the bytes after its last use. Keys may come in groups: two lookups
 * cost a fraction of what it takes to join two texts and look that up.
 */
export class SizedCache<V> {
  readonly #maxYoungBytes: number;
  #young: Generation<V> = new Map();
  #youngBytes = 0;
  #old: Generation<V> = new Map();

  constructor(maxBytes: number) {
    this.#maxYoungBytes = maxBytes / 2;
  }

  get(key: string, group = ""): V | undefined {
    const young = this.#young.get(group)?.get(key);
    if (young !== undefined) return young.value;
    const oldGroup = this.#old.get(group);
    const old = oldGroup?.get(key);
    if (old === undefined) return undefined;
    oldGroup?.delete(key);
    this.#add(key, old, group);
    return old.value;
  }

  /** @param sizeBytes what the value weighs, beside its key. */
  set(key: string, value: V, sizeBytes: number, group = ""): void {
    this.delete(key, group);
    const weight = sizeBytes + 2 * key.length + ENTRY_BYTES;
    if (weight <= this.#maxYoungBytes) this.#add(key, { value, sizeBytes: weight }, group);
  }

  delete(key: string, group = ""): void {
    const young = this.#young.get(group);
    const entry = young?.get(key);
    if (entry === undefined) {
      this.#old.get(group)?.delete(key);
      return;
    }
    young?.delete(key);
    this.#youngBytes -= entry.sizeBytes;
  }

  /** Adds an entry that neither generation holds. */
  #add(key: string, entry: Entry<V>, group: string): void {
    if (this.#youngBytes + entry.sizeBytes > this.#maxYoungBytes) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    let young = this.#young.get(group);
    if (young === undefined) {
      young = new Map();
      this.#young.set(group, young);
    }
    young.set(key, entry);
    this.#youngBytes += entry.sizeBytes;
  }
}

/** Rough weight of an entry's own objects. */
const ENTRY_BYTES = 100;
