import { defineErrors } from "@credlink/primitives";

/** What opening, writing, reading and verifying the stored chain may meet. */
export const storeErrors = defineErrors({
  LEDGER_GENESIS_MISMATCH: {
    meaning: "The stored chain was made from another genesis.",
    remedy: "Start the node with the genesis file of its chain, or with an empty data folder.",
  },
  LEDGER_GENESIS_INVALID: {
    meaning: "The genesis breaks a rule of its format or of the ledger.",
    remedy: "Make the genesis again with `credlink network create`.",
  },
  LEDGER_SCHEMA_UNSUPPORTED: {
    meaning: "The store was written in a layout that this version does not read.",
    remedy: "Use the version that wrote it, or sync into an empty data folder.",
  },
  LEDGER_STORE_CORRUPT: {
    meaning: "A stored row is missing, damaged, or contradicts another.",
    remedy:
      "Stop the node and run `credlink node repair`; `credlink chain verify` names every fault.",
  },
  LEDGER_STORE_FAILED: {
    meaning: "A write to the store failed; what it holds is unknown until it is opened again.",
    remedy: "Check the disk and restart the node.",
  },
  LEDGER_PARENT_UNKNOWN: {
    meaning: "The block to execute on is neither the head nor a candidate.",
    remedy: "Check the parent first; a node that is behind syncs.",
  },
  LEDGER_PARENT_NOT_HEAD: {
    meaning: "A block can be committed on the head only.",
    remedy: "Commit the blocks below it first.",
  },
  LEDGER_CANDIDATE_MISMATCH: {
    meaning: "The block to commit is not the one that was built or checked as this candidate.",
    remedy: "Check the block again before committing it.",
  },
  LEDGER_CERTIFICATE_MISMATCH: {
    meaning: "The commit certificate names another height or digest than the block.",
    remedy: "Commit the block with its own certificate.",
  },
  LEDGER_VERIFY_ROW_MISSING: {
    meaning: "A row that the chain calls for is not in the store.",
    remedy: "Stop the node and run `credlink node repair`.",
  },
  LEDGER_VERIFY_ROW_UNKNOWN: {
    meaning: "The store holds a row that the chain does not call for.",
    remedy: "Stop the node and run `credlink node repair`.",
  },
  LEDGER_VERIFY_ROW_ALTERED: {
    meaning: "A stored row differs from what the chain leads to.",
    remedy: "Stop the node and run `credlink node repair`.",
  },
  LEDGER_VERIFY_BLOCK_INVALID: {
    meaning: "A stored block breaks a rule of the chain.",
    remedy: "Stop the node and run `credlink node repair`.",
  },
  LEDGER_VERIFY_CERTIFICATE_INVALID: {
    meaning: "A stored block's commit certificate does not verify under its validators.",
    remedy: "Stop the node and run `credlink node repair`.",
  },
  LEDGER_PROOF_MALFORMED: {
    meaning: "The bytes are not the canonical encoding of a proof, or its shape is impossible.",
    remedy: "Ask the node for the proof again.",
  },
  LEDGER_PROOF_INVALID: {
    meaning: "The proof does not lead to the expected root.",
    remedy: "Do not trust the answer; ask another node.",
  },
});
