import type { Digest, Height, ValidatorIndex, View } from "@credlink/primitives";

/**
 * What the core knows of a block: the facts of its header that the protocol rules read, and its
 * encoding, which the core never opens.
 */
export interface Proposal {
  /** Digest of the header: the one digest that every phase votes on. */
  readonly digest: Digest;
  readonly parentDigest: Digest;
  readonly height: Height;
  /** Index of the header's proposer in V(height). */
  readonly proposer: ValidatorIndex;
  readonly timestampMs: number;
  /** Digest of V(height). */
  readonly validatorsHash: Digest;
  /** Digest of V(height + 1). */
  readonly nextValidatorsHash: Digest;
  readonly transactionCount: number;
  /** Bytes of `payload` and of all transactions together. */
  readonly sizeBytes: number;
  /** Canonical encoding of [header, body]; the body names transactions by id. */
  readonly payload: Uint8Array;
}

export interface IndexedSignature {
  readonly index: ValidatorIndex;
  /** r ‖ s, 64 bytes. */
  readonly signature: Uint8Array;
}

/** Proof that q validators sent PREPARE for one digest in one view. */
export interface PreparedCertificate {
  readonly height: Height;
  readonly view: View;
  readonly digest: Digest;
  /** Ascending by index, none twice. */
  readonly signatures: readonly IndexedSignature[];
}

/** Proof that q validators sent COMMIT for one digest in one view: the block is decided. */
export interface CommitCertificate {
  readonly height: Height;
  readonly view: View;
  readonly digest: Digest;
  /** Ascending by index, none twice. */
  readonly signatures: readonly IndexedSignature[];
}

/** The signed part of a VIEW-CHANGE. */
export interface ViewChangeVote {
  readonly height: Height;
  /** The view entered. */
  readonly view: View;
  /** View of the sender's highest durable prepared certificate of this height, or null. */
  readonly preparedView: View | null;
  /** Its digest, or null. */
  readonly preparedDigest: Digest | null;
  readonly sender: ValidatorIndex;
  readonly signature: Uint8Array;
}

/** Why a PRE-PREPARE of a view above 0 may propose what it proposes. */
export interface Justification {
  /** At least q, of distinct senders, ascending by sender. */
  readonly viewChanges: readonly ViewChangeVote[];
  /** The certificate of the highest prepared view among them, or null when none prepared. */
  readonly prepared: PreparedCertificate | null;
}

export interface PrePrepare {
  readonly type: "pre-prepare";
  readonly height: Height;
  readonly view: View;
  readonly parentDigest: Digest;
  readonly digest: Digest;
  readonly sender: ValidatorIndex;
  readonly signature: Uint8Array;
  /** Not signed by itself: its digest is. */
  readonly proposal: Proposal;
  /** Signed transactions that travel along; the rest is known by id or fetched. Not signed. */
  readonly transactions: readonly Uint8Array[];
  readonly justification: Justification | null;
}

export interface Prepare {
  readonly type: "prepare";
  readonly height: Height;
  readonly view: View;
  readonly digest: Digest;
  readonly sender: ValidatorIndex;
  readonly signature: Uint8Array;
}

export interface Commit {
  readonly type: "commit";
  readonly height: Height;
  readonly view: View;
  readonly digest: Digest;
  readonly sender: ValidatorIndex;
  readonly signature: Uint8Array;
}

/** "My timer ran out, I would enter `view`": binds its sender to nothing. */
export interface Wish {
  readonly type: "wish";
  readonly height: Height;
  readonly view: View;
  readonly sender: ValidatorIndex;
  readonly signature: Uint8Array;
}

export interface ViewChange extends ViewChangeVote {
  readonly type: "view-change";
  /** Proves `preparedView` and `preparedDigest`; null exactly when they are null. */
  readonly prepared: PreparedCertificate | null;
}

/** Answer to a peer that is behind; needs no signature, its certificate convinces by itself. */
export interface Decided {
  readonly type: "decided";
  readonly certificate: CommitCertificate;
  /** Sender's own index in V(height) is not needed; the proposal travels when it is at hand. */
  readonly proposal: Proposal | null;
}

export type Message = PrePrepare | Prepare | Commit | Wish | ViewChange | Decided;

/** Each of `M` without its signature, which the shell adds. */
export type Unsigned<M> = M extends { readonly signature: Uint8Array } ? Omit<M, "signature"> : M;

/** What the core emits: the shell signs it with the validator's key. */
export type UnsignedMessage = Unsigned<Message>;

/** A vote of which at most one per (type, height, view) may ever be signed. */
export type SignedVote = Prepare | Commit | ViewChange | PrePrepare;
