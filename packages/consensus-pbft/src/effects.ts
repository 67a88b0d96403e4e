import type { Digest, Height, ValidatorIndex, View } from "@credlink/primitives";
import type {
  CommitCertificate,
  Justification,
  Message,
  PreparedCertificate,
  Proposal,
  SignedVote,
  UnsignedMessage,
} from "./messages.ts";
import type { Roster, ValidatorSet } from "./validator-set.ts";

/** Timing that all nodes share: parameters of the chain, never of one node. Milliseconds. */
export interface Timing {
  readonly minBlockIntervalMs: number;
  /** 0 = empty blocks off. */
  readonly emptyBlockIntervalMs: number;
  /** Bounds of a fresh proposal's timestamp against the receiver's clock. */
  readonly precisionMs: number;
  readonly messageDelayMs: number;
}

/** What a block settles for the heights after it. */
export interface Successor {
  /** V(height + 2) and its primaries, as the state after the block names them. */
  readonly validatorsAfterNext: Roster;
  /** Timing of height + 1. */
  readonly timing: Timing;
}

/** Keyed so that a firing that outlived its height or view is recognised and ignored. */
export interface TimerKey {
  readonly kind: "view" | "wish-retransmit" | "vote-retransmit" | "propose" | "start";
  readonly height: Height;
  readonly view: View;
}

/** A record of the vote log; durable before the vote it speaks of is signed. */
export type VoteRecord =
  | {
      readonly type: "proposed";
      readonly height: Height;
      readonly view: View;
      readonly digest: Digest;
      readonly parentDigest: Digest;
    }
  | {
      readonly type: "prepare-voted";
      readonly height: Height;
      readonly view: View;
      readonly digest: Digest;
    }
  /** Prepared certificate, the proposal it is for, and the promise to send COMMIT. */
  | {
      readonly type: "commit-voted";
      readonly certificate: PreparedCertificate;
      readonly proposal: Proposal;
    }
  | { readonly type: "entered-view"; readonly height: Height; readonly view: View }
  /** Written by the shell after the block is durable in the store. */
  | { readonly type: "decided"; readonly height: Height; readonly digest: Digest }
  /** The log was found at this height to miss votes under our key: it binds no more. */
  | { readonly type: "abstained"; readonly height: Height }
  /** First record of a log begun anew: what was forgotten is of this height or below. */
  | { readonly type: "recovered"; readonly height: Height };

/** What may happen to a replica. Each is handled to its end before the next. */
export type Input =
  /** A message whose signatures the shell has verified (`signatureClaims`). Own ones come too. */
  | { readonly type: "message"; readonly message: Message }
  | { readonly type: "timer"; readonly timer: TimerKey }
  /** A vote under our own key, of whatever height, that a peer has shown; verified. */
  | { readonly type: "own-vote"; readonly message: Message }
  /** Another process was proven to sign with our key: its votes are none that our log knows. */
  | { readonly type: "key-shared" }
  /**
   * The committed block of this height holds the nonce that we made after we began to abstain, and
   * a new vote log says so: whatever we forgot is of this height or below.
   */
  | { readonly type: "recovered"; readonly height: Height }
  /** All records up to `lsn` are durable. */
  | { readonly type: "persisted"; readonly lsn: number }
  /** Answer to `validate`. `refused` carries the code of the rule that the block breaks. */
  | {
      readonly type: "validated";
      readonly height: Height;
      readonly digest: Digest;
      readonly outcome:
        | { readonly valid: true; readonly successor: Successor }
        | { readonly valid: false; readonly code: string };
    }
  /** Answer to `build-proposal`; null when there is nothing to propose after all. */
  | {
      readonly type: "proposal-built";
      readonly height: Height;
      readonly view: View;
      readonly parentDigest: Digest;
      readonly proposal: Proposal | null;
    }
  /** The mempool's state of mind: whether an eligible transaction waits. */
  | { readonly type: "work"; readonly pending: boolean }
  /** A block that the store has made durable: committed by `decide` or brought by block sync. */
  | {
      readonly type: "committed";
      readonly height: Height;
      readonly digest: Digest;
      readonly timestampMs: number;
      /** V(height + 1); needed only when the store jumped over heights that were not fed. */
      readonly nextValidators?: Roster;
      readonly successor: Successor;
    }
  /** Answer to `fetch-proposal`: the block whose header has this digest, recomputed by the shell. */
  | { readonly type: "proposal-fetched"; readonly proposal: Proposal }
  /** A commit certificate that block sync or a peer's status brought, already verified. */
  | {
      readonly type: "certificate";
      readonly certificate: CommitCertificate;
      readonly proposal: Proposal;
    };

