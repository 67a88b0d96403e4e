import { demand, input, isAscii, isEqual32, Reader, revert, Slice, StateMap } from "../sdk/index";
import { answer, caller, Writer } from "../sdk/index";
import { hold, liftCase } from "./case-holds";
import { demandUnused, releaseClaims } from "./claims";
import { activeRoleOf } from "./members";
import { Parents } from "./parents";
import {
  ACTIVE,
  ARBITRATOR_LIST,
  CLOSED,
  loadStored,
  ON_HOLD,
  REVOKED,
  Stored,
  Submission,
} from "./record";
import { issuersOf, isRisk } from "./rules";
import { Addresses, Consent, MAX_ADDRESSES } from "./signatures";
import { changeStatus } from "./standing";
import {
  AMENDS,
  APPEALS,
  ARBITRATION_VERDICT,
  CONCERNS,
  DECIDES,
  EVIDENCE,
  HOLDS,
  REVOKES,
  ROLE_REGULATOR,
  roleOf,
} from "./types";

const FOREIGN = "CREDENTIAL_FOREIGN_PARTY";
const TERMS = "CREDENTIAL_TERMS";

function termsReader(record: Submission): Reader {
  const terms = record.terms;
  if (terms === null) revert(TERMS);
  return Reader.of(<Slice>terms, TERMS);
}

/** A case's terms: [digest of the evidence package, whether its targets are held while open]. */
function holdsTargets(dispute: Submission): bool {
  const reader = termsReader(dispute);
  reader.struct(2);
  reader.bytes(32);
  const holds = reader.bool();
  reader.finish();
  return holds;
}

/** A verdict's terms: [`upheld` or `dismissed`]. */
function isUpheld(verdict: Submission): bool {
  const reader = termsReader(verdict);
  reader.struct(1);
  const result = reader.text(16);
  reader.finish();
  if (isAscii(result.pointer, result.length, "upheld")) return true;
  demand(isAscii(result.pointer, result.length, "dismissed"), TERMS);
  return false;
}

function isNamed(record: Submission, address: usize): bool {
  if (isEqual32(record.issuer, address)) return true;
  for (let i = 0; i < record.subjectCount; i++) {
    if (isEqual32(record.subjects[i], address)) return true;
  }
  return false;
}

/** Issuer or subject; a risk credential, which has no subjects, is about those of its parents. */
function isParty(record: Submission, address: usize): bool {
  if (isNamed(record, address)) return true;
  if (!isRisk(record.type)) return false;
  for (let i = 0; i < record.parentCount; i++) {
    if (record.relations[i] == EVIDENCE) continue;
    const above = loadStored(record.parents[i]);
    if (above !== null && isNamed((<Stored>above).submission, address)) return true;
  }
  return false;
}

/** Whether a case is about that credential. */
function concerns(dispute: Submission, id: usize): bool {
  for (let i = 0; i < dispute.parentCount; i++) {
    if (dispute.relations[i] == CONCERNS && isEqual32(dispute.parents[i], id)) return true;
  }
  return false;
}

/**
 * Both sides are parties to every target; the claimant files by itself, or through the
 * institution that issued the targets. An appeal stays within what the old case was about.
 */
export function checkCase(record: Submission, parents: Parents): void {
  holdsTargets(record);
  const claimant = record.subjects[0];
  const respondent = record.subjects[1];
  demand(!isEqual32(claimant, respondent), FOREIGN);
  const filesItself = isEqual32(record.issuer, claimant);
  let old: Submission | null = null;
  for (let i = 0; i < parents.count; i++) {
    const target = parents.records[i];
    if (record.relations[i] == APPEALS) {
      demand(target.status == CLOSED, "CREDENTIAL_CASE_OPEN");
      old = target.submission;
    } else if (record.relations[i] == CONCERNS) {
      demand(isParty(target.submission, claimant), FOREIGN);
      demand(isParty(target.submission, respondent), FOREIGN);
      demand(filesItself || isEqual32(target.submission.issuer, record.issuer), FOREIGN);
    }
  }
  if (old === null) return;
  for (let i = 0; i < parents.count; i++) {
    if (record.relations[i] != CONCERNS) continue;
    demand(concerns(<Submission>old, record.parents[i]), "CREDENTIAL_CASE_TARGET");
  }
}

/** Holds what a case is about, where it can be held, if the case says so. */
export function openCase(record: Submission, parents: Parents): void {
  if (!holdsTargets(record)) return;
  for (let i = 0; i < parents.count; i++) {
    if (record.relations[i] == CONCERNS) hold(parents.records[i], record.id, record.issuer);
  }
}

/** Lifts the holds that a case laid; what other cases or a verdict hold stays on hold. */
export function releaseCase(dispute: Submission, by: usize, reason: usize): void {
  if (!holdsTargets(dispute)) return;
  for (let i = 0; i < dispute.parentCount; i++) {
    if (dispute.relations[i] != CONCERNS) continue;
    liftCase(dispute.parents[i], dispute.id, by, reason);
  }
}

function caseOf(record: Submission, parents: Parents): Stored {
  for (let i = 0; i < parents.count; i++) {
    if (record.relations[i] == DECIDES) return parents.records[i];
  }
  revert("CREDENTIAL_PARENT_REQUIRED");
  return parents.records[0];
}

/** A regulator decides without arbitrators, but not a case that names it. */
function decidesAlone(dispute: Submission, issuer: usize, issuerRole: i32): bool {
  return issuerRole == ROLE_REGULATOR && !isNamed(dispute, issuer);
}

