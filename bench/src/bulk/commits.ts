import { toHex } from "@credlink/primitives";
import type { SeenBlock } from "../block-reader.ts";

/** What became of a transaction: its receipt's status, or that nobody knows. */
export type Fate = string | null;

/** Who waits for which transaction to stand in a block. */
export class Commits {
  height = 0;
  readonly #waiting = new Map<string, (fate: Fate) => void>();

  /** Resolves with the receipt's status, or null after `timeoutMs` or when all is given up. */
  wait(id: Uint8Array, timeoutMs: number): Promise<Fate> {
    const key = toHex(id);
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle(key, null), timeoutMs);
      this.#waiting.set(key, (fate) => {
        clearTimeout(timer);
        resolve(fate);
      });
    });
  }

  /** Nobody waits for it any more. */
  forget(id: Uint8Array): void {
    this.#settle(toHex(id), null);
  }

  see(block: SeenBlock): void {
    this.height = block.height;
    for (const { id, status } of block.transactions) this.#settle(id, status);
  }

  /** A node ended, and with it what it had in memory: everybody is to ask the chain. */
  giveUpAll(): void {
    for (const key of [...this.#waiting.keys()]) this.#settle(key, null);
  }

  #settle(key: string, fate: Fate): void {
    const resolve = this.#waiting.get(key);
    this.#waiting.delete(key);
    resolve?.(fate);
  }
}
