import { type Clock, encode, type Network, type PeerId } from "@credlink/primitives";
import type { Mempool, PooledTransaction } from "./mempool.ts";
import { MAX_PUSH_TRANSACTIONS, pushCodec, TRANSACTIONS_PROTOCOL } from "./protocols.ts";

/** What pushing needs of the node. */
export interface PushComponents {
  readonly network: Network;
  readonly clock: Clock;
  readonly mempool: Mempool;
  /** Validators of the next height other than ourselves. */
  readonly targets: () => readonly PeerId[];
  readonly batchBytes: number;
  readonly delayMs: number;
}

/** Sends transactions ahead of the proposals that will name them. */
export interface TransactionPusher {
  /** Queues one for the next batch. */
  push(bytes: Uint8Array): void;
  /** Sends again what waits for long: a push may be lost, and who was pushed to may be down. */
  pushAgain(): void;
}

/** A transaction that waited this long is pushed again, milliseconds; then twice as long … */
const PUSH_AGAIN_AFTER_MS = 2_000;
/** … and at most this long. */
const MAX_PUSH_PAUSE_MS = 30_000;
/** Most bytes pushed again in one go. */
const PUSH_AGAIN_BYTES = 256 * 1024;

/** Makes the pusher: a batch leaves when it is full or `delayMs` old. */
export function createTransactionPusher(parts: PushComponents): TransactionPusher {
  const { network, clock, mempool, targets, batchBytes, delayMs } = parts;
  /** When an entry is due again, and the pause after that. */
  const due = new WeakMap<PooledTransaction, { atMs: number; pauseMs: number }>();
  let batch: Uint8Array[] = [];
  let bytes = 0;
  let stopTimer: (() => void) | null = null;

  const send = (transactions: readonly Uint8Array[]): void => {
    const message = encode(pushCodec, transactions);
    for (const peer of targets()) network.send(peer, TRANSACTIONS_PROTOCOL, message);
  };
  const flush = (): void => {
    stopTimer?.();
    stopTimer = null;
    if (batch.length > 0) send(batch);
    batch = [];
    bytes = 0;
  };
  const push = (transaction: Uint8Array): void => {
    if (bytes + transaction.length > batchBytes) flush();
    batch.push(transaction);
    bytes += transaction.length;
    if (bytes >= batchBytes || batch.length >= MAX_PUSH_TRANSACTIONS) flush();
    else stopTimer ??= clock.schedule(delayMs, flush);
  };
  return {
    push,
    pushAgain() {
      const now = clock.monotonicMs();
      for (const entry of mempool.oldest(now - PUSH_AGAIN_AFTER_MS, PUSH_AGAIN_BYTES)) {
        const { atMs, pauseMs } = due.get(entry) ?? { atMs: now, pauseMs: PUSH_AGAIN_AFTER_MS };
        if (atMs > now) continue;
        push(entry.transaction.bytes);
        due.set(entry, { atMs: now + pauseMs, pauseMs: Math.min(2 * pauseMs, MAX_PUSH_PAUSE_MS) });
      }
      flush();
    },
  };
}
