import type {
  CommitCertificate,
  Justification,
  Roster,
  ValidatorSet,
} from "@credlink/consensus-pbft";
import type { Evidence } from "@credlink/consensus-pbft/certificates";
import type { Address, Digest, Height, Result, ValidatorIndex } from "@credlink/primitives";
import type { Block, Header, SealedBlock } from "./block.ts";
import type { LinkedHistory, SeenStatements } from "./consensus-history.ts";
import type { DecodedTransaction } from "./decoded-transaction.ts";
import type { JudgedEnvelope, SignatureClaim } from "./envelope.ts";
import type { BlockRefusalCode, TransactionRefusalCode } from "./errors.ts";
import type { JudgedEvidence } from "./evidence.ts";
import type { StateView } from "./executor.ts";
import type { Genesis, Parameters } from "./genesis.ts";
import type { Member } from "./member.ts";
import type { MerkleProof } from "./merkle.ts";
import type { Receipt } from "./receipt.ts";
import type { ReplayGuard } from "./replay-guard.ts";
import type { StateProof } from "./state-proof.ts";
import type { TransactionPlace } from "./transaction.ts";

/** A block on which others build: the head, or a candidate. */
export interface BlockReference {
  readonly digest: Digest;
  readonly header: Header;
}

/** What to execute. */
export interface ExecutionRequest {
  /** The head or a candidate that was built or checked. */
  readonly parentDigest: Digest;
  /** The parent's height plus one. */
  readonly height: Height;
  /** The block's own time, later than the parent's. */
  readonly timestampMs: number;
  /** Index in V(height) of the validator whose block it is: the state keeps who missed a turn. */
  readonly proposer: ValidatorIndex;
  /** Judged by `judge` on this parent, height and time; signatures verified. */
  readonly transactions: readonly DecodedTransaction[];
  /** `ledger.historyFor(parent, height)`: the state counts who signed by it. */
  readonly history: Uint8Array;
  /** Judged by `judgeEvidence` on this parent and height, in its order; default none. */
  readonly evidence?: readonly Uint8Array[];
}

/** The block that an envelope is judged for. */
export interface JudgementPlace {
  readonly parentDigest: Digest;
  readonly height: Height;
  readonly timestampMs: number;
  /**
   * The branch's guard, or one over it that holds earlier transactions of the same block.
   * Default: the parent's.
   */
  readonly replay?: ReplayGuard;
}

/** The outcome of executing transactions on a parent; nothing of it is written. */
export interface Candidate {
  readonly parentDigest: Digest;
  readonly height: Height;
  readonly timestampMs: number;
  readonly proposer: ValidatorIndex;
  readonly transactions: readonly DecodedTransaction[];
  readonly history: Uint8Array;
  readonly evidence: readonly Uint8Array[];
  readonly transactionRoot: Digest;
  readonly transactionCount: number;
  readonly gasUsed: number;
  readonly stateRoot: Digest;
  readonly receiptRoot: Digest;
  /** In order of the transactions. */
  readonly receipts: readonly Receipt[];
  /** V(height + 2) with its primaries, as the state after this block names them. */
  readonly validatorsAfterNext: Roster;
  /** The state after it. Its `digest` is all zero until the candidate is sealed. */
  readonly view: StateView;
  /** The block, once the candidate was sealed by `buildBlock` or `checkProposal`. */
  readonly sealed: { readonly block: Block; readonly digest: Digest } | null;
}

/** A candidate whose block is known: it may be built upon and committed. */
export type SealedCandidate = Candidate & { readonly sealed: NonNullable<Candidate["sealed"]> };

/** Verifies signatures; true at the place of each claim that holds. */
export type VerifySignatures = (claims: readonly SignatureClaim[]) => Promise<readonly boolean[]>;

/**
 * Whether a body's history is a true record of how `height` (the block's height − 2) was decided:
 * certificate and justification verify under `validators` = V(height). That the certificate names
 * the right ancestor is checked by the ledger.
 */
