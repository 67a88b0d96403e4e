import type { MethodResult } from "@credlink/api";
import {
  type Block,
  blockCodec,
  type Envelope,
  envelopeCodec,
  evidenceRoot,
  type Header,
  headerCodec,
  historyRoot,
  merkleProofCodec,
  merkleRoot,
  type Receipt,
  receiptCodec,
  stateProofCodec,
  type Transaction,
  transactionCodec,
  transactionId,
  verifyMerkleProof,
  verifyStateProof,
} from "@credlink/ledger";
import { type Digest, encode, equalBytes, fromHex } from "@credlink/primitives";
import type { ChainVerifier } from "./chain-verifier.ts";
import { clientError } from "./errors.ts";
import { decodeClaim, type VerifiedHeader } from "./header-claims.ts";

/** A transaction of a certified block, with its receipt: both proven by Merkle proofs. */
export interface CommittedTransaction {
  readonly status: "committed";
  readonly id: Digest;
  readonly transaction: Transaction;
  readonly signed: Envelope;
  readonly receipt: Receipt;
  /** Place in the block. */
  readonly index: number;
  readonly header: VerifiedHeader;
}

/** Where a transaction stands; only `committed` is proven, the rest is the gateway's word. */
export type VerifiedOutcome =
  | CommittedTransaction
  | { readonly status: "pending" | "expired" | "unknown"; readonly id: Digest };

/** Checks an outcome that a gateway reported. @throws ClientError when it was altered. */
export async function verifyOutcome(
  verifier: ChainVerifier,
  id: Digest,
  outcome: MethodResult<"transaction.get">,
): Promise<VerifiedOutcome> {
  if (outcome.status !== "committed") return { status: outcome.status, id };
  const bytes = fromHex(outcome.transaction);
  if (!equalBytes(transactionId(bytes), id)) {
    throw clientError("CLIENT_RECORD_ALTERED", "the transaction is not the one asked for");
  }
  const signed = decodeClaim(envelopeCodec, bytes, "signed transaction");
  const transaction = decodeClaim(transactionCodec, signed.transaction, "transaction");
  const receiptBytes = fromHex(outcome.receipt);
  const receipt = decodeClaim(receiptCodec, receiptBytes, "receipt");
  if (!equalBytes(receipt.transactionId, id) || outcome.height !== outcome.header.height) {
    throw clientError("CLIENT_RECORD_ALTERED", "the receipt is another transaction's");
  }
  const header = await verifier.verifyHeader(outcome.header);
  const place = { index: outcome.index, header: header.header };
  checkInclusion(place, "transactionRoot", id, fromHex(outcome.transactionProof));
  checkInclusion(place, "receiptRoot", receiptBytes, fromHex(outcome.receiptProof));
  return { status: "committed", id, transaction, signed, receipt, index: outcome.index, header };
}

function checkInclusion(
  place: { readonly index: number; readonly header: Header },
  root: "transactionRoot" | "receiptRoot",
  leaf: Uint8Array,
  proofBytes: Uint8Array,
): void {
  const proof = decodeClaim(merkleProofCodec, proofBytes, "Merkle proof");
  const holds = verifyMerkleProof({
    root: place.header[root],
    leaf,
    index: place.index,
    count: place.header.transactionCount,
    proof,
  });
  if (!holds) throw clientError("CLIENT_PROOF_INVALID", `the proof misses the ${root}`);
}

/** One value of the state, or its proven absence, under a certified header. */
export interface VerifiedState {
  /** Null: the key is absent at this height. */
  readonly value: Uint8Array | null;
  readonly header: VerifiedHeader;
}

