import type {
  Replica,
  ReplicaOptions,
  ReplicaStart,
  ReplicaStatus,
} from "@credlink/consensus-pbft";
import type { ConsensusLedger, Receipt } from "@credlink/ledger";
import type {
  Address,
  Clock,
  Digest,
  Disk,
  Height,
  Logger,
  Metrics,
  Network,
  Random,
  Refusal,
  Result,
  Signer,
} from "@credlink/primitives";

/** Checks SM2 signatures in batches, off the event loop in production; answers in order. */
export interface SignatureVerifier {
  /**
   * Rejects with CRYPTO_POOL_FULL when its queue is full.
   * @param options.urgent goes before everything that is not: a flood of transactions must not
   *   hold up the votes that would clear it.
   */
  verify(
    requests: readonly {
      readonly publicKey: Uint8Array;
      readonly message: Uint8Array;
      readonly signature: Uint8Array;
    }[],
    options?: { readonly urgent?: boolean },
  ): Promise<readonly boolean[]>;
}

/** Local limits of a node; consensus-critical parameters are the chain's. */
export interface EngineOptions {
  readonly nodeId: string;
  readonly chainId: string;
  readonly genesisDigest: Digest;
  /** Address of the node's own key in the registry: it asks for its recovery under it. */
  readonly nodeAddress: Address;
  readonly mempool: {
    /** Most transactions held. Default 50,000. */
    readonly maxTransactions: number;
    /** Most bytes held. Default 256 MiB. */
    readonly maxBytes: number;
    /** Most transactions held of one sender. Default 10,000. */
    readonly maxPerSender: number;
  };
  /** A batch of transactions is pushed to peers when it has this many bytes … */
  readonly pushBatchBytes: number;
  /** … or is this old, milliseconds. */
  readonly pushDelayMs: number;
  /** How long a request to a peer may take, milliseconds. */
  readonly requestTimeoutMs: number;
  /** Replica settings that are local. */
  readonly timeouts: Pick<
    ReplicaOptions,
    "baseTimeoutMs" | "minTimeoutMs" | "maxBaseTimeoutMs" | "maxTimeoutMs"
  >;
  readonly overlap: boolean;
  /** A segment of the vote log is full at so many bytes. Default: 64 MiB. */
  readonly voteLogSegmentBytes?: number;
}

/** Everything outside that the engine touches; the simulator supplies its own. */
export interface EngineComponents {
  readonly ledger: ConsensusLedger;
  readonly network: Network;
  /** Holds the vote log's folder. */
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly signer: Signer;
  readonly verifier: SignatureVerifier;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Makes the replica; injected so that the simulator can wrap it. */
  readonly createReplica: (options: ReplicaOptions, start: ReplicaStart) => Replica;
  /** A fault after which the process must not go on (fsync failed, execution diverged). */
  readonly onFatal: (error: Error) => void;
}

export interface EngineStatus {
  readonly height: Height;
  readonly headDigest: Digest;
  readonly stateRoot: Digest;
  readonly headTimestampMs: number;
  readonly replica: ReplicaStatus;
  /** Whether the replica runs: q − 1 validators told their heads, and ours is where they say. */
  readonly replicaRuns: boolean;
  readonly syncing: boolean;
  /** Highest certified head that peers told of; null before most of those connected told theirs. */
  readonly toldHeight: number | null;
  /** Whether another process was proven to use this node's key. */
  readonly keyShared: boolean;
  readonly mempool: {
    readonly transactions: number;
    readonly bytes: number;
    /** How long the one that waits longest has waited; 0 when none waits. */
    readonly oldestMs: number;
  };
  /** How far the validators' clocks are ahead of ours; null while none has answered. */
  readonly clockOffsetMs: number | null;
}

/** Entries that an engine holds beside its replica's. @see docs/protocol/consensus.md §8 */
export interface EngineHoldings {
  /** Statements of validators about heights that are not committed. */
  readonly statements: number;
  /** Consensus signatures that were found good. */
  readonly signatures: number;
  /** Proposals kept for primaries of later views, and those whose transactions are kept. */
  readonly proposals: number;
  readonly collectedProposals: number;
  /** Highest votes seen, one a validator, and votes shown as ours that nobody can judge yet. */
  readonly seenVotes: number;
  readonly shownVotes: number;
  readonly evidence: number;
  readonly transactions: number;
  readonly transactionBytes: number;
  /** Transactions that expired unexecuted. */
  readonly expired: number;
}

/** Where a transaction stands. */
export type TransactionOutcome =
  | {
      readonly status: "committed";
      readonly height: Height;
      readonly index: number;
      readonly receipt: Receipt;
    }
  | { readonly status: "pending" }
  | { readonly status: "expired" }
  | { readonly status: "unknown" };

export interface CommittedBlock {
  readonly height: Height;
  readonly digest: Digest;
  readonly timestampMs: number;
  readonly transactionIds: readonly Digest[];
  readonly receipts: readonly Receipt[];
}

/** Consensus driver, mempool, block pipeline and sync of one node. */
export interface Engine {
  start(): Promise<void>;
  /** Finishes what is being written and stops; the process may exit afterwards. */
  stop(): Promise<void>;
  /**
   * Judges a signed transaction and takes it into the mempool. A refusal carries a LEDGER_… code of
   * the envelope rules, or NODE_MEMPOOL_… (full, known already) with `retryAfterMs`.
   */
  submit(
    transaction: Uint8Array,
  ): Promise<Result<{ readonly id: Digest }> | (Refusal & { readonly retryAfterMs?: number })>;
  outcome(id: Digest): Promise<TransactionOutcome>;
  /** Resolves when committed or expired, or after `timeoutMs` with what is known then. */
  waitFor(id: Digest, timeoutMs: number): Promise<TransactionOutcome>;
  status(): EngineStatus;
  /** Transactions that it took and that stand in no block yet, oldest first; after a stop too. */
  pending(): readonly Uint8Array[];
  /** How much it keeps, counted anew at every call. */
  holdings(): EngineHoldings;
  /** Called after every block is durable, in order. Returns how to stop listening. */
  onCommit(listener: (block: CommittedBlock) => void): () => void;
}
