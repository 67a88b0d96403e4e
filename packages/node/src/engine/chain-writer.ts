import type { CommitCertificate, Justification } from "@credlink/consensus-pbft";
import type { ConsensusLedger, SealedCandidate, SeenStatements } from "@credlink/ledger";
import type { Digest, Height, Logger } from "@credlink/primitives";
import { EngineError } from "./errors.ts";
import type { CommittedBlock } from "./types.ts";

/** A block that has just become durable, and how it was come by. */
export interface Committed extends CommittedBlock {
  readonly source: "consensus" | "sync";
  readonly candidate: SealedCandidate;
}

/** What the one writer of the chain calls. */
export interface ChainWriterHooks {
  /** Awaited before every commit. */
  readonly beforeCommit: () => Promise<void>;
  /** What was seen signed about the height that is committed now. */
  readonly seenOf: (height: Height) => SeenStatements;
  /** The block is durable in the store; called before anything later is written. */
  readonly onDurable: (block: Committed) => void;
  readonly onFatal: (error: Error) => void;
}

/**
 * The one way into the chain, for consensus and sync alike: one block at a time, in order, each
 * height once.
 */
export interface ChainWriter {
  /**
   * Runs `find` when all earlier work is done and commits the candidate it returns, unless its
   * height is committed by then. `find` returning null means there is nothing to commit after
   * all. Resolves with whether this call committed.
   */
  commit(
    source: Committed["source"],
    height: Height,
    find: () => Promise<Decided | null>,
  ): Promise<boolean>;
  /** Waits for what was asked so far. */
  drain(): Promise<void>;
}

/** A candidate that a quorum decided. */
export interface Decided {
  readonly candidate: SealedCandidate;
  readonly certificate: CommitCertificate;
  readonly justification: Justification | null;
}

/** Makes the writer; a store that fails stops it for good through `onFatal`. */
export function createChainWriter(
  ledger: ConsensusLedger,
  hooks: ChainWriterHooks,
  logger: Logger,
): ChainWriter {
  let tail: Promise<unknown> = Promise.resolve();
  let isBroken = false;

  const write = async (source: Committed["source"], decided: Decided): Promise<void> => {
    const { candidate, certificate, justification } = decided;
    const { block, digest } = candidate.sealed;
    await hooks.beforeCommit();
    const seen = hooks.seenOf(candidate.height);
    await ledger.commit(candidate, block, { certificate, justification, seen });
    const { height, timestampMs, receipts } = candidate;
    logger.debug("block committed", { height, transactions: receipts.length, source });
    const transactionIds: readonly Digest[] = block.body.transactionIds;
    hooks.onDurable({ source, candidate, height, digest, timestampMs, transactionIds, receipts });
  };

  const run = async (
    source: Committed["source"],
    height: Height,
    find: () => Promise<Decided | null>,
  ): Promise<boolean> => {
    if (isBroken || ledger.head.header.height + 1 !== height) return false;
    try {
      const decided = await find();
      if (decided === null) return false;
      await write(source, decided);
      return true;
    } catch (cause) {
      isBroken = true;
      const known = cause instanceof EngineError;
      const text = "the chain could not be written";
      hooks.onFatal(known ? cause : new EngineError("NODE_STORE_FAILED", text, { cause }));
      return false;
    }
  };

  return {
    commit(source, height, find) {
      const result = tail.then(() => run(source, height, find));
      tail = result;
      return result;
    },
    drain: () => tail.then(() => {}),
  };
}
