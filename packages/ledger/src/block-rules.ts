import type { ValidatorSet } from "@credlink/consensus-pbft";
import {
  encode,
  equalBytes,
  type Refusal,
  type Result,
  refuse,
  toHex,
  tryDecode,
} from "@credlink/primitives";
import { type Block, blockCodec, HEADER_VERSION, MAX_BLOCK_BYTES } from "./block.ts";
import type { DecodedTransaction } from "./decoded-transaction.ts";
import { historyRoot } from "./digests.ts";
import type { BlockRefusalCode } from "./errors.ts";
import type { Parameters } from "./genesis.ts";
import type { BlockReference, Candidate } from "./ledger.ts";
import { evidenceRoot, transactionRoot } from "./merkle.ts";
import { type HistoryRecord, historyRecordCodec } from "./rows.ts";

type Refused = Refusal<BlockRefusalCode> | null;

/** A block from outside. Views on `bytes` remain inside it. */
export function decodeBlock(bytes: Uint8Array): Result<Block, "LEDGER_BLOCK_MALFORMED"> {
  const block = tryDecode(blockCodec, bytes, { maxBytes: MAX_BLOCK_BYTES });
  return block.ok ? block : refuse("LEDGER_BLOCK_MALFORMED", block.detail);
}

/** Up to this height a block's history is empty: there is no decided height − 2 above genesis. */
export const LAST_HEIGHT_WITHOUT_HISTORY = 2;

/** What a block is judged against before anything is executed. */
export interface BlockContext {
  readonly chainId: string;
  readonly parent: BlockReference;
  /** V(height). */
  readonly validators: ValidatorSet;
  /** V(height + 1). */
  readonly nextValidators: ValidatorSet;
  readonly parameters: Parameters;
  /** The block at height − 2 of this branch; null up to height 2. */
  readonly grandparent: BlockReference | null;
}

/** Rules over the header alone, and its ties to its parent. */
export function refuseHeader(block: Block, context: BlockContext): Refused {
  const { header } = block;
  const { parent } = context;
  if (header.version !== HEADER_VERSION) return refuse("LEDGER_BLOCK_VERSION_UNKNOWN");
  if (header.chainId !== context.chainId) return refuse("LEDGER_BLOCK_WRONG_CHAIN");
  if (header.height !== parent.header.height + 1) return refuse("LEDGER_BLOCK_HEIGHT");
  if (header.timestampMs <= parent.header.timestampMs) return refuse("LEDGER_BLOCK_TIMESTAMP");
  if (header.proposer >= context.validators.validators.length) {
    return refuse("LEDGER_BLOCK_PROPOSER");
  }
  if (!equalBytes(header.validatorsHash, context.validators.hash)) {
    return refuse("LEDGER_BLOCK_VALIDATORS_HASH");
  }
  if (!equalBytes(header.nextValidatorsHash, context.nextValidators.hash)) {
    return refuse("LEDGER_BLOCK_NEXT_VALIDATORS_HASH");
  }
  return null;
}

/** Rules over the body: limits, roots, and that the transactions at hand are the body's. */
export function refuseBody(
  block: Block,
  transactions: readonly DecodedTransaction[],
  { parameters }: BlockContext,
): Refused {
  const { header, body } = block;
  const ids = body.transactionIds;
  if (ids.length > parameters.maxBlockTransactions) {
    return refuse("LEDGER_BLOCK_TOO_MANY_TRANSACTIONS", `${ids.length}`);
  }
  if (header.transactionCount !== ids.length) return refuse("LEDGER_BLOCK_TRANSACTION_COUNT");
  if (!equalBytes(header.transactionRoot, transactionRoot(ids))) {
    return refuse("LEDGER_BLOCK_TRANSACTION_ROOT");
  }
  if (new Set(ids.map(toHex)).size !== ids.length) {
    return refuse("LEDGER_BLOCK_TRANSACTION_DUPLICATE");
  }
  const isSame = transactions.every(({ id }, i) => equalBytes(id, ids[i] ?? new Uint8Array(0)));
  if (transactions.length !== ids.length || !isSame) {
    return refuse("LEDGER_BLOCK_TRANSACTIONS_MISMATCH");
  }
  let sizeBytes = encode(blockCodec, block).length;
  let gasLimit = 0;
  for (const transaction of transactions) {
    sizeBytes += transaction.bytes.length;
    gasLimit += transaction.gasLimit;
  }
  if (sizeBytes > parameters.maxBlockBytes) {
    return refuse("LEDGER_BLOCK_TOO_LARGE", `${sizeBytes} bytes`);
  }
  // Each limit is at most 2^53 − 1, so a sum that lost precision is far above any block's limit.
  if (gasLimit > parameters.blockGasLimit) return refuse("LEDGER_BLOCK_GAS_LIMIT", `${gasLimit}`);
  if (!equalBytes(header.historyRoot, historyRoot(body.history))) {
    return refuse("LEDGER_BLOCK_HISTORY_ROOT");
  }
  if (!equalBytes(header.evidenceRoot, evidenceRoot(body.evidence))) {
    return refuse("LEDGER_BLOCK_EVIDENCE_ROOT");
  }
  return null;
}

/**
 * The record that a body's history is, or why it is none: it must be about the ancestor at
 * height − 2. Its signatures are verified elsewhere.
 */
export function readHistory(block: Block, context: BlockContext): HistoryRecord | Refused {
  const { history } = block.body;
  if (block.header.height <= LAST_HEIGHT_WITHOUT_HISTORY) {
    return history.length === 0 ? null : refuse("LEDGER_BLOCK_HISTORY", "must be empty");
  }
  const record = tryDecode(historyRecordCodec, history);
  if (!record.ok) return refuse("LEDGER_BLOCK_HISTORY", record.detail);
  const { certificate, justification } = record.value;
  const { grandparent } = context;
  const fits =
    grandparent !== null &&
    certificate.height === grandparent.header.height &&
    equalBytes(certificate.digest, grandparent.digest) &&
    (certificate.view > 0 || justification === null);
  return fits ? record.value : refuse("LEDGER_BLOCK_HISTORY", "of another block");
}

/** Whether the header says what execution led to. */
export function refuseOutcome({ header }: Block, candidate: Candidate): Refused {
  if (header.gasUsed !== candidate.gasUsed) return refuse("LEDGER_BLOCK_GAS_USED");
  if (!equalBytes(header.receiptRoot, candidate.receiptRoot)) {
    return refuse("LEDGER_BLOCK_RECEIPT_ROOT");
  }
  if (!equalBytes(header.stateRoot, candidate.stateRoot)) return refuse("LEDGER_BLOCK_STATE_ROOT");
  return null;
}

/** Header digests bind bodies by their roots; equal ids and equal rest make an equal block. */
export function isSameBody(a: Block, b: Block): boolean {
  if (a.body === b.body) return true;
  const isSame = (one: readonly Uint8Array[], other: readonly Uint8Array[]) =>
    one.length === other.length &&
    one.every((bytes, i) => equalBytes(bytes, other[i] ?? new Uint8Array(0)));
  return (
    isSame(a.body.transactionIds, b.body.transactionIds) &&
    equalBytes(a.body.history, b.body.history) &&
    isSame(a.body.evidence, b.body.evidence)
  );
}
