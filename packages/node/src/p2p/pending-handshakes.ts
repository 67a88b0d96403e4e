/** How many handshakes may be under way at once. */
export interface PendingLimits {
  /** From all addresses together. */
  readonly total: number;
  /** From one network address. */
  readonly perAddress: number;
}

/** Which limit stood in the way. */
export type PendingLimit = keyof PendingLimits;

/**
 * Counts the inbound handshakes that are under way, so that whoever opens connections and says
 * nothing takes neither all places nor any amount of memory.
 */
export class PendingHandshakes {
  readonly #limits: PendingLimits;
  readonly #byAddress = new Map<string, number>();
  #total = 0;

  constructor(limits: PendingLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#total;
  }

  /**
   * Takes a place for one more.
   * @returns how to give it back, once; or the limit that it would exceed.
   */
  take(address: string): (() => void) | PendingLimit {
    const current = this.#byAddress.get(address) ?? 0;
    if (current >= this.#limits.perAddress) return "perAddress";
    if (this.#total >= this.#limits.total) return "total";
    this.#byAddress.set(address, current + 1);
    this.#total++;
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#give(address);
    };
  }

  #give(address: string): void {
    this.#total--;
    const left = (this.#byAddress.get(address) ?? 1) - 1;
    if (left > 0) this.#byAddress.set(address, left);
    else this.#byAddress.delete(address);
  }
}
