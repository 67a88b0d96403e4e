import { demand, isEqual32, revert, Signers } from "../sdk/index";
import { findMember, Member } from "./members";
import { Parents } from "./parents";
import { loadStored, Stored, Submission } from "./record";
import { isBusiness, isContract, isIdentity, isTransactionOrBill } from "./rules";
import { Addresses, Consent } from "./signatures";
import {
  ARBITRATION_CASE,
  BILL_INVOICE,
  BILL_RED_INVOICE,
  CONTRACT_FRAMEWORK,
  CONTRACT_SERVICE,
  IDENTITY_ENTERPRISE,
  IDENTITY_INDIVIDUAL,
  IDENTITY_INSTITUTION,
  ROLE_ENTERPRISE,
  ROLE_INDIVIDUAL,
  ROLE_INSTITUTION,
  TRANSACTION_ACCEPTANCE,
  TRANSACTION_PAYMENT,
  TRANSACTION_SETTLEMENT,
  TRANSACTION_TASK,
  UNDER_CONTRACT,
} from "./types";

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
    type == BILL_RED_INVOICE;
  return index == 0 && isFirstEnterprise ? ROLE_ENTERPRISE : ROLE_INDIVIDUAL;
}

/** Cases and grants are between whoever the records name: 0 is any role. */
function demandRole(type: i32, index: i32, role: i32): void {
  if (isBusiness(type)) demand(roleOfSubject(type, index) == role, "CREDENTIAL_SUBJECT_ROLE");
}

/**
 * Every subject is an active member of the right role. Who signed this transaction was judged
 * with the envelope; keys that are new here, or that did not sign it, are looked up. Against whom
 * a case is brought need not be able to act.
 */
export function checkSubjects(submission: Submission, signers: Signers): void {
  const type = submission.type;
  if (type == IDENTITY_INSTITUTION) return;
  const isNew = isIdentity(type) || isContract(type);
  const count = type == ARBITRATION_CASE ? 1 : submission.subjectCount;
  for (let i = 0; i < count; i++) {
    const subject = submission.subjects[i];
    if (!isNew && signers.has(subject)) continue;
    const found = findMember(subject);
    if (found === null) revert("CREDENTIAL_SUBJECT_UNKNOWN");
    const member = <Member>found;
    demandRole(type, i, member.role);
    demand(member.isActive, "CREDENTIAL_SUBJECT_INACTIVE");
    if (isNew) demand(member.isAttestedBy(submission.issuer), "CREDENTIAL_SUBJECT_UNATTESTED");
  }
}

/** Whose signatures the type demands beside the issuer's. */
export function neededSigners(submission: Submission, parents: Parents): Addresses {
  const needed = new Addresses();
  const type = submission.type;
  const subjects = submission.subjects;
  if (isContract(type)) {
    needed.add(subjects[0]);
    // The holder of the identity that becomes a party signs too, by the identity's own key.
    for (let i = 0; i < parents.count; i++) {
      const parent = parents.records[i].submission;
      if (parent.type == IDENTITY_ENTERPRISE || parent.type == IDENTITY_INDIVIDUAL) {
        needed.add(parent.subjects[0]);
      }
    }
  } else if (type == IDENTITY_ENTERPRISE || type == IDENTITY_INDIVIDUAL) {
    needed.add(subjects[0]);
  } else if (type == TRANSACTION_TASK) {
    needed.add(subjects[0]);
    needed.add(subjects[1]);
  } else if (type == TRANSACTION_ACCEPTANCE) {
    needed.add(subjects[0]);
  } else if (type == TRANSACTION_SETTLEMENT) {
    needed.add(subjects[1]);
  } else if (type == ARBITRATION_CASE && !isEqual32(subjects[0], submission.issuer)) {
    needed.add(subjects[0]);
  }
  return needed;
}

/** Everybody whose signature the type demands has consented. */
export function checkCoSignatures(
  submission: Submission,
  parents: Parents,
  consent: Consent,
): void {
  const needed = neededSigners(submission, parents);
  for (let i = 0; i < needed.count; i++) {
    demand(consent.has(needed.at(i)), "CREDENTIAL_COSIGNATURE_MISSING");
  }
}
