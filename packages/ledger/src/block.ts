import type { CommitCertificate } from "@credlink/consensus-pbft";
import { MAX_EVIDENCE_BYTES } from "@credlink/consensus-pbft/certificates";
import {
  bytesUpTo,
  type Codec,
  type Digest,
  digestCodec,
  type Height,
  heightCodec,
  list,
  struct,
  text,
  u32,
  u53,
  type ValidatorIndex,
  validatorIndexCodec,
} from "@credlink/primitives";

export const HEADER_VERSION = 1;
/** Upper bounds of the format; genesis sets lower ones. */
export const MAX_BLOCK_TRANSACTIONS = 10_000;
export const MAX_BLOCK_BYTES = 16 * 1024 * 1024;
/** Most pieces of evidence in one block. */
export const MAX_BLOCK_EVIDENCE = 16;

/** What validators sign. No field is optional; an empty list has the digest of the empty list. */
export interface Header {
  readonly version: number;
  readonly chainId: string;
  readonly height: Height;
  /** Digest of the parent's header; at height 0 the digest of genesis. */
  readonly parentHash: Digest;
  readonly timestampMs: number;
  /** Index in V(height). */
  readonly proposer: ValidatorIndex;
  /** Root over the transactions' ids. */
  readonly transactionRoot: Digest;
  readonly transactionCount: number;
  readonly gasUsed: number;
  /** Root of the state after this block. */
  readonly stateRoot: Digest;
  /** Root over the receipts. */
  readonly receiptRoot: Digest;
  /** Digest of V(height). */
  readonly validatorsHash: Digest;
  /** Digest of V(height + 1). */
  readonly nextValidatorsHash: Digest;
  /** Digest of the body's history: the consensus record of height − 2. */
  readonly historyRoot: Digest;
  /** Root over the body's evidence. */
  readonly evidenceRoot: Digest;
}

export const headerCodec: Codec<Header> = struct({
  version: u32,
  chainId: text(64),
  height: heightCodec,
  parentHash: digestCodec,
  timestampMs: u53,
  proposer: validatorIndexCodec,
  transactionRoot: digestCodec,
  transactionCount: u32,
  gasUsed: u53,
  stateRoot: digestCodec,
  receiptRoot: digestCodec,
  validatorsHash: digestCodec,
  nextValidatorsHash: digestCodec,
  historyRoot: digestCodec,
  evidenceRoot: digestCodec,
});

/** What the header commits to, but for the transactions' own bytes, which travel apart. */
export interface Body {
  readonly transactionIds: readonly Digest[];
  /**
   * Canonical record of height − 2: its commit certificate and, if its view was above 0, the
   * justification; empty up to height 2. Overlapping primaries propose before height − 1 is
   * decided, hence − 2.
   */
  readonly history: Uint8Array;
  /** Encoded pairs of contradicting votes, ascending by height and signer. */
  readonly evidence: readonly Uint8Array[];
}

export const bodyCodec: Codec<Body> = struct({
  transactionIds: list(digestCodec, MAX_BLOCK_TRANSACTIONS),
  history: bytesUpTo(256 * 1024),
  evidence: list(bytesUpTo(MAX_EVIDENCE_BYTES), MAX_BLOCK_EVIDENCE),
});

export interface Block {
  readonly header: Header;
  readonly body: Body;
}

export const blockCodec: Codec<Block> = struct({ header: headerCodec, body: bodyCodec });

/** A decided block: different nodes may hold different valid certificates for it. */
export interface SealedBlock {
  readonly block: Block;
  readonly digest: Digest;
  readonly certificate: CommitCertificate;
  /** Signed transaction bytes in the body's order. */
  readonly transactions: readonly Uint8Array[];
}
