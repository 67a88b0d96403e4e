import type { Proposal } from "@credlink/consensus-pbft";
import {
  type Block,
  blockCodec,
  type ConsensusLedger,
  evidenceRoot,
  headerDigest,
  historyRoot,
  type SealedCandidate,
  transactionRoot,
} from "@credlink/ledger";
import {
  accept,
  type Digest,
  encode,
  equalBytes,
  type Result,
  refuse,
  tryDecode,
} from "@credlink/primitives";

/** Decoded once per proposal object: several rules read the block of one proposal. */
const opened = new WeakMap<Proposal, Result<Block, "NODE_BLOCK_MALFORMED">>();

/**
 * The block inside a proposal, if all the facts that the core reads are the block's own and the
 * body is the one that the header names. This is judged before the core sees the proposal: only
 * the header's digest is signed, and no digest must be held invalid because somebody sent it with
 * false facts or another body. `sizeBytes` is not known before the
 * transactions are; the ledger judges the true size.
 */
export function openProposal(proposal: Proposal): Result<Block, "NODE_BLOCK_MALFORMED"> {
  const known = opened.get(proposal);
  if (known !== undefined) return known;
  const result = judgeFacts(proposal);
  opened.set(proposal, result);
  return result;
}

function judgeFacts(proposal: Proposal): Result<Block, "NODE_BLOCK_MALFORMED"> {
  const decoded = tryDecode(blockCodec, proposal.payload);
  if (!decoded.ok) return refuse("NODE_BLOCK_MALFORMED", decoded.detail);
  const { header, body } = decoded.value;
  const isTrue =
    header.height === proposal.height &&
    header.proposer === proposal.proposer &&
    header.timestampMs === proposal.timestampMs &&
    header.transactionCount === proposal.transactionCount &&
    body.transactionIds.length === proposal.transactionCount &&
    equalBytes(header.parentHash, proposal.parentDigest) &&
    equalBytes(header.validatorsHash, proposal.validatorsHash) &&
    equalBytes(header.nextValidatorsHash, proposal.nextValidatorsHash) &&
    equalBytes(headerDigest(header), proposal.digest) &&
    equalBytes(header.transactionRoot, transactionRoot(body.transactionIds)) &&
    equalBytes(header.historyRoot, historyRoot(body.history)) &&
    equalBytes(header.evidenceRoot, evidenceRoot(body.evidence));
  return isTrue
    ? accept(decoded.value)
    : refuse("NODE_BLOCK_MALFORMED", "facts are not the block's");
}

/** The facts of a block that the core works with. */
export function createProposal(candidate: SealedCandidate): Proposal {
  return createProposalOf(
    candidate.sealed.block,
    candidate.sealed.digest,
    candidate.transactions.reduce((sum, { bytes }) => sum + bytes.length, 0),
  );
}

/** As `createProposal`, for a block whose transactions take `transactionBytes` together. */
export function createProposalOf(
  block: Block,
  digest: Proposal["digest"],
  transactionBytes: number,
): Proposal {
  const { header } = block;
  const payload = encode(blockCodec, block);
  const proposal: Proposal = {
    digest,
    parentDigest: header.parentHash,
    height: header.height,
    proposer: header.proposer,
    timestampMs: header.timestampMs,
    validatorsHash: header.validatorsHash,
    nextValidatorsHash: header.nextValidatorsHash,
    transactionCount: header.transactionCount,
    sizeBytes: payload.length + transactionBytes,
    payload,
  };
  opened.set(proposal, accept(block));
  return proposal;
}

/** Proposals whose transactions take less than this carry them along, bytes. */
const MAX_ATTACHED_BYTES = 64 * 1024;

/** The transactions that travel with a proposal of ours: all of them, or none. */
export function attachmentsOf(
  ledger: Pick<ConsensusLedger, "candidate">,
  digest: Digest,
): readonly Uint8Array[] {
  const transactions = ledger.candidate(digest)?.transactions ?? [];
  const bytes = transactions.reduce((sum, one) => sum + one.bytes.length, 0);
  return bytes > MAX_ATTACHED_BYTES ? [] : transactions.map((one) => one.bytes);
}
