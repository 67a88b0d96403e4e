import type { DecodedTransaction } from "@credlink/ledger";
import { accept, type Digest, type Refusal, type Result, refuse } from "@credlink/primitives";
import { byteKey } from "./digest-key.ts";
import type { EngineOptions } from "./types.ts";

/**
 * A transaction that waits for its block. Its signatures were verified; under which keys, the
 * signature memory knows by this very object.
 */
export interface PooledTransaction {
  readonly transaction: DecodedTransaction;
  /** Monotonic milliseconds at which it entered. */
  readonly enteredAtMs: number;
}

export type MempoolRefusalCode =
  | "NODE_MEMPOOL_FULL"
  | "NODE_MEMPOOL_KNOWN"
  | "NODE_MEMPOOL_SENDER_LIMIT";

export type MempoolRefusal = Refusal<MempoolRefusalCode> & { readonly retryAfterMs?: number };

/** What one block may take. */
export interface BlockCaps {
  readonly maxTransactions: number;
  /** Of the transactions' signed bytes, each with `perTransactionBytes` on top. */
  readonly maxBytes: number;
  /** What naming one transaction costs the block beside its own bytes. */
  readonly perTransactionBytes: number;
  /** Sum of gas limits. */
  readonly maxGas: number;
}

/** Transactions waiting for a block, first come first served. */
export interface Mempool {
  /** Takes a verified transaction in, or says which limit it meets. */
  add(
    transaction: DecodedTransaction,
    nowMs: number,
  ): Result<PooledTransaction, MempoolRefusalCode> | MempoolRefusal;
  get(id: Digest): PooledTransaction | null;
  /** Whether a transaction could enter now; what `add` would refuse, known before verifying. */
  probe(transaction: DecodedTransaction): MempoolRefusal | null;
  /**
   * The oldest transactions that fit `caps` together and that `accepts` takes; it is asked in
   * order and only for those that fit. One that does not fit is passed over, not waited for.
   */
  select(caps: BlockCaps, accepts: (entry: PooledTransaction) => boolean): PooledTransaction[];
  /** Those that entered at or before `enteredBeforeMs`, oldest first, up to `maxBytes`. */
  oldest(enteredBeforeMs: number, maxBytes: number): PooledTransaction[];
  /** Forgets transactions, those of a committed block for one; returns the ones it held. */
  remove(ids: readonly Digest[]): PooledTransaction[];
  /** Forgets and returns transactions that no block above `height` may hold. */
  expire(height: number): PooledTransaction[];
  /** Monotonic milliseconds at which the one that waits longest entered; null when none waits. */
  readonly oldestEnteredAtMs: number | null;
  readonly size: number;
  readonly bytes: number;
}

/** When a refused client should come again, milliseconds: a few block intervals. */
export const RETRY_AFTER_MS = 500;

function refuseForNow(code: MempoolRefusalCode): MempoolRefusal {
  return { ...refuse(code), retryAfterMs: RETRY_AFTER_MS };
}

class Pool implements Mempool {
  readonly #limits: EngineOptions["mempool"];
  /** Id to entry, in order of entry (Map keeps it). */
  readonly #entries = new Map<string, PooledTransaction>();
  readonly #perSender = new Map<string, number>();
  /** Expiry height to ids, so that expiry looks at nothing else. */
  readonly #byExpiry = new Map<number, Set<string>>();
  #bytes = 0;

  constructor(limits: EngineOptions["mempool"]) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get oldestEnteredAtMs(): number | null {
    for (const { enteredAtMs } of this.#entries.values()) return enteredAtMs;
    return null;
  }

  get(id: Digest): PooledTransaction | null {
    return this.#entries.get(byteKey(id)) ?? null;
  }

  probe(transaction: DecodedTransaction): MempoolRefusal | null {
    if (this.#entries.has(byteKey(transaction.id))) return refuse("NODE_MEMPOOL_KNOWN");
    const isFull =
      this.#entries.size >= this.#limits.maxTransactions ||
      this.#bytes + transaction.bytes.length > this.#limits.maxBytes;
    if (isFull) return refuseForNow("NODE_MEMPOOL_FULL");
    const ofSender = this.#perSender.get(byteKey(transaction.sender)) ?? 0;
    if (ofSender >= this.#limits.maxPerSender) return refuseForNow("NODE_MEMPOOL_SENDER_LIMIT");
    return null;
  }

  add(
    transaction: DecodedTransaction,
    nowMs: number,
  ): Result<PooledTransaction, MempoolRefusalCode> | MempoolRefusal {
    const refusal = this.probe(transaction);
    if (refusal !== null) return refusal;
    const entry: PooledTransaction = { transaction, enteredAtMs: nowMs };
    const key = byteKey(transaction.id);
    this.#entries.set(key, entry);
    this.#bytes += transaction.bytes.length;
    const sender = byteKey(transaction.sender);
    this.#perSender.set(sender, (this.#perSender.get(sender) ?? 0) + 1);
    const expiring = this.#byExpiry.get(transaction.expiryHeight);
    if (expiring === undefined) this.#byExpiry.set(transaction.expiryHeight, new Set([key]));
    else expiring.add(key);
    return accept(entry);
  }

  select(caps: BlockCaps, accepts: (entry: PooledTransaction) => boolean): PooledTransaction[] {
    const selected: PooledTransaction[] = [];
    let [bytes, gas] = [0, 0];
    for (const entry of this.#entries.values()) {
      if (selected.length >= caps.maxTransactions) break;
      const { transaction } = entry;
      const size = transaction.bytes.length + caps.perTransactionBytes;
      if (bytes + size > caps.maxBytes) continue;
      if (gas + transaction.gasLimit > caps.maxGas || !accepts(entry)) continue;
      selected.push(entry);
      bytes += size;
      gas += transaction.gasLimit;
    }
    return selected;
  }

  oldest(enteredBeforeMs: number, maxBytes: number): PooledTransaction[] {
    const found: PooledTransaction[] = [];
    let bytes = 0;
    for (const entry of this.#entries.values()) {
      bytes += entry.transaction.bytes.length;
      if (entry.enteredAtMs > enteredBeforeMs || bytes > maxBytes) break;
      found.push(entry);
    }
    return found;
  }

  remove(ids: readonly Digest[]): PooledTransaction[] {
    const removed: PooledTransaction[] = [];
    for (const id of ids) this.#take(byteKey(id), removed);
    return removed;
  }

  expire(height: number): PooledTransaction[] {
    const removed: PooledTransaction[] = [];
    for (const [expiryHeight, keys] of this.#byExpiry) {
      if (expiryHeight > height) continue;
      for (const key of [...keys]) this.#take(key, removed);
    }
    return removed;
  }

  #take(key: string, into: PooledTransaction[]): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    into.push(entry);
    const { transaction } = entry;
    this.#bytes -= transaction.bytes.length;
    const sender = byteKey(transaction.sender);
    const left = (this.#perSender.get(sender) ?? 1) - 1;
    if (left === 0) this.#perSender.delete(sender);
    else this.#perSender.set(sender, left);
    const expiring = this.#byExpiry.get(transaction.expiryHeight);
    expiring?.delete(key);
    if (expiring?.size === 0) this.#byExpiry.delete(transaction.expiryHeight);
  }
}

/** Makes an empty mempool. Nothing in it survives the process: clients submit again. */
export function createMempool(limits: EngineOptions["mempool"]): Mempool {
  return new Pool(limits);
}
