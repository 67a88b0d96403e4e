import { toHex } from "@credlink/primitives";

/** Remembers the nonces of past handshakes, the oldest forgotten first. */
export class NonceMemory {
  readonly #capacity: number;
  readonly #seen = new Set<string>();

  /** @param capacity most nonces remembered. Default 65,536, about 6 MiB. */
  constructor(capacity = 65_536) {
    this.#capacity = capacity;
  }

  /** Remembers a nonce; false when it was known already. */
  admit(nonce: Uint8Array): boolean {
    const key = toHex(nonce);
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    if (this.#seen.size > this.#capacity) {
      for (const oldest of this.#seen) {
        this.#seen.delete(oldest);
        break;
      }
    }
    return true;
  }
}
