import { defineErrors } from "@credlink/primitives";

/** Status codes with which the credential contract refuses; a test holds them to its source. */
export const credentialErrors = defineErrors({
  CONTRACT_HOST_MALFORMED: {
    meaning: "The host named a caller or signer in a form that the contract SDK does not know.",
    remedy: "Run node and contract of compatible versions; report this if they are.",
  },
  CREDENTIAL_MALFORMED: {
    meaning: "The arguments are not the canonical encoding of the method's arguments.",
    remedy: "Encode them with the codecs of @credlink/contracts.",
  },
  CREDENTIAL_STATE_MALFORMED: {
    meaning: "A stored record or member does not decode: node and contract do not fit together.",
    remedy: "Report this; the contract's version and the chain's state contradict each other.",
  },
  CREDENTIAL_FORMAT_VERSION: {
    meaning: "The record is of another format version than this contract knows.",
    remedy: "Submit format 2, or call the contract version that knows the format.",
  },
  CREDENTIAL_TYPE_UNKNOWN: {
    meaning: "The credential type is not one of this contract.",
    remedy: "Use a type of docs/protocol/credentials.md.",
  },
  CREDENTIAL_SCHEMA_VERSION: {
    meaning: "The schema is not a version of the type that exists.",
    remedy: "Name a version that `schema` knows, and commit the payload by it.",
  },
  CREDENTIAL_SCHEMA_WITHDRAWN: {
    meaning: "The schema version was withdrawn.",
    remedy: "Commit the payload by a version that is in force.",
  },
  CREDENTIAL_SCHEMA_EXISTS: {
    meaning: "The schema version is registered already, or built in.",
    remedy: "Register the version after the newest.",
  },
  CREDENTIAL_SCHEMA_INCOMPATIBLE: {
    meaning:
      "The new schema version does not keep the fields of the one before it, or adds none, or one that is required, repeated or malformed, or has more than 16,000 bytes.",
    remedy: "Keep all fields in place, add optional ones behind them, and describe them briefly.",
  },
  CREDENTIAL_PUBLIC_MISMATCH: {
    meaning: "A field to be published is not one of the schema in its order, or was not committed.",
    remedy: "Make the disclosures from the original payload and salts, in the schema's order.",
  },
  CREDENTIAL_PUBLIC_LEVEL: {
    meaning: "A field to be published is not at level 1, or the type publishes nothing.",
    remedy: "Publish level-1 fields of enterprise and institution identities only.",
  },
  CREDENTIAL_PUBLIC_TOO_LARGE: {
    meaning: "What one credential publishes is more than 4 KiB.",
    remedy: "Publish fewer fields.",
  },
  CREDENTIAL_FIELD_COUNT: {
    meaning: "The commitment has another number of leaves than the schema has fields.",
    remedy: "Commit every field of the schema, absent ones as null leaves.",
  },
  CREDENTIAL_LEVEL: {
    meaning: "The data level is not that of the type's schema.",
    remedy: "Give the level that docs/protocol/credentials.md lists for the type.",
  },
  CREDENTIAL_AMOUNT_COUNT: {
    meaning: "The type has another number of amounts.",
    remedy: "Commit to the amounts that docs/protocol/credentials.md lists for the type.",
  },
  CREDENTIAL_AMOUNT_INVALID: {
    meaning: "An amount is not a point of the SM2 curve.",
    remedy: "Make amounts with `commitAmount`.",
  },
  CREDENTIAL_SUM_MISMATCH: {
    meaning: "Amounts do not add up: within the record, or with those of its parents.",
    remedy: "Correct the amounts, and make their blinding factors with `createOpenings`.",
  },
  CREDENTIAL_TERMS: {
    meaning: "A case, verdict or grant lacks its terms or they are malformed, or another has some.",
    remedy: "Encode the terms with the codecs of @credlink/contracts; leave them null elsewhere.",
  },
  CREDENTIAL_VALIDITY: {
    meaning: "The validity ends before it begins, or a contract has no end.",
    remedy: "Give an end after the beginning.",
  },
  CREDENTIAL_TIME_IN_FUTURE: {
    meaning: "Something that happened is dated more than five minutes after the block.",
    remedy: "Correct the time, or wait until it has come.",
  },
  CREDENTIAL_TIME_INVERSION: {
    meaning: "The credential is dated before one that it depends on.",
    remedy:
      "Correct the time; work cannot come before its contract, nor payment before settlement.",
  },
  CREDENTIAL_OUTSIDE_CONTRACT_WINDOW: {
    meaning: "The credential is dated after its contract's end, or outlasts its framework.",
    remedy: "Renew the contract first.",
  },
  CREDENTIAL_DUPLICATE_ID: {
    meaning: "A credential or a proposal of this id exists.",
    remedy: "Draw a fresh random id of 32 bytes.",
  },
  CREDENTIAL_CYCLE: {
    meaning: "The credential names itself as a parent.",
    remedy: "Refer to credentials that exist already.",
  },
  CREDENTIAL_UNKNOWN: {
    meaning: "No credential has this id.",
    remedy: "Check the id, and whether the submission was committed.",
  },
  CREDENTIAL_INDEX_COUNT: {
    meaning: "The type demands more, or allows fewer, index values.",
    remedy: "Give as many index values as docs/protocol/credentials.md lists for the type.",
  },
  CREDENTIAL_INDEX_DUPLICATE: {
    meaning: "Another credential of the consortium holds the same identifier.",
    remedy: "Look the holder up with `lookup`; correct or revoke it if it is wrong.",
  },
  CREDENTIAL_PARENT_REPEATED: {
    meaning: "The same parent is named twice.",
    remedy: "Name each parent once.",
  },
  CREDENTIAL_PARENT_MISSING: {
    meaning: "A parent that is named does not exist.",
    remedy: "Submit the parent first and wait until it is committed.",
  },
  CREDENTIAL_PARENT_PROPOSED: {
    meaning: "A parent is a proposal that still waits for signatures, or was not agreed to.",
    remedy: "Wait until every party signed it.",
  },
  CREDENTIAL_PARENT_REQUIRED: {
    meaning: "A reference that the type must have is absent.",
    remedy: "Add the parents that docs/protocol/credentials.md lists for the type.",
  },
  CREDENTIAL_PARENT_RELATION: {
    meaning: "The type cannot refer to a parent by this relation.",
    remedy: "Use the relation that docs/protocol/credentials.md lists for the type.",
  },
  CREDENTIAL_PARENT_TYPE: {
    meaning: "The parent is of a type that this relation does not allow.",
    remedy: "Refer to a parent of the listed type.",
  },
  CREDENTIAL_PARENTS_TOO_MANY: {
    meaning: "The type refers to more parents of a kind than it may.",
    remedy: "Split the credential.",
  },
  CREDENTIAL_PARENT_REVOKED: {
    meaning: "A parent, the contract above it or one of its parties is revoked.",
    remedy: "Have it issued anew.",
  },
  CREDENTIAL_PARENT_EXPIRED: {
    meaning: "A parent's validity, or that of a party above it, has ended.",
    remedy: "Renew it first.",
  },
  CREDENTIAL_PARENT_ON_HOLD: {
    meaning: "A risk action holds a parent, the contract above it or one of its parties.",
    remedy: "Have whoever holds it, or the regulator, release it.",
  },
  CREDENTIAL_PARENT_CORRECTED: {
    meaning: "A parent was corrected or reversed, or is a case that is closed.",
    remedy: "Refer to its successor.",
  },
  CREDENTIAL_FOREIGN_PARTY: {
    meaning: "Issuer or subjects are not the parties of the parents.",
    remedy: "Name the parties of the contract, and submit through its institution.",
  },
  CREDENTIAL_ISSUER_NOT_SENDER: {
    meaning: "The issuer is not who sent the transaction.",
    remedy: "Send it with the issuer's key.",
  },
  CREDENTIAL_ISSUER_UNAUTHORISED: {
    meaning: "The sender's role may not issue this type, or it decides a case that names it.",
    remedy: "Have an institution issue it, or the regulator where the type allows.",
  },
  CREDENTIAL_SUBJECT_COUNT: {
    meaning: "The type has another number of subjects.",
    remedy: "Name the subjects that docs/protocol/credentials.md lists for the type.",
  },
  CREDENTIAL_SUBJECT_UNKNOWN: {
    meaning: "A subject's key is not registered.",
    remedy: "Register the relation key first.",
  },
  CREDENTIAL_SUBJECT_INACTIVE: {
    meaning: "A subject's key is suspended, revoked, or outside its validity.",
    remedy: "Register a fresh relation key and contract.",
  },
  CREDENTIAL_SUBJECT_ROLE: {
    meaning: "A subject's key has another role than its place demands.",
    remedy: "Name the enterprise first, then the individual.",
  },
  CREDENTIAL_SUBJECT_UNATTESTED: {
    meaning: "A relation key was registered by somebody other than the issuer.",
    remedy: "Use keys that the issuing institution registered.",
  },
  CREDENTIAL_COSIGNATURE_MISSING: {
    meaning: "A subject or party whose signature the type demands did not sign.",
    remedy: "Collect the co-signatures that docs/protocol/credentials.md lists for the type.",
  },
  CREDENTIAL_PROPOSAL_TERM: {
    meaning: "The end of a proposal is not after the block, or more than 31 days after it.",
    remedy: "Give an end within 31 days.",
  },
  CREDENTIAL_PROPOSAL_DIGEST: {
    meaning: "The digest that was signed is not that of the proposed record.",
    remedy: "Read the proposal, check its record, and sign `recordDigest` of it.",
  },
  CREDENTIAL_PROPOSAL_CLOSED: {
    meaning: "The proposal was declined or withdrawn.",
    remedy: "Have the issuer propose a new record under a fresh id.",
  },
  CREDENTIAL_PROPOSAL_LAPSED: {
    meaning: "The proposal's time is over.",
    remedy: "Have the issuer propose a new record under a fresh id.",
  },
  CREDENTIAL_SIGNER_NOT_WANTED: {
    meaning: "The record needs no signature of the sender.",
    remedy: "Sign with the key of a party whose signature the type demands.",
  },
  CREDENTIAL_SIGNER_INACTIVE: {
    meaning: "The issuer, or a party that signed before, is no longer an active member.",
    remedy: "Propose again with keys that are active.",
  },
  CREDENTIAL_ALREADY_SIGNED: {
    meaning: "The sender signed this proposal before.",
    remedy: "Wait for the other parties.",
  },
  CREDENTIAL_CASE_OPEN: {
    meaning: "An appeal names a case that is not decided.",
    remedy: "Wait for the verdict.",
  },
  CREDENTIAL_CASE_CLOSED: {
    meaning: "A verdict names a case that is decided or taken back.",
    remedy: "Appeal by a new case that names the old one.",
  },
  CREDENTIAL_CASE_TARGET: {
    meaning: "A verdict acts on, or an appeal concerns, something that the case is not about.",
    remedy: "Name only credentials that the case concerns.",
  },
  CREDENTIAL_VERDICT_ACT: {
    meaning: "A verdict that dismisses a case acts on credentials.",
    remedy: "Name the case alone: what it held is released.",
  },
  CREDENTIAL_ARBITRATORS_INVALID: {
    meaning:
      "The arbitrators repeat, are not active institutions, regulators or auditors, or the threshold is none of 1 to their number.",
    remedy: "Name up to 16 distinct active members and a threshold that they can reach.",
  },
  CREDENTIAL_ALREADY_APPEALED: {
    meaning: "The case was appealed already.",
    remedy: "Appeal against the verdict of the appeal.",
  },
  CREDENTIAL_CONSENT_MISSING: {
    meaning: "An institution grants access for a data subject without the digest of a consent.",
    remedy: "Obtain the consent and put its digest into the terms, or let the subject grant.",
  },
  CREDENTIAL_GRANT_FOREIGN: {
    meaning: "The grantor is not whom the credentials are about, or the user not the grantee.",
    remedy: "Have the data subject grant, and the grantee use, with their own keys.",
  },
  CREDENTIAL_GRANT_TERM: {
    meaning: "The grant has not begun, or has ended.",
    remedy: "Ask for a new grant.",
  },
  CREDENTIAL_GRANT_TARGET: {
    meaning: "The grant does not cover this credential.",
    remedy: "Ask for a grant that names it.",
  },
  CREDENTIAL_GRANT_ACTION: {
    meaning: "The grant does not allow this action.",
    remedy: "Ask for a grant that allows it: read, verify or export, one at a time.",
  },
  CREDENTIAL_GRANT_PURPOSE: {
    meaning: "The data would be used for another purpose than it was granted for.",
    remedy: "Ask for a grant for this purpose.",
  },
  CREDENTIAL_GRANT_EXHAUSTED: {
    meaning: "The grant was used as often as it allows.",
    remedy: "Ask for a new grant.",
  },
  CREDENTIAL_ALREADY_ACCEPTED: {
    meaning: "A task is accepted already.",
    remedy: "Accept each task once.",
  },
  CREDENTIAL_ALREADY_SETTLED: {
    meaning: "An acceptance is settled already.",
    remedy: "Settle each acceptance once.",
  },
  CREDENTIAL_ALREADY_PAID: {
    meaning: "The settlement is paid already.",
    remedy: "Pay each settlement once.",
  },
  CREDENTIAL_ALREADY_INVOICED: {
    meaning: "A settlement is invoiced already.",
    remedy: "Reverse the invoice by a red one before issuing another.",
  },
  CREDENTIAL_ALREADY_TAXED: {
    meaning: "Tax was withheld from a payment already.",
    remedy: "Correct the tax credential instead of issuing another.",
  },
  CREDENTIAL_HAS_DEPENDENTS: {
    meaning: "A live credential was made from this one, so it cannot be revoked or corrected.",
    remedy: "Revoke or correct from the last in the chain backwards.",
  },
  CREDENTIAL_NOT_ISSUER: {
    meaning:
      "The sender issued another credential, not this one, or it is the respondent of the case.",
    remedy: "Have its issuer act, or the regulator where the method allows.",
  },
  CREDENTIAL_NOT_ACTIVE: {
    meaning: "The credential is revoked, corrected or held, so this cannot be done to it.",
    remedy: "Act on its successor, or release the hold first.",
  },
  CREDENTIAL_NOT_REVOCABLE: {
    meaning: "A red invoice, a verdict or an irrevocable grant cannot be revoked.",
    remedy: "Issue a new invoice, appeal the case, or turn to the regulator about the grant.",
  },
  CREDENTIAL_CORRECTION_TYPE: {
    meaning: "The correction is of another type, or of an invoice, case, verdict or grant.",
    remedy: "Correct by the same type; reverse invoices by red ones, appeal cases, revoke grants.",
  },
  CREDENTIAL_HOLD_FOREIGN: {
    meaning:
      "An institution holds what another issued, or releases or revokes what another, a case or a verdict holds.",
    remedy: "Have the issuer, the holder, or the regulator act.",
  },
  CREDENTIAL_NOT_ON_HOLD: {
    meaning: "The credential to be released is not on hold.",
    remedy: "Check its status first.",
  },
  CREDENTIAL_TRACE_TOO_LARGE: {
    meaning: "More than 1,024 credentials stand above this one.",
    remedy: "Trace from its parents, one at a time.",
  },
});

/** A status with which the credential contract refuses. */
export type CredentialRefusalCode = keyof typeof credentialErrors;
