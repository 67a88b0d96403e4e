interface Entry<V> {
  readonly value: V;
  readonly sizeBytes: number;
}

/**
 * A map bounded by the bytes of its values. What is set or used goes into the young generation;
 * when that holds half the bytes it becomes the old one, and the old one is forgotten. So an
 * entry stays for at least half the bytes after its last use, and a hit costs one lookup.
 */
export class SizedCache<V> {
  readonly #maxYoungBytes: number;
  #young = new Map<string, Entry<V>>();
  #youngBytes = 0;
  #old = new Map<string, Entry<V>>();

  constructor(maxBytes: number) {
    this.#maxYoungBytes = maxBytes / 2;
  }

  get(key: string): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young.value;
    const old = this.#old.get(key);
    if (old === undefined) return undefined;
    this.#old.delete(key);
    this.#add(key, old);
    return old.value;
  }

  /** @param sizeBytes what the value weighs, beside its key. */
  set(key: string, value: V, sizeBytes: number): void {
    this.delete(key);
    const weight = sizeBytes + 2 * key.length + ENTRY_BYTES;
    if (weight <= this.#maxYoungBytes) this.#add(key, { value, sizeBytes: weight });
  }

  delete(key: string): void {
    const entry = this.#young.get(key);
    if (entry === undefined) {
      this.#old.delete(key);
      return;
    }
    this.#young.delete(key);
    this.#youngBytes -= entry.sizeBytes;
  }

  /** Adds an entry that neither generation holds. */
  #add(key: string, entry: Entry<V>): void {
    if (this.#youngBytes + entry.sizeBytes > this.#maxYoungBytes) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    this.#young.set(key, entry);
    this.#youngBytes += entry.sizeBytes;
  }
}

/** Rough weight of an entry's own objects. */
const ENTRY_BYTES = 100;

/** Text of one character a byte: byte strings as keys of a Map. */
export function textOfBytes(bytes: Uint8Array): string {
  // Several times faster than spreading the bytes, which goes through their iterator.
  return Reflect.apply(String.fromCharCode, null, bytes);
}
