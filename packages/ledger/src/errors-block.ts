import { defineErrors } from "@credlink/primitives";

const DEVIATES = "Reject its proposer's block; if all nodes see it, compare versions and states.";

/** What makes a block invalid, one code each. */
export const blockErrors = defineErrors({
  LEDGER_BLOCK_MALFORMED: {
    meaning: "The bytes are not the canonical encoding of a block.",
    remedy: "Update the proposer's node; it speaks another protocol version.",
  },
  LEDGER_BLOCK_VERSION_UNKNOWN: {
    meaning: "The header's version is not one that this node knows.",
    remedy: "Update this node, or the proposer's.",
  },
  LEDGER_BLOCK_WRONG_CHAIN: {
    meaning: "The header names another chain id.",
    remedy: "Connect the node to its own network; check its genesis.",
  },
  LEDGER_BLOCK_PARENT_UNKNOWN: {
    meaning: "The block's parent is neither the head nor a candidate that was checked.",
    remedy: "Fetch and check the parent first; a node that is behind syncs.",
  },
  LEDGER_BLOCK_HEIGHT: {
    meaning: "The header's height is not its parent's plus one.",
    remedy: DEVIATES,
  },
  LEDGER_BLOCK_TIMESTAMP: {
    meaning: "The block's time is not later than its parent's.",
    remedy: DEVIATES,
  },
  LEDGER_BLOCK_PROPOSER: {
    meaning: "The proposer is no index in this height's validators.",
    remedy: DEVIATES,
  },
  LEDGER_BLOCK_TOO_LARGE: {
    meaning: "Header, body and transactions together exceed maxBlockBytes.",
    remedy: DEVIATES,
  },
  LEDGER_BLOCK_TOO_MANY_TRANSACTIONS: {
    meaning: "The block has more transactions than maxBlockTransactions.",
    remedy: DEVIATES,
  },
  LEDGER_BLOCK_TRANSACTION_COUNT: {
    meaning: "The header's transactionCount is not the number of the body's transactions.",
    remedy: DEVIATES,
  },
  LEDGER_BLOCK_TRANSACTION_ROOT: {
    meaning: "The header's transactionRoot is not the root over the body's transaction ids.",
    remedy: DEVIATES,
  },
  LEDGER_BLOCK_TRANSACTION_DUPLICATE: {
    meaning: "The body names a transaction twice.",
    remedy: DEVIATES,
  },
  LEDGER_BLOCK_TRANSACTIONS_MISMATCH: {
    meaning: "The transactions at hand are not those that the body names, in its order.",
    remedy: "Fetch the transactions by the ids in the body.",
  },
  LEDGER_BLOCK_GAS_LIMIT: {
    meaning: "The gas limits of the block's transactions add up to more than blockGasLimit.",
    remedy: DEVIATES,
  },
  LEDGER_BLOCK_GAS_USED: {
    meaning: "The header's gasUsed is not what execution used.",
    remedy: DEVIATES,
  },
  LEDGER_BLOCK_STATE_ROOT: {
    meaning: "The header's stateRoot is not the root that execution led to.",
    remedy: DEVIATES,
  },
  LEDGER_BLOCK_RECEIPT_ROOT: {
    meaning: "The header's receiptRoot is not the root over the receipts of execution.",
    remedy: DEVIATES,
  },
  LEDGER_BLOCK_VALIDATORS_HASH: {
    meaning: "The header's validatorsHash is not the digest of this height's validators.",
    remedy: DEVIATES,
  },
  LEDGER_BLOCK_NEXT_VALIDATORS_HASH: {
    meaning: "The header's nextValidatorsHash is not the digest of the next height's validators.",
    remedy: DEVIATES,
  },
  LEDGER_BLOCK_HISTORY: {
    meaning: "The body's history is not a valid record of how height − 2 was decided.",
    remedy: DEVIATES,
  },
  LEDGER_BLOCK_HISTORY_ROOT: {
    meaning: "The header's historyRoot is not the digest of the body's history.",
    remedy: DEVIATES,
  },
  LEDGER_BLOCK_EVIDENCE: {
    meaning:
      "The body's evidence does not prove that a validator contradicted itself, is too old, out of " +
      "order, or recorded already.",
    remedy: DEVIATES,
  },
  LEDGER_BLOCK_EVIDENCE_ROOT: {
    meaning: "The header's evidenceRoot is not the root over the body's evidence.",
    remedy: DEVIATES,
  },
});