export type VerifyHistory = (
  history: Uint8Array,
  height: Height,
  validators: ValidatorSet,
) => Promise<boolean> | boolean;

/**
 * Whether both signatures of a piece of evidence verify under `validators` = V(evidence.height).
 * That its votes exclude each other, and may stand in the block, is checked by the ledger.
 */
export type VerifyEvidence = (
  evidence: Evidence,
  validators: ValidatorSet,
) => Promise<boolean> | boolean;

/** A block to check, and the means to check what the ledger does not verify itself. */
export interface ProposalCheck {
  readonly block: Block;
  /** Whether a certificate proves the block, so that the verifiers below accept whatever is asked. */
  readonly isProven?: boolean;
  /** In the body's order; those decoded before need not be decoded again. */
  readonly transactions: readonly (Uint8Array | DecodedTransaction)[];
  readonly verifySignatures: VerifySignatures;
  readonly verifyHistory: VerifyHistory;
  /** Absent: a block with evidence is refused. */
  readonly verifyEvidence?: VerifyEvidence;
}

/** How a block was decided, beyond what the block says. */
export interface Decision {
  readonly certificate: CommitCertificate;
  /** Of the deciding view, when it was above 0 and is at hand: part of the block's history. */
  readonly justification?: Justification | null;
  /** What the node saw signed about the height, for its history. Default: nothing. */
  readonly seen?: SeenStatements;
}

/** A committed transaction with its receipt, and proofs of both against the block's header. */
export interface TransactionRecord extends TransactionPlace {
  readonly id: Digest;
  /** Signed transaction bytes. */
  readonly transaction: Uint8Array;
  readonly receipt: Receipt;
  readonly header: Header;
  readonly digest: Digest;
  readonly certificate: CommitCertificate;
}

/** The state's answer for one key at the head, and its proof against the head's state root. */
export interface StateRecord {
  readonly value: Uint8Array | null;
  readonly proof: StateProof;
  readonly header: Header;
  readonly digest: Digest;
  readonly certificate: CommitCertificate;
}

/** Everything committed that can be asked for. */
export interface LedgerReader {
  /** Null beyond the head. At height 0 the certificate has no signatures. */
  block(height: Height): Promise<SealedBlock | null>;
  /** Without the transactions' bytes. */
  header(height: Height): BlockReference | null;
  blockByDigest(digest: Digest): Promise<SealedBlock | null>;
  certificate(height: Height): CommitCertificate | null;
  /** What this node saw of a height's consensus; null beyond the head and when not kept. */
  history(height: Height): LinkedHistory | null;
  /** Where a transaction was committed; null when it was not. */
  place(id: Digest): TransactionPlace | null;
  /** Signed bytes of a transaction that was committed, or kept by `persistBodies`. */
  body(id: Digest): Uint8Array | null;
  transaction(id: Digest): Promise<TransactionRecord | null>;
  receipt(id: Digest): Receipt | null;
  /** Receipts of one block in its order; null beyond the head. */
  receipts(height: Height): Promise<readonly Receipt[] | null>;
  /** Proof of the transaction's id under its header's `transactionRoot`. */
  transactionProof(id: Digest): Promise<MerkleProof | null>;
  /** Proof of the encoded receipt under its header's `receiptRoot`. */
  receiptProof(id: Digest): Promise<MerkleProof | null>;
  /**
   * The registry's record of an address as of the head; null when there is none.
   * @throws LedgerError LEDGER_STORE_CORRUPT
   */
  member(address: Address): Member | null;
  /** Value and proof at the head. */
  state(contract: string, key: Uint8Array): StateRecord;
}

/** What consensus asks of the chain; clients, proofs and housekeeping ask for the rest. */
export type ConsensusLedger = Omit<
  Ledger,
  | "blockByDigest"
  | "close"
  | "discard"
  | "history"
  | "pruneStale"
  | "receiptProof"
  | "receipts"
  | "state"
  | "transaction"
  | "transactionProof"
>;

/**
 * The chain of one node: candidates in memory, committed blocks in the store. `commit` is the
 * only writer of the chain.
 */
