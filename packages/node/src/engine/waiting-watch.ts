import type { Clock, Logger } from "@credlink/primitives";
import type { Mempool } from "./mempool.ts";
import type { EngineInstruments } from "./metrics.ts";

/**
 * A transaction that waits so long is told of, milliseconds: primaries rotate with every height,
 * so that one which all validators hold is in a block within f + 2 heights where there is room.
 */
export const LONG_WAIT_MS = 30_000;
/** Least time between two lines about it, milliseconds. */
export const WAIT_LINE_INTERVAL_MS = 60_000;

/** Says so when transactions wait for long: nobody refuses to vote for that, but operators must know. */
export interface WaitingWatch {
  /** Milliseconds that the transaction which waits longest has waited; 0 when none waits. */
  oldestMs(): number;
  /** To be called about once a second. */
  tick(): void;
}

/** Makes the watch over one mempool. */
export function createWaitingWatch(
  mempool: Pick<Mempool, "oldestEnteredAtMs" | "size">,
  clock: Clock,
  logger: Logger,
  instruments: Pick<EngineInstruments, "mempoolOldest">,
): WaitingWatch {
  let saidAtMs: number | null = null;
  const oldestMs = (): number => {
    const enteredAtMs = mempool.oldestEnteredAtMs;
    return enteredAtMs === null ? 0 : Math.max(0, clock.monotonicMs() - enteredAtMs);
  };
  return {
    oldestMs,
    tick() {
      const waitedMs = oldestMs();
      instruments.mempoolOldest.set(waitedMs / 1_000);
      const now = clock.monotonicMs();
      if (waitedMs < LONG_WAIT_MS) return;
      if (saidAtMs !== null && now - saidAtMs < WAIT_LINE_INTERVAL_MS) return;
      saidAtMs = now;
      logger.warn("transactions wait for long", {
        oldestSeconds: Math.round(waitedMs / 1_000),
        waiting: mempool.size,
      });
    },
  };
}
