/** A map bounded by the bytes of its values that forgets what was used longest ago. */
export class SizedCache<V> {
  readonly #entries = new Map<string, { readonly value: V; readonly sizeBytes: number }>();
  readonly #maxBytes: number;
  #sizeBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    // A Map iterates in the order of insertion: the entry moves to the young end.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** @param sizeBytes what the value weighs, beside its key. */
  set(key: string, value: V, sizeBytes: number): void {
    this.delete(key);
    const weight = sizeBytes + 2 * key.length + ENTRY_BYTES;
    if (weight > this.#maxBytes) return;
    this.#entries.set(key, { value, sizeBytes: weight });
    this.#sizeBytes += weight;
    for (const [oldest, entry] of this.#entries) {
      if (this.#sizeBytes <= this.#maxBytes) return;
      this.#entries.delete(oldest);
      this.#sizeBytes -= entry.sizeBytes;
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#sizeBytes -= entry.sizeBytes;
  }
}

/** Rough weight of an entry's own objects. */
const ENTRY_BYTES = 100;

/** Text of one character a byte: byte strings as keys of a Map. */
export function textOfBytes(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