/** What the shell does for a replica, in this order and none before the one ahead of it is begun. */
export type Effect =
  /** Append and make durable, then feed `persisted`. */
  | { readonly type: "persist"; readonly lsn: number; readonly records: readonly VoteRecord[] }
  /** Store the bodies of a prepared block durably before the `persist` that follows it. */
  | { readonly type: "persist-body"; readonly digest: Digest }
  /** Sign, feed back to ourselves as a `message`, send to all other validators of V(height). */
  | { readonly type: "broadcast"; readonly message: UnsignedMessage }
  /** Sign and send to one validator of V(message's height). */
  | { readonly type: "send"; readonly to: ValidatorIndex; readonly message: UnsignedMessage }
  | { readonly type: "set-timer"; readonly timer: TimerKey; readonly delayMs: number }
  | { readonly type: "cancel-timer"; readonly timer: TimerKey }
  /**
   * Fetch what is missing, check envelopes, execute on the state of `proposal.parentDigest`,
   * compare the roots, and feed `validated`. `holders` are validators known to have the bodies.
   */
  | {
      readonly type: "validate";
      readonly proposal: Proposal;
      readonly transactions: readonly Uint8Array[];
      readonly holders: readonly ValidatorIndex[];
    }
  /**
   * Ask `holders`, who sent PREPARE for it, for the block behind a prepared certificate, and feed
   * `proposal-fetched`. The primary of a later view must propose it again and never saw it.
   */
  | {
      readonly type: "fetch-proposal";
      readonly height: Height;
      readonly digest: Digest;
      readonly holders: readonly ValidatorIndex[];
    }
  /** Build a block on `parentDigest` and feed `proposal-built`. `allowEmpty`: even without work. */
  | {
      readonly type: "build-proposal";
      readonly height: Height;
      readonly view: View;
      readonly parentDigest: Digest;
      readonly parentTimestampMs: number;
      readonly allowEmpty: boolean;
    }
  /** Commit durably, then feed `committed`. The replica has left this height already. */
  | {
      readonly type: "decide";
      readonly proposal: Proposal;
      readonly certificate: CommitCertificate;
      /**
       * Why the block could be proposed in the certificate's view: of the pre-prepare that we
       * accepted there. Null in view 0, and where we accepted none.
       */
      readonly justification: Justification | null;
    }
  /** We hold a commit certificate without its block, or are behind a proven head: sync to it. */
  | { readonly type: "sync"; readonly certificate: CommitCertificate }
  /** Two votes of one signer that exclude each other. */
  | { readonly type: "evidence"; readonly first: SignedVote; readonly second: SignedVote }
  /** A fact for logs and counters; `code` is a constant of `reportCodes`. */
  | {
      readonly type: "report";
      readonly code: string;
      readonly height: Height;
      readonly view: View;
      readonly detail?: string;
    }
  /** Stop voting and page an operator: going on could break safety. */
  | { readonly type: "halt"; readonly code: string; readonly height: Height };

