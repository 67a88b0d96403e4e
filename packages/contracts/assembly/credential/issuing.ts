import { blockHeight, blockTimeMs, demand, isEqual32, revert, StateMap } from "../sdk/index";
import { checkAmounts } from "./amounts";
import {
  carryOut,
  checkCase,
  checkVerdict,
  isCorrectionOrdered,
  isDecided,
  openCase,
} from "./arbitration";
import { isHeldByCase, liftAll, liftHold } from "./case-holds";
import { claimIndexes, claimUses, demandUnused, releaseClaims } from "./claims";
import { emitSubmitted } from "./events";
import { checkForm, checkIssuerRole } from "./form";
import { checkGrant } from "./grants";
import {
  checkActs,
  checkParentStates,
  checkReferences,
  checkStanding,
  contractOf,
  loadParents,
  Parents,
} from "./parents";
import { checkCoSignatures, checkParties, checkSubjects } from "./parties";
import {
  ACTIVE,
  CORRECTED,
  loadStored,
  ON_HOLD,
  proposalKey,
  putNew,
  recordKey,
  Stored,
  Submission,
} from "./record";
import { isArbitration } from "./rules";
import { Consent } from "./signatures";
import { changeStatus } from "./standing";
import {
  ARBITRATION_CASE,
  ARBITRATION_VERDICT,
  BILL_INVOICE,
  BILL_RED_INVOICE,
  GRANT_ACCESS,
  HOLDS,
  RELEASES,
  REVERSES,
  ROLE_REGULATOR,
} from "./types";

/** Judges all but signatures and what was used up. `role` is the issuer's. */
export function judge(submission: Submission, consent: Consent, role: i32): Parents {
  checkForm(submission);
  checkIssuerRole(submission.type, role);
  // An id that is proposed is taken: else another record under it would void the signatures.
  const id = submission.id;
  const isTaken = StateMap.has(recordKey(id)) || StateMap.has(proposalKey(id));
  demand(!isTaken, "CREDENTIAL_DUPLICATE_ID");
  const parents = loadParents(submission);
  checkReferences(submission, parents);
  checkParentStates(submission, parents);
  checkActs(submission, parents, role == ROLE_REGULATOR);
  checkParties(submission, parents);
  if (submission.type == ARBITRATION_CASE) checkCase(submission, parents);
  else if (submission.type == ARBITRATION_VERDICT) checkVerdict(submission, parents, role);
  else if (submission.type == GRANT_ACCESS) checkGrant(submission, parents);
  checkStanding(submission, parents);
  checkAmounts(submission, parents);
  checkSubjects(submission, consent.now);
  return parents;
}

/** Judges a submission and stores it; `replaces` is the record that it corrects, or 0. */
export function issue(submission: Submission, consent: Consent, role: i32, replaces: usize): void {
  const parents = judge(submission, consent, role);
  checkCoSignatures(submission, parents, consent);
  if (submission.type == ARBITRATION_VERDICT) {
    demand(isDecided(submission, parents, consent, role), "CREDENTIAL_COSIGNATURE_MISSING");
  }
  claimUses(submission, parents);
  claimIndexes(submission);
  const coSigners = consent.coSigners(submission.issuer);
  const contract = contractOf(submission, parents);
  putNew(submission, coSigners, blockHeight(), blockTimeMs(), contract, replaces);
  applyActs(submission, parents, role);
  emitSubmitted(submission, replaces);
}

/** What a credential does to those it names: hold, release, reverse, open and decide a case. */
function applyActs(submission: Submission, parents: Parents, role: i32): void {
  const type = submission.type;
  if (type == ARBITRATION_CASE) openCase(submission, parents);
  else if (type == ARBITRATION_VERDICT) carryOut(submission, parents);
  else if (type >= BILL_RED_INVOICE) {
    applyToParents(submission, parents, role == ROLE_REGULATOR);
  }
}

function applyToParents(submission: Submission, parents: Parents, isRegulator: bool): void {
  const by = submission.issuer;
  for (let i = 0; i < parents.count; i++) {
    const target = parents.records[i];
    const relation = submission.relations[i];
    if (relation == HOLDS) changeStatus(target, ON_HOLD, by, submission.id, 0);
    else if (relation == RELEASES) {
      // A regulator lifts whatever holds it; an institution its own hold alone.
      if (isRegulator) liftAll(target, by, submission.id);
      else liftHold(target, by, submission.id);
    } else if (relation == REVERSES) {
      releaseClaims(target.submission, false);
      changeStatus(target, CORRECTED, by, 0, submission.id);
    }
  }
}

export function demandStored(id: usize): Stored {
  const found = loadStored(id);
  if (found === null) revert("CREDENTIAL_UNKNOWN");
  return <Stored>found;
}

/** What may be corrected, by whom, and by what. */
export function checkCorrection(stored: Stored, submission: Submission): void {
  const old = stored.submission;
  demand(isEqual32(old.issuer, submission.issuer), "CREDENTIAL_NOT_ISSUER");
  if (stored.status != ACTIVE) {
    // What another case holds stays as it is until that one is decided too.
    const isOrdered = isCorrectionOrdered(stored) && !isHeldByCase(old.id);
    demand(isOrdered, "CREDENTIAL_NOT_ACTIVE");
  }
  const type = old.type;
  // An issued invoice is never replaced: it is reversed by a red one and issued again.
  const isFixed = type == BILL_INVOICE || type == BILL_RED_INVOICE || type == GRANT_ACCESS;
  demand(
    type == submission.type && !isFixed && !isArbitration(type),
    "CREDENTIAL_CORRECTION_TYPE",
  );
  demand(old.subjectCount == submission.subjectCount, "CREDENTIAL_FOREIGN_PARTY");
  for (let i = 0; i < old.subjectCount; i++) {
    demand(isEqual32(old.subjects[i], submission.subjects[i]), "CREDENTIAL_FOREIGN_PARTY");
  }
  demandUnused(old);
}

/** Puts a submission in the place of the credential of that id. */
export function replace(
  id: usize,
  reason: usize,
  submission: Submission,
  consent: Consent,
  role: i32,
): void {
  const stored = demandStored(id);
  checkCorrection(stored, submission);
  releaseClaims(stored.submission, true);
  issue(submission, consent, role, id);
  changeStatus(stored, CORRECTED, submission.issuer, reason, submission.id);
}