export interface Ledger extends LedgerReader {
  readonly genesis: Genesis;
  readonly genesisDigest: Digest;
  readonly chainId: string;
  /** The last committed block. */
  readonly head: BlockReference;

  /** The head, a candidate or a committed block; null when unknown. */
  reference(digest: Digest): BlockReference | null;
  /** State after the head or a candidate; null for every other block. */
  stateAt(digest: Digest): StateView | null;
  /** V(height), known from height 0 up to head + 2. */
  validatorsAt(height: Height): ValidatorSet | null;
  /** V(height) for a block of `height` ≤ parent's height + 2, on the branch of `parentDigest`. */
  validatorsOn(parentDigest: Digest, height: Height): ValidatorSet | null;
  /**
   * V(height) with its primaries, for the two heights above the head or a candidate; null for
   * every other height or block.
   */
  rosterOn(parentDigest: Digest, height: Height): Roster | null;
  /** Parameters in force for the block after the given one (the head or a candidate). */
  parametersAfter(digest: Digest): Parameters | null;
  /** Nonces used on the branch that ends in the given block (the head or a candidate). */
  replayGuardAt(digest: Digest): ReplayGuard | null;

  /**
   * Judges one envelope for a block of `height` and `timestampMs` on a parent.
   * @throws LedgerError LEDGER_PARENT_UNKNOWN
   */
  judge(
    transaction: Uint8Array | DecodedTransaction,
    on: JudgementPlace,
  ): Result<JudgedEnvelope, TransactionRefusalCode>;

  /**
   * Judges one piece of evidence for a block of `height` on a parent, by all rules but its
   * signatures.
   * @throws LedgerError LEDGER_PARENT_UNKNOWN
   */
  judgeEvidence(
    evidence: Uint8Array,
    on: Pick<JudgementPlace, "parentDigest" | "height">,
  ): Result<JudgedEvidence, "LEDGER_BLOCK_EVIDENCE">;

  /** `Executor.judgeCall` on the head's state. */
  judgeCall(call: Pick<DecodedTransaction, "contract" | "contractVersion">): string | null;

  /** @throws LedgerError LEDGER_PARENT_UNKNOWN */
  execute(request: ExecutionRequest): Promise<Candidate>;
  /**
   * The history that a block of `height` on the branch of `parentDigest` carries: the record of
   * height − 2 with the certificate this node holds; empty up to height 2. Null when that block
   * is not committed here yet.
   */
  historyFor(parentDigest: Digest, height: Height): Uint8Array | null;
  /** Completes a candidate of our own into a block and registers it under its digest. */
  buildBlock(candidate: Candidate): SealedCandidate;
  /**
   * Judges a whole block: header, body, envelopes, signatures, execution, roots. A block that was
   * checked before is answered from memory. A valid one is registered under its digest.
   */
  checkProposal(check: ProposalCheck): Promise<Result<SealedCandidate, BlockRefusalCode>>;
  /** A candidate that was built or checked; null when unknown. */
  candidate(digest: Digest): SealedCandidate | null;
  /** Makes signed transactions durable before COMMIT is sent for a block that names them. */
  persistBodies(transactions: readonly DecodedTransaction[]): Promise<void>;
  /**
   * Writes a decided candidate on the head in one synced batch, then forgets its rivals. When the
   * promise resolves the block is durable. The certificate must have been verified.
   * @throws LedgerError LEDGER_PARENT_NOT_HEAD, LEDGER_CANDIDATE_MISMATCH,
   *   LEDGER_CERTIFICATE_MISMATCH, LEDGER_STORE_FAILED
   */
  commit(candidate: Candidate, block: Block, decision: Decision): Promise<BlockReference>;
  /** Forgets a candidate and those built on it. */
  discard(digest: Digest): void;
  /** Deletes pages of the state tree that no block from `height` on needs. */
  pruneStale(height: Height): Promise<number>;
  /** Waits for a commit under way. The store stays open. */
  close(): Promise<void>;
}
