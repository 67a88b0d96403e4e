import {
  blockTimeMs,
  call,
  demand,
  isAscii,
  isEqual32,
  Reader,
  revert,
  Signers,
  Writer,
} from "../sdk/index";
import { Parents } from "./parents";
import { loadStored, Stored, Submission } from "./record";
import { isContract, isIdentity, isTransactionOrBill } from "./rules";
import {
  BILL_INVOICE,
  CONTRACT_FRAMEWORK,
  CONTRACT_SERVICE,
  IDENTITY_ENTERPRISE,
  IDENTITY_INDIVIDUAL,
  IDENTITY_INSTITUTION,
  roleOf,
  ROLE_ENTERPRISE,
  ROLE_INDIVIDUAL,
  ROLE_INSTITUTION,
  TRANSACTION_ACCEPTANCE,
  TRANSACTION_PAYMENT,
  TRANSACTION_SETTLEMENT,
  TRANSACTION_TASK,
  UNDER_CONTRACT,
} from "./types";

const MEMBERS = "members";
/** Gas that one look into the member registry may take. */
const MEMBER_GAS: i64 = 200_000;
const MEMBER_MALFORMED = "CREDENTIAL_STATE_MALFORMED";
const FOREIGN = "CREDENTIAL_FOREIGN_PARTY";

/** Issuer and subjects belong to what the parents say. */
export function checkParties(submission: Submission, parents: Parents): void {
  const type = submission.type;
  if (type == IDENTITY_INSTITUTION) {
    demand(isEqual32(submission.subjects[0], submission.issuer), FOREIGN);
  } else if (isIdentity(type) || isContract(type)) {
    checkIssuerOfParents(submission, parents);
  } else if (isTransactionOrBill(type)) {
    for (let i = 0; i < parents.count; i++) {
      demand(isEqual32(parents.records[i].submission.issuer, submission.issuer), FOREIGN);
    }
    checkSubjectsOfParents(submission, parents);
  }
}

/** The institution among the parents is the issuer, and so is whoever made the framework. */
function checkIssuerOfParents(submission: Submission, parents: Parents): void {
  for (let i = 0; i < parents.count; i++) {
    const parent = parents.records[i].submission;
    if (parent.type == IDENTITY_INSTITUTION || parent.type == CONTRACT_FRAMEWORK) {
      demand(isEqual32(parent.issuer, submission.issuer), FOREIGN);
    }
  }
}

/** The enterprise of the framework above a service contract. */
function enterpriseOf(service: Submission): usize {
  for (let i = 0; i < service.parentCount; i++) {
    if (service.relations[i] != UNDER_CONTRACT) continue;
    const framework = loadStored(service.parents[i]);
    if (framework === null) revert("CREDENTIAL_PARENT_MISSING");
    return (<Stored>framework).submission.subjects[0];
  }
  revert("CREDENTIAL_PARENT_REQUIRED");
  return 0;
}

function checkSubjectsOfParents(submission: Submission, parents: Parents): void {
  const type = submission.type;
  const subjects = submission.subjects;
  for (let i = 0; i < parents.count; i++) {
    const stored = parents.records[i];
    const parent = stored.submission;
    if (type == TRANSACTION_TASK) {
      demand(isEqual32(subjects[0], enterpriseOf(parent)), FOREIGN);
      demand(isEqual32(subjects[1], parent.subjects[0]), FOREIGN);
    } else if (type == TRANSACTION_ACCEPTANCE || type == TRANSACTION_SETTLEMENT) {
      demand(isEqual32(subjects[0], parent.subjects[0]), FOREIGN);
      demand(isEqual32(subjects[1], parent.subjects[1]), FOREIGN);
      demand(isEqual32(stored.contract, parents.records[0].contract), FOREIGN);
    } else if (type == TRANSACTION_PAYMENT) {
      demand(isEqual32(subjects[0], parent.subjects[1]), FOREIGN);
    } else {
      demand(isEqual32(subjects[0], parent.subjects[0]), FOREIGN);
    }
  }
}

