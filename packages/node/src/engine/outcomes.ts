import type { ConsensusLedger } from "@credlink/ledger";
import type { Clock, Digest } from "@credlink/primitives";
import { byteKey } from "./digest-key.ts";
import type { Mempool } from "./mempool.ts";
import type { TransactionOutcome } from "./types.ts";

/** What became of transactions, for those who wait. */
export interface Outcomes {
  of(id: Digest): TransactionOutcome;
  /** Resolves when committed or expired, or after `timeoutMs` with what is known then. */
  waitFor(id: Digest, timeoutMs: number): Promise<TransactionOutcome>;
  /** Wakes who waits for these. */
  settle(ids: readonly Digest[]): void;
  /** Remembers that these left the mempool unexecuted, and wakes who waits for them. */
  expire(ids: readonly Digest[]): void;
  /** Answers everybody with what is known now. */
  stop(): void;
  /** Expired transactions that are remembered. */
  readonly size: number;
}

/** Expired transactions that are remembered. */
const MAX_EXPIRED = 20_000;

/** Makes the book of outcomes; it keeps nothing that ledger and mempool know. */
export function createOutcomes(ledger: ConsensusLedger, mempool: Mempool, clock: Clock): Outcomes {
  const expired = new Set<string>();
  const waiting = new Map<string, Set<() => void>>();

  const of = (id: Digest): TransactionOutcome => {
    const place = ledger.place(id);
    const receipt = place === null ? null : ledger.receipt(id);
    if (place !== null && receipt !== null) {
      return { status: "committed", height: place.height, index: place.index, receipt };
    }
    if (mempool.get(id) !== null) return { status: "pending" };
    return { status: expired.has(byteKey(id)) ? "expired" : "unknown" };
  };
  const wake = (key: string): void => {
    const wakers = waiting.get(key);
    waiting.delete(key);
    for (const waker of wakers ?? []) waker();
  };
  return {
    of,
    waitFor(id, timeoutMs) {
      const known = of(id);
      if (known.status === "committed" || known.status === "expired" || timeoutMs <= 0) {
        return Promise.resolve(known);
      }
      const key = byteKey(id);
      return new Promise((resolve) => {
        const finish = (): void => {
          cancel();
          const wakers = waiting.get(key);
          wakers?.delete(finish);
          if (wakers?.size === 0) waiting.delete(key);
          resolve(of(id));
        };
        const cancel = clock.schedule(timeoutMs, finish);
        const wakers = waiting.get(key);
        if (wakers === undefined) waiting.set(key, new Set([finish]));
        else wakers.add(finish);
      });
    },
    settle(ids) {
      if (waiting.size > 0) for (const id of ids) wake(byteKey(id));
    },
    expire(ids) {
      for (const id of ids) {
        const key = byteKey(id);
        expired.add(key);
        if (expired.size > MAX_EXPIRED) {
          const [oldest] = expired;
          if (oldest !== undefined) expired.delete(oldest);
        }
        wake(key);
      }
    },
    stop() {
      for (const key of [...waiting.keys()]) wake(key);
    },
    get size() {
      return expired.size;
    },
  };
}
