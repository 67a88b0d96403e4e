/**
 * Blocks, transactions, receipts, the authenticated state and its proofs, and the chain itself.
 *
 * ```ts
 * import { createLedger, createMemoryStore } from "@credlink/ledger";
 *
 * const ledger = await createLedger({ store: createMemoryStore(), executor, genesis });
 * const parent = ledger.head;
 * const height = nextHeight; // parent.header.height + 1
 * const history = ledger.historyFor(parent.digest, height) ?? new Uint8Array(0);
 * const candidate = await ledger.execute({
 *   parentDigest: parent.digest, height, timestampMs, proposer, history, transactions: [],
 * });
 * const { sealed } = ledger.buildBlock(candidate);
 * await ledger.commit(candidate, sealed.block, { certificate });
 * ```
 */
export * from "./account.ts";
export * from "./authority-change.ts";
export * from "./block.ts";
export { decodeBlock } from "./block-rules.ts";
export * from "./built-in-calls.ts";
export { createLedger, type LedgerComponents } from "./chain.ts";
export { type BlockChecks, checkStoredBlock } from "./check-block.ts";
export { checkStateRow } from "./check-state.ts";
export {
  type ConsensusHistory,
  consensusHistoryCodec,
  createHistory,
  historyLink,
  type LinkedHistory,
  MAX_HISTORY_BYTES,
  MAX_HISTORY_STATEMENTS,
  type SeenStatements,
  statementBytes,
} from "./consensus-history.ts";
export * from "./decoded-transaction.ts";
export * from "./digests.ts";
export * from "./envelope.ts";
export {
  type BlockRefusalCode,
  LedgerError,
  type LedgerErrorCode,
  ledgerErrors,
  type TransactionRefusalCode,
} from "./errors.ts";
export * from "./evidence.ts";
export * from "./executor.ts";
export * from "./external-authorities.ts";
export type { Finding } from "./finding.ts";
export * from "./genesis.ts";
export * from "./governance.ts";
export { DEFAULT_HISTORY_HEIGHTS, readStoredStatements } from "./history-log.ts";
export * from "./individuals.ts";
export * from "./ledger.ts";
export * from "./member.ts";
export * from "./member-calls.ts";
export * from "./member-identity.ts";
export { memberOfKey } from "./member-lookup.ts";
export * from "./memory-store.ts";
export * from "./merkle.ts";
export { ledgerMetrics } from "./metrics.ts";
export * from "./oracle-calls.ts";
export * from "./receipt.ts";
export * from "./recovery.ts";
export * from "./replay-guard.ts";
export { type BlockRow, type HistoryRecord, historyRecordCodec, readStoredBlock } from "./rows.ts";
export {
  EMPTY_STATE_ROOT,
  type StateClaim,
  type StateProof,
  stateProofCodec,
  verifyStateProof,
} from "./state-proof.ts";
export * from "./store.ts";
export * from "./transaction.ts";
export { type ChainChecks, verifyChain } from "./verify-chain.ts";
