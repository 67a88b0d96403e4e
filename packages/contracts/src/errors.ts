import { AppError, defineErrors } from "@credlink/primitives";

/** What this package's own code refuses. */
export const contractsErrors = defineErrors({
  CONTRACTS_ARTIFACT_CORRUPT: {
    meaning: "A compiled contract beside this package does not have the digest on record.",
    remedy: "Install the package again, or run `pnpm contracts:build` in a checkout.",
  },
  CONTRACTS_INDEX_KEY_INVALID: {
    meaning: "The index key does not have 32 bytes.",
    remedy: "Ask the consortium's index authority for the index value instead of making it.",
  },
  CONTRACTS_SALT_MISSING: {
    meaning: "A field of the payload has no salt of 32 random bytes.",
    remedy: "Make the salts with `createSalts` and keep them beside the payload.",
  },
  CONTRACTS_FIELD_ABSENT: {
    meaning: "The payload has no such field, so it cannot be disclosed.",
    remedy: "Name a path of the payload's schema that the payload fills.",
  },
  CONTRACTS_COMMITMENT_MISMATCH: {
    meaning: "The payload or field is not the one that the chain's commitment was made of.",
    remedy: "Ask the issuer for the original payload and salts; do not rely on this copy.",
  },
  CONTRACTS_AMOUNT_RANGE: {
    meaning: "An amount is negative or above 2^53 - 1 fen.",
    remedy: "Do not accept the credential; ask the issuer for one with amounts in range.",
  },
  CONTRACTS_AMOUNT_MISMATCH: {
    meaning: "An amount's opening does not fit its commitment, or not the payload's field.",
    remedy: "Ask the issuer for the original payload and openings; do not rely on this copy.",
  },
  CONTRACTS_AMOUNT_PARENT: {
    meaning: "The amounts of a parent are not open, so that the blinding factors cannot be summed.",
    remedy: "Give the credential files of the parents whose amounts are summed.",
  },
  CONTRACTS_FILE_MALFORMED: {
    meaning: "The credential file is not JSON of the form that docs/protocol/credentials.md gives.",
    remedy: "Write credential files with `encodeCredentialFile`.",
  },
  CONTRACTS_PAYLOAD_FIELD_MISSING: {
    meaning: "A field that the type's schema requires is absent.",
    remedy: "Fill the named field; the schemas stand in docs/protocol/credentials.md.",
  },
  CONTRACTS_PAYLOAD_FIELD_UNKNOWN: {
    meaning: "The payload has a field that the type's schema does not know.",
    remedy: "Remove the field, or use the schema version that has it.",
  },
  CONTRACTS_PAYLOAD_FIELD_INVALID: {
    meaning: "A field is of another kind than its schema says, or its check digit is wrong.",
    remedy: "Correct the named field at its source.",
  },
  CONTRACTS_PAYLOAD_INCONSISTENT: {
    meaning: "Fields contradict each other, such as a total that is not the sum of its parts.",
    remedy: "Correct the amounts or times at their source.",
  },
});

export type ContractsErrorDetails =
  | { readonly code: "CONTRACTS_ARTIFACT_CORRUPT" }
  | { readonly code: "CONTRACTS_INDEX_KEY_INVALID" }
  | { readonly code: "CONTRACTS_FILE_MALFORMED" }
  | { readonly code: "CONTRACTS_AMOUNT_RANGE" }
  | { readonly code: "CONTRACTS_AMOUNT_PARENT" }
  | { readonly code: "CONTRACTS_SALT_MISSING"; readonly path: string }
  | { readonly code: "CONTRACTS_FIELD_ABSENT"; readonly path: string };

/** An operation of this package that failed. */
export class ContractsError extends AppError<ContractsErrorDetails> {}