/** Checks a value that a gateway read for us. @throws ClientError when it was altered. */
export async function verifyState(
  verifier: ChainVerifier,
  place: { readonly contract: string; readonly key: Uint8Array },
  answer: MethodResult<"state.get">,
): Promise<VerifiedState> {
  const value = answer.value === null ? null : fromHex(answer.value);
  const header = await verifier.verifyHeader(answer.header);
  const proof = decodeClaim(stateProofCodec, fromHex(answer.proof), "state proof");
  const verdict = verifyStateProof({ root: header.header.stateRoot, ...place, value, proof });
  if (!verdict.ok) throw clientError("CLIENT_PROOF_INVALID", `state of ${place.contract}`);
  return { value, header };
}

/** Values of one state, in the order asked for, all under one certified header. */
export interface VerifiedStates {
  readonly values: readonly {
    /** Null: the key is absent at this height. */
    readonly value: Uint8Array | null;
    /** Canonical proof under the header's state root. */
    readonly proof: Uint8Array;
  }[];
  readonly header: VerifiedHeader;
}

/** Checks values that a gateway read for us. @throws ClientError when one was altered. */
export async function verifyStates(
  verifier: ChainVerifier,
  places: readonly { readonly contract: string; readonly key: Uint8Array }[],
  answer: MethodResult<"state.getMany">,
): Promise<VerifiedStates> {
  if (answer.entries.length !== places.length) {
    throw clientError("CLIENT_RESPONSE_MALFORMED", "one value is due per key");
  }
  const header = await verifier.verifyHeader(answer.header);
  const values = answer.entries.map((entry, at) => {
    const place = places[at];
    const value = entry.value === null ? null : fromHex(entry.value);
    const bytes = fromHex(entry.proof);
    const proof = decodeClaim(stateProofCodec, bytes, "state proof");
    const root = header.header.stateRoot;
    if (place !== undefined && verifyStateProof({ root, ...place, value, proof }).ok) {
      return { value, proof: bytes };
    }
    throw clientError("CLIENT_PROOF_INVALID", `state of ${place?.contract}`);
  });
  return { values, header };
}

/** A certified block; transactions and receipts are there when they were asked for. */
export interface VerifiedBlock {
  readonly header: VerifiedHeader;
  readonly block: Block;
  readonly transactions: readonly Uint8Array[];
  readonly receipts: readonly Receipt[];
}

/** Checks a block that a gateway handed out. @throws ClientError when it was altered. */
export async function verifyBlock(
  verifier: ChainVerifier,
  answer: MethodResult<"block.get">,
): Promise<VerifiedBlock> {
  const header = await verifier.verifyHeader(answer);
  const block = decodeClaim(blockCodec, fromHex(answer.block), "block");
  const ids = block.body.transactionIds;
  if (!isSameHeader(block.header, header.header)) throw altered("the block's header");
  if (!equalBytes(merkleRoot(ids), header.header.transactionRoot)) throw altered("the body");
  const { history, evidence } = block.body;
  if (!equalBytes(historyRoot(history), header.header.historyRoot)) throw altered("the history");
  if (!equalBytes(evidenceRoot(evidence), header.header.evidenceRoot)) throw altered("evidence");
  const transactions = (answer.transactions ?? []).map(fromHex);
  const receiptBytes = (answer.receipts ?? []).map(fromHex);
  if (answer.transactions !== undefined) {
    const isComplete = transactions.length === ids.length;
    const fits = transactions.every((bytes, i) => isSame(transactionId(bytes), ids[i]));
    if (!isComplete || !fits) throw altered("a transaction");
  }
  if (answer.receipts !== undefined) {
    const root = merkleRoot(receiptBytes);
    if (!equalBytes(root, header.header.receiptRoot)) throw altered("a receipt");
  }
  const receipts = receiptBytes.map((bytes) => decodeClaim(receiptCodec, bytes, "receipt"));
  return { header, block, transactions, receipts };
}

function isSame(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && equalBytes(a, b);
}

function isSameHeader(a: Header, b: Header): boolean {
  return equalBytes(encode(headerCodec, a), encode(headerCodec, b));
}

function altered(what: string) {
  return clientError("CLIENT_RECORD_ALTERED", `${what} is not what the certified header names`);
}