/** Local settings of a replica; timers are about liveness only, so nodes may differ. */
export interface ReplicaOptions {
  readonly chainId: string;
  readonly genesisDigest: Digest;
  /** Our public key; an observer (no index in V(h)) follows without voting. */
  readonly publicKey: Uint8Array;
  /** T0 at start, milliseconds. Default 2,000. */
  readonly baseTimeoutMs: number;
  /** Bounds between which T0 adapts, milliseconds. Defaults 500 and 5,000. */
  readonly minTimeoutMs: number;
  readonly maxBaseTimeoutMs: number;
  /** Cap of T(v) = T0 · 1.5^v, milliseconds. Default 60,000. */
  readonly maxTimeoutMs: number;
  /** Absolute bounds of a block; what the chain's parameters allow is for the ledger to judge. */
  readonly maxBlockTransactions: number;
  readonly maxBlockBytes: number;
  readonly allowNonByzantine: boolean;
  /** Whether the next height's primary may propose before this height is decided. */
  readonly overlap: boolean;
}

/** Where a replica starts: the committed head and what the vote log remembers beyond it. */
export interface ReplicaStart {
  readonly head: {
    readonly height: Height;
    readonly digest: Digest;
    readonly timestampMs: number;
  };
  /** V(head + 1) and V(head + 2). */
  readonly validators: Roster;
  readonly nextValidators: Roster;
  /** Timing of height head + 1. */
  readonly timing: Timing;
  /** The head's certificate and block, so that peers still at its height can be answered. */
  readonly lastDecision?: {
    readonly certificate: CommitCertificate;
    readonly proposal: Proposal;
    /** V(head). */
    readonly validators: ValidatorSet;
  };
  /** Records of the vote log, oldest first. */
  readonly records: readonly VoteRecord[];
  /** Set when the vote log is missing, damaged before its tail, or older than known votes. */
  readonly abstain: boolean;
}

/** The replica: `step` is synchronous, total, deterministic and never throws on peer input. */
export interface Replica {
  /** Effects of starting; called once, before the first `step`. */
  start(nowMs: number): readonly Effect[];
  /** @param nowMs local wall clock, used for timeliness and durations only. */
  step(input: Input, nowMs: number): readonly Effect[];
  readonly status: ReplicaStatus;
  /** How much it keeps, counted anew at every call. */
  readonly holdings: ReplicaHoldings;
}

export interface ReplicaStatus {
  /** The height being decided: head + 1. */
  readonly height: Height;
  readonly view: View;
  readonly phase: "idle" | "preprepared" | "prepared" | "committed";
  readonly primary: ValidatorIndex;
  /** Our index in V(height), or null for an observer. */
  readonly self: ValidatorIndex | null;
  readonly abstaining: boolean;
  readonly halted: boolean;
}

/** Entries that a replica holds, by what they are. None depends on what peers send beyond §8. */
export interface ReplicaHoldings {
  /** Of the current height, all views together. */
  readonly prePrepares: number;
  readonly prepares: number;
  readonly commits: number;
  readonly wishes: number;
  readonly viewChanges: number;
  /** COMMITs and view changes that are kept for evidence alone. */
  readonly pastCommits: number;
  readonly claims: number;
  readonly denials: number;
  readonly candidates: number;
  readonly convictions: number;
  /** Views that the vote log binds us in, at the current height. */
  readonly promisedViews: number;
  /** Messages kept for the next height, by kind the same. */
  readonly nextPrePrepares: number;
  readonly nextVotes: number;
  readonly nextClaims: number;
  readonly nextDenials: number;
  readonly nextCandidates: number;
  readonly nextConvictions: number;
  /** Heights whose decision is kept for peers that are behind, and answers given lately. */
  readonly recentDecisions: number;
  readonly answers: number;
  /** Votes that wait for the vote log. */
  readonly outbox: number;
  readonly timers: number;
  /** Proposals that the shell was asked to build or to fetch. */
  readonly requests: number;
  readonly latencies: number;
}
