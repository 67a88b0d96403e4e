import {
  type CommitCertificate,
  commitCertificateCodec,
  type Proposal,
  proposalCodec,
} from "@credlink/consensus-pbft";
import {
  type Block,
  blockCodec,
  type Header,
  headerCodec,
  MAX_BLOCK_TRANSACTIONS,
  MAX_TRANSACTION_BYTES,
} from "@credlink/ledger";
import {
  bytes,
  bytesUpTo,
  type Codec,
  type Digest,
  digestCodec,
  type Height,
  heightCodec,
  list,
  nullable,
  sharedReading,
  struct,
  tryDecode,
  u32,
  u53,
} from "@credlink/primitives";

/** Votes and proposals between validators. */
export const CONSENSUS_PROTOCOL = "/credlink/consensus/1";
/** One proof that a validator contradicted itself, told once by whoever has it. */
export const EVIDENCE_PROTOCOL = "/credlink/evidence/1";
/** Batches of signed transactions, pushed ahead of the proposals that name them. */
export const TRANSACTIONS_PROTOCOL = "/credlink/transactions/1";
/** Signed transactions by id, asked for by who validates a proposal. */
export const FETCH_PROTOCOL = "/credlink/transactions-fetch/1";
/** The proposal behind a digest, asked for by a primary that must propose it again. */
export const PROPOSAL_PROTOCOL = "/credlink/proposals/1";
/** Exchange of certified heads. */
export const STATUS_PROTOCOL = "/credlink/status/1";
/** "My head moved": a status that expects no answer. */
export const HEAD_PROTOCOL = "/credlink/head/1";
/** "What time is it with you?" */
export const CLOCK_PROTOCOL = "/credlink/clock/1";
/** Which process of a validator speaks, so that a second one with its key is found out. */
export const INSTANCE_PROTOCOL = "/credlink/instance/1";
/** Ranges of decided blocks. */
export const BLOCKS_PROTOCOL = "/credlink/blocks/1";

const MIB = 1024 * 1024;
/** A frame of the consensus protocol: the largest block, its ids and a justification. */
export const MAX_CONSENSUS_BYTES = 6 * MIB;
/** A push: one batch, which one large transaction may fill alone. */
export const MAX_PUSH_BYTES = 640 * 1024;
export const MAX_FETCH_REQUEST_BYTES = 512 * 1024;
/** A reply stops before this; what does not fit is asked for again. */
export const MAX_FETCH_REPLY_BYTES = 4 * MIB;
export const MAX_STATUS_BYTES = 64 * 1024;
export const MAX_INSTANCE_BYTES = 1_024;
export const MAX_BLOCKS_REQUEST_BYTES = 64;
/** One block always fits; more only while they stay below this. */
export const MAX_BLOCKS_REPLY_BYTES = 5 * MIB;
/** A single large block may exceed the range's cap by its own size. */
export const MAX_BLOCKS_FRAME_BYTES = 8 * MIB - 1024;
/** Blocks in one reply. */
export const MAX_BLOCK_RANGE = 8;
/** Transactions in one push. */
export const MAX_PUSH_TRANSACTIONS = 2_000;

const signedTransactionBytes = bytesUpTo(MAX_TRANSACTION_BYTES);

/** Complete signed transactions. */
export const pushCodec: Codec<readonly Uint8Array[]> = list(
  signedTransactionBytes,
  MAX_PUSH_TRANSACTIONS,
);

/** The transactions that a peer pushes. */
export const decodePush = sharedReading((message: Uint8Array) =>
  tryDecode(pushCodec, message, { maxBytes: MAX_PUSH_BYTES }),
);

/** Ids of the transactions wanted. */
export const fetchRequestCodec: Codec<readonly Digest[]> = list(
  digestCodec,
  MAX_BLOCK_TRANSACTIONS,
);

