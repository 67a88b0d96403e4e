import { systemRandom } from "@credlink/crypto";
import { type Clock, toHex } from "@credlink/primitives";

/** How long a challenge may be answered, milliseconds. */
export const NONCE_MS = 60_000;
const NONCE_BYTES = 32;
/** Most challenges open at once; the oldest is forgotten first. */
const MAX_NONCES = 10_000;

/** Challenges that were given out: each is good for one answer, for a minute. */
export class Nonces {
  readonly #clock: Clock;
  readonly #ends = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#ends.size;
  }

  draw(): string {
    const nowMs = this.#clock.monotonicMs();
    for (const [nonce, endsMs] of this.#ends) {
      if (endsMs > nowMs && this.#ends.size < MAX_NONCES) break;
      this.#ends.delete(nonce);
    }
    const nonce = toHex(systemRandom.bytes(NONCE_BYTES));
    this.#ends.set(nonce, nowMs + NONCE_MS);
    return nonce;
  }

  /** Uses a nonce up, whatever comes of its answer. @returns whether it was open */
  take(nonce: string): boolean {
    const endsMs = this.#ends.get(nonce);
    this.#ends.delete(nonce);
    return endsMs !== undefined && endsMs > this.#clock.monotonicMs();
  }
}
