import type { Clock } from "@credlink/primitives";
import type { Committed } from "./chain-writer.ts";
import type { EngineParts } from "./engine-parts.ts";
import type { CommittedBlock } from "./types.ts";
import type { VoteLog } from "./vote-log.ts";

/** What has to happen around a commit beyond this file. */
export interface ReactionHooks {
  /** Appends the decided record behind all that the replica asked for. */
  readonly appendDecided: (block: Committed) => Promise<void>;
  readonly voteLog: () => VoteLog | null;
  /** The block and its record are durable: peers may hear of it. */
  readonly onAcknowledged: () => void;
  readonly onFatal: (error: Error) => void;
  readonly isStopped: () => boolean;
}

/** What follows from a block that has become durable. */
export interface CommitReactions {
  /** Takes the block out of the mempool, counts it, and notes the decision in the vote log. */
  onDurable(block: Committed): void;
  /** Resolves when the last decided record is durable: the log never lags two heights behind. */
  decidedDurable(): Promise<void>;
  /** Called for every block once its decision is durable, in order. Returns how to stop. */
  onCommit(listener: (block: CommittedBlock) => void): () => void;
}

/** Heights below the decided one whose votes are kept. */
const KEPT_HEIGHTS = 2;

/** Makes the reactions of one engine. */
export function createCommitReactions(
  { instruments, mempool, outcomes }: EngineParts,
  clock: Clock,
  hooks: ReactionHooks,
): CommitReactions {
  const listeners = new Set<(block: CommittedBlock) => void>();
  let lastCommitMs: number | null = null;
  let decidedDurable: Promise<void> = Promise.resolve();

  const count = (block: Committed, now: number): void => {
    if (lastCommitMs !== null) instruments.blockInterval.observe((now - lastCommitMs) / 1_000);
    lastCommitMs = now;
    instruments.height.set(block.height);
    instruments.committedBlocks.add(1, { source: block.source });
    instruments.committedTransactions.add(block.transactionIds.length);
  };

  const record = async (block: Committed): Promise<void> => {
    try {
      await hooks.appendDecided(block);
    } catch (error) {
      hooks.onFatal(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    hooks.voteLog()?.prune(block.height - KEPT_HEIGHTS);
    if (hooks.isStopped()) return;
    outcomes.settle(block.transactionIds);
    for (const listener of [...listeners]) listener(block);
    hooks.onAcknowledged();
  };

  return {
    onDurable(block) {
      const now = clock.monotonicMs();
      decidedDurable = record(block);
      for (const { enteredAtMs } of mempool.remove(block.transactionIds)) {
        instruments.commitLatency.observe((now - enteredAtMs) / 1_000);
      }
      outcomes.expire(mempool.expire(block.height).map(({ transaction }) => transaction.id));
      count(block, now);
    },
    decidedDurable: () => decidedDurable,
    onCommit(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
