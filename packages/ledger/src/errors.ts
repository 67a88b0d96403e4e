import { AppError, type Digest, defineErrors } from "@credlink/primitives";
import { blockErrors } from "./errors-block.ts";
import { storeErrors } from "./errors-store.ts";
import { transactionErrors } from "./errors-transaction.ts";

/** Every code of this package. */
export const ledgerErrors = defineErrors({
  ...transactionErrors,
  ...blockErrors,
  ...storeErrors,
});

export type LedgerErrorCode = keyof typeof ledgerErrors;
/** Why a transaction's envelope was refused. */
export type TransactionRefusalCode = keyof typeof transactionErrors;
/** Why a block was refused: a rule of its own, or the envelope of one of its transactions. */
export type BlockRefusalCode = keyof typeof blockErrors | TransactionRefusalCode;

/** An operation of the ledger that failed for a reason the caller can act on. */
export class LedgerError extends AppError<{
  readonly code: LedgerErrorCode;
  /** The block it is about, where there is one. */
  readonly digest?: Digest;
}> {}