/** Those of the wanted transactions that the peer has, in any order. */
export const fetchReplyCodec: Codec<readonly Uint8Array[]> = list(
  signedTransactionBytes,
  MAX_BLOCK_TRANSACTIONS,
);

/** Digest of the header wanted. */
export const proposalRequestCodec: Codec<{ readonly digest: Digest }> = struct({
  digest: digestCodec,
});

/** The proposal, or null when the peer does not have it. */
export const proposalReplyCodec: Codec<{ readonly proposal: Proposal | null }> = struct({
  proposal: nullable(proposalCodec),
});

/** What a node says of itself: a head that its certificate proves. */
export interface Status {
  readonly genesisDigest: Digest;
  readonly height: Height;
  /** Header of the head; null at height 0, which needs no proof. */
  readonly header: Header | null;
  /** Certificate of the head; null at height 0. */
  readonly certificate: CommitCertificate | null;
  /**
   * The highest signed vote seen from the receiver, as the consensus message itself: whoever
   * meets a vote of its own that its vote log forgot must abstain. Null when none was seen.
   */
  readonly seenVote: Uint8Array | null;
}

export const statusCodec: Codec<Status> = struct({
  genesisDigest: digestCodec,
  height: heightCodec,
  header: nullable(headerCodec),
  certificate: nullable(commitCertificateCodec),
  seenVote: nullable(bytesUpTo(48 * 1024)),
});

/** What the wall clock of who was asked shows, milliseconds since 1970. */
export const clockReplyCodec: Codec<{ readonly nowMs: number }> = struct({ nowMs: u53 });
export const MAX_CLOCK_REPLY_BYTES = 16;
/** Random bytes that name one process of a validator, drawn at its start and never written down. */
export const INSTANCE_BYTES = 16;
/** Processes of one key that are told apart at once. */
export const MAX_INSTANCES = 4;

/**
 * What one process of a key says of another: that it lived when the other one had begun, for nobody
 * knows those bytes before. Signed by the key (`instanceSigningMessage`).
 */
export interface InstanceStatement {
  readonly instance: Uint8Array;
  readonly other: Uint8Array;
  readonly signature: Uint8Array;
}

const statementsCodec = list(
  struct({
    instance: bytes(INSTANCE_BYTES),
    other: bytes(INSTANCE_BYTES),
    signature: bytes(64),
  }),
  MAX_INSTANCES,
);

/** Which process speaks, and what it says of those that it was shown. */
export interface InstanceWord {
  readonly instance: Uint8Array;
  readonly statements: readonly InstanceStatement[];
}

export const instanceWordCodec: Codec<InstanceWord> = struct({
  instance: bytes(INSTANCE_BYTES),
  statements: statementsCodec,
});

/** What a peer heard lately from other processes of the asker's key. */
export interface InstanceReply {
  /** Who they are: a hint, which proves nothing. */
  readonly others: readonly Uint8Array[];
  /** What they say of the asker: each proves that a second process has the key. */
  readonly statements: readonly InstanceStatement[];
}

export const instanceReplyCodec: Codec<InstanceReply> = struct({
  others: list(bytes(INSTANCE_BYTES), MAX_INSTANCES),
  statements: statementsCodec,
});

export interface BlockRangeRequest {
  readonly from: Height;
  readonly count: number;
}

export const blockRangeRequestCodec: Codec<BlockRangeRequest> = struct({
  from: heightCodec,
  count: u32,
});

/** A decided block with everything that proves and fills it. */
export interface TransferredBlock {
  readonly block: Block;
  readonly certificate: CommitCertificate;
  /** In the body's order. */
  readonly transactions: readonly Uint8Array[];
}

export const blockRangeReplyCodec: Codec<readonly TransferredBlock[]> = list(
  struct({
    block: blockCodec,
    certificate: commitCertificateCodec,
    transactions: list(signedTransactionBytes, MAX_BLOCK_TRANSACTIONS),
  }),
  MAX_BLOCK_RANGE,
);
