import { defineErrors } from "@credlink/primitives";

/** Envelope rules, one code each; the same at the door and in a proposal. */
export const transactionErrors = defineErrors({
  LEDGER_TRANSACTION_MALFORMED: {
    meaning: "The bytes are not the canonical encoding of a signed transaction.",
    remedy: "Build the transaction with a credlink client of the same protocol version.",
  },
  LEDGER_TRANSACTION_TOO_LARGE: {
    meaning: "The signed transaction has more than 256 KiB.",
    remedy: "Send less in one call; keep documents off the chain and commit to their digests.",
  },
  LEDGER_TRANSACTION_VERSION_UNKNOWN: {
    meaning: "The transaction's format version is not one that this chain knows.",
    remedy: "Use a client that speaks the chain's protocol version.",
  },
  LEDGER_TRANSACTION_WRONG_CHAIN: {
    meaning: "The transaction names another chain id.",
    remedy: "Sign for the chain id that the node reports.",
  },
  LEDGER_TRANSACTION_EXPIRED: {
    meaning: "The next height is above the transaction's expiry height.",
    remedy: "Sign it again with a later expiry height, after checking that it is not committed.",
  },
  LEDGER_TRANSACTION_EXPIRY_TOO_FAR: {
    meaning: "The expiry height is more than 1,000 above the height that the transaction is for.",
    remedy: "Choose an expiry at most 1,000 heights ahead of the current head.",
  },
  LEDGER_TRANSACTION_GAS_LIMIT: {
    meaning: "The gas limit is 0 or above the limit of one transaction.",
    remedy: "Choose a limit between 1 and the chain's transactionGasLimit.",
  },
  LEDGER_TRANSACTION_REPLAYED: {
    meaning: "The sender used the same nonce in this block or in the last 1,000.",
    remedy: "Ask for the earlier transaction's receipt; use fresh random nonces.",
  },
  LEDGER_TRANSACTION_SIGNATURE_ORDER: {
    meaning: "The signers are not: the sender first, then others by ascending address, none twice.",
    remedy: "Order the signatures; one per signer, for an account by signer; 16 at most.",
  },
  LEDGER_TRANSACTION_SENDER_UNKNOWN: {
    meaning: "The sender's address is not in the member registry.",
    remedy: "Enrol the sender first; enrolment counts from the block after it.",
  },
  LEDGER_TRANSACTION_SIGNER_UNKNOWN: {
    meaning: "A co-signer's address is not in the member registry.",
    remedy: "Enrol the co-signer first, or leave the signature out.",
  },
  LEDGER_TRANSACTION_SIGNER_UNVERIFIED: {
    meaning: "A signer has applied for membership and is not active yet.",
    remedy: "Have its identity verified and its membership activated.",
  },
  LEDGER_TRANSACTION_SIGNER_SUSPENDED: {
    meaning: "A signer's membership is suspended.",
    remedy: "Ask an administrator of its organisation to lift the suspension.",
  },
  LEDGER_TRANSACTION_SIGNER_LEFT: {
    meaning: "A signer has left the consortium.",
    remedy: "Sign with a member that is active.",
  },
  LEDGER_TRANSACTION_SIGNER_REVOKED: {
    meaning: "A signer's certificate is revoked in the registry.",
    remedy: "Enrol with a new certificate and key.",
  },
  LEDGER_TRANSACTION_SIGNER_OUTSIDE_VALIDITY: {
    meaning: "The block's time is outside a signer's validity.",
    remedy: "Renew the signer's certificate, or check the node's clock.",
  },
  LEDGER_TRANSACTION_SIGNER_WITHOUT_KEY: {
    meaning: "A signer has no key that counts at this height yet.",
    remedy: "Wait for the height from which its key counts.",
  },
  LEDGER_TRANSACTION_SIGNER_FOREIGN: {
    meaning: "Somebody signed for an address that is neither its own nor an account that it is in.",
    remedy: "Read the account's present signers, and combine signatures of those alone.",
  },
  LEDGER_TRANSACTION_SIGNATURES_MISSING: {
    meaning: "Fewer members signed for an account than its threshold says.",
    remedy: "Collect signatures of more of its members, and combine them again.",
  },
  LEDGER_TRANSACTION_CONTRACT_NOT_ALLOWED: {
    meaning: "A node's key may call built-in contracts only.",
    remedy: "Send business transactions from a user's key.",
  },
  LEDGER_TRANSACTION_SIGNATURE_INVALID: {
    meaning: "A signature does not verify under the signer's registered key.",
    remedy: "Sign the transaction's signing message with the registered key; check the genesis.",
  },
});