/** A verdict decides an open case, and acts on nothing but what the case is about. */
export function checkVerdict(record: Submission, parents: Parents, issuerRole: i32): void {
  const dispute = caseOf(record, parents);
  const isAlone = decidesAlone(dispute.submission, record.issuer, issuerRole);
  demand(isAlone || isArbitrator(record.issuer), "CREDENTIAL_ISSUER_UNAUTHORISED");
  const upheld = isUpheld(record);
  demand(dispute.status == ACTIVE, "CREDENTIAL_CASE_CLOSED");
  for (let i = 0; i < parents.count; i++) {
    if (record.relations[i] == DECIDES) continue;
    demand(upheld, "CREDENTIAL_VERDICT_ACT");
    demand(concerns(dispute.submission, record.parents[i]), "CREDENTIAL_CASE_TARGET");
    const status = parents.records[i].status;
    demand(status == ACTIVE || status == ON_HOLD, "CREDENTIAL_NOT_ACTIVE");
  }
}

/**
 * Carries a verdict out, in the order of its parents: so a chain of credentials is revoked from
 * the last one backwards. What it does not name is released.
 */
export function carryOut(record: Submission, parents: Parents): void {
  const by = record.issuer;
  for (let i = 0; i < parents.count; i++) {
    const relation = record.relations[i];
    const target = parents.records[i];
    if (relation == REVOKES) {
      demandUnused(target.submission);
      releaseClaims(target.submission, true);
      changeStatus(target, REVOKED, by, record.id, 0);
    } else if (relation == HOLDS || relation == AMENDS) {
      changeStatus(target, ON_HOLD, by, record.id, 0);
    }
  }
  const dispute = caseOf(record, parents);
  releaseCase(dispute.submission, by, record.id);
  changeStatus(dispute, CLOSED, by, record.id, 0);
}

/** Whether the hold on a credential is a verdict's, which orders its issuer to correct it. */
export function isCorrectionOrdered(target: Stored): bool {
  if (target.status != ON_HOLD || target.reason == 0) return false;
  const found = loadStored(target.reason);
  if (found === null) return false;
  const verdict = (<Stored>found).submission;
  for (let i = 0; i < verdict.parentCount; i++) {
    if (verdict.relations[i] != AMENDS) continue;
    if (isEqual32(verdict.parents[i], target.submission.id)) return true;
  }
  return false;
}

function arbitratorKey(): Slice {
  return new StateMap(ARBITRATOR_LIST).key(0, 0);
}

/** The registered arbitrators and how many of them decide. */
@final
class Panel {
  threshold: i32 = 0;
  arbitrators: Addresses = new Addresses();
}

function loadPanel(): Panel {
  const panel = new Panel();
  const bytes = StateMap.get(arbitratorKey());
  if (bytes === null) return panel;
  const reader = Reader.of(<Slice>bytes, "CREDENTIAL_STATE_MALFORMED");
  reader.struct(2);
  panel.threshold = <i32>reader.u32();
  panel.arbitrators = Addresses.read(reader);
  return panel;
}

/** Whether the address is a registered arbitrator. */
export function isArbitrator(address: usize): bool {
  return loadPanel().arbitrators.has(address);
}

/**
 * A regulator that is no party decides alone; else as many registered arbitrators as the threshold says must have
 * signed, the issuer among them. Who is a party to the case does not count.
 */
export function isDecided(
  record: Submission,
  parents: Parents,
  consent: Consent,
  issuerRole: i32,
): bool {
  const dispute = caseOf(record, parents).submission;
  if (decidesAlone(dispute, record.issuer, issuerRole)) return true;
  const panel = loadPanel();
  let signed = 0;
  for (let i = 0; i < panel.arbitrators.count; i++) {
    const arbitrator = panel.arbitrators.at(i);
    const hasSigned = isEqual32(arbitrator, record.issuer) || consent.has(arbitrator);
    if (hasSigned && !isNamed(dispute, arbitrator)) signed++;
  }
  return panel.threshold > 0 && signed >= panel.threshold;
}

/** Args: [threshold, [address, …]], 1 to 16, none twice. By a regulator. Returns the same. */
export function setArbitrators(): void {
  const bytes = input();
  const reader = Reader.of(bytes, "CREDENTIAL_MALFORMED");
  reader.struct(2);
  const threshold = <i32>reader.u32();
  const count = <i32>reader.list(MAX_ADDRESSES);
  const seen = new Addresses();
  const roles = issuersOf(ARBITRATION_VERDICT);
  for (let i = 0; i < count; i++) {
    const address = reader.bytes(32);
    demand(!seen.has(address), "CREDENTIAL_ARBITRATORS_INVALID");
    demand((activeRoleOf(address) & roles) != 0, "CREDENTIAL_ARBITRATORS_INVALID");
    seen.add(address);
  }
  reader.finish();
  demand(roleOf(caller().role) == ROLE_REGULATOR, "CREDENTIAL_ISSUER_UNAUTHORISED");
  demand(threshold >= 1 && threshold <= count, "CREDENTIAL_ARBITRATORS_INVALID");
  StateMap.put(arbitratorKey(), bytes);
  answer(bytes);
}

/** Args: []. Returns [threshold, [address, …]]; [0, []] before any were named. */
export function arbitrators(): void {
  const reader = Reader.of(input(), "CREDENTIAL_MALFORMED");
  reader.struct(0);
  reader.finish();
  const bytes = StateMap.get(arbitratorKey());
  if (bytes !== null) {
    answer(<Slice>bytes);
    return;
  }
  const writer = new Writer(8);
  writer.list(2);
  writer.u32(0);
  writer.list(0);
  answer(writer.slice());
}