function roleOfSubject(type: i32, index: i32): i32 {
  if (type == IDENTITY_INSTITUTION) return ROLE_INSTITUTION;
  const isFirstEnterprise =
    type == IDENTITY_ENTERPRISE ||
    type == CONTRACT_FRAMEWORK ||
    type == TRANSACTION_TASK ||
    type == TRANSACTION_ACCEPTANCE ||
    type == TRANSACTION_SETTLEMENT ||
    type == BILL_INVOICE ||
    type == BILL_INVOICE + 1;
  return index == 0 && isFirstEnterprise ? ROLE_ENTERPRISE : ROLE_INDIVIDUAL;
}

/**
 * Every subject is an active member of the right role. Who signed was judged with the envelope;
 * keys that are new here, or that did not sign, are looked up.
 */
export function checkSubjects(submission: Submission, signers: Signers): void {
  const type = submission.type;
  if (type == IDENTITY_INSTITUTION) return;
  const isNew = isIdentity(type) || isContract(type);
  for (let i = 0; i < submission.subjectCount; i++) {
    const subject = submission.subjects[i];
    if (!isNew && signers.has(subject)) continue;
    checkMember(subject, roleOfSubject(type, i), isNew ? submission.issuer : 0);
  }
}

/** `attestedBy` 0: whoever enrolled the key will do. */
function checkMember(address: usize, role: i32, attestedBy: usize): void {
  const args = new Writer(40);
  args.list(1);
  args.bytes(address, 32);
  const result = call(MEMBERS, "get", args.slice(), MEMBER_GAS);
  demand(result.succeeded, "CREDENTIAL_SUBJECT_UNKNOWN");
  const reader = Reader.of(result.value, MEMBER_MALFORMED);
  reader.struct(9);
  reader.skip();
  reader.skip();
  demand(roleOf(reader.text(64)) == role, "CREDENTIAL_SUBJECT_ROLE");
  const status = reader.text(64);
  demand(isAscii(status.pointer, status.length, "active"), "CREDENTIAL_SUBJECT_INACTIVE");
  reader.skip();
  const certificate = reader.bytesOrNull(32);
  const enrolledBy = reader.bytesOrNull(32);
  const from = reader.u53();
  const to = reader.u53();
  const now = blockTimeMs();
  demand(now >= from && now < to, "CREDENTIAL_SUBJECT_INACTIVE");
  // A relation key has no certificate: the institution that registered it vouches for it.
  if (attestedBy != 0 && certificate == 0) {
    demand(enrolledBy != 0 && isEqual32(enrolledBy, attestedBy), "CREDENTIAL_SUBJECT_UNATTESTED");
  }
}

/** Whose signatures the type demands beside the issuer's. */
export function checkCoSignatures(
  submission: Submission,
  parents: Parents,
  signers: Signers,
): void {
  const type = submission.type;
  const subjects = submission.subjects;
  if (isContract(type)) {
    demandSigned(subjects[0], signers);
    // The holder of the identity that becomes a party signs too, by the identity's own key.
    for (let i = 0; i < parents.count; i++) {
      const parent = parents.records[i].submission;
      if (parent.type == IDENTITY_ENTERPRISE || parent.type == IDENTITY_INDIVIDUAL) {
        demandSigned(parent.subjects[0], signers);
      }
    }
  } else if (type == IDENTITY_ENTERPRISE || type == IDENTITY_INDIVIDUAL) {
    demandSigned(subjects[0], signers);
  } else if (type == TRANSACTION_TASK) {
    demandSigned(subjects[0], signers);
    demandSigned(subjects[1], signers);
  } else if (type == TRANSACTION_ACCEPTANCE) {
    demandSigned(subjects[0], signers);
  } else if (type == TRANSACTION_SETTLEMENT) {
    demandSigned(subjects[1], signers);
  }
}

function demandSigned(address: usize, signers: Signers): void {
  demand(signers.has(address), "CREDENTIAL_COSIGNATURE_MISSING");
}
