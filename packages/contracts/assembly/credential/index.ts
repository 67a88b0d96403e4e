/*
 * The credential contract: identity, contract, transaction, bill, risk, arbitration and grant
 * credentials of a consortium, in the order in which they depend on each other. Every method is
 * an export without parameters; arguments and answers are canonical encodings
 * (docs/protocol/credentials.md).
 */
import {
  answer,
  blockTimeMs,
  caller,
  demand,
  input,
  isEqual32,
  Party,
  Reader,
  revert,
  Signers,
  Slice,
  StateMap,
  Writer,
} from "../sdk/index";
import { releaseCase } from "./arbitration";
import { isHeldByCase } from "./case-holds";
import { demandUnused, indexKey, releaseClaims } from "./claims";
import { GrantTerms } from "./grants";
import { demandStored, issue, replace } from "./issuing";
import { isOwnHold } from "./parents";
import { proposalStanding, ProposalStanding } from "./proposals";
import { ACTIVE, loadStored, ON_HOLD, readSubmission, recordKey } from "./record";
import { REVOKED, statusName, Stored, Submission } from "./record";
import { Addresses, Consent } from "./signatures";
import { changeStatus } from "./standing";
import { answerTrace } from "./trace";
import { ARBITRATION_CASE, ARBITRATION_VERDICT, BILL_RED_INVOICE, GRANT_ACCESS } from "./types";
import { ROLE_REGULATOR, roleOf, typeName } from "./types";

export { arbitrators, setArbitrators } from "./arbitration";
export { use, uses } from "./grants";
export { publicData, publish } from "./public";
export { registerSchema, schema, withdrawSchema } from "./schemas";
export { decline, proposal, propose, sign, withdraw } from "./proposals";

const MALFORMED = "CREDENTIAL_MALFORMED";
const MAX_TRACE: u32 = 256;
const MAX_SUBMISSIONS: u32 = 32;

function argsReader(): Reader {
  return Reader.of(input(), MALFORMED);
}

/** The sender issues in its own name. */
function demandIssuer(submission: Submission, sender: Party): void {
  demand(isEqual32(submission.issuer, sender.address), "CREDENTIAL_ISSUER_NOT_SENDER");
}

/** Everybody's signatures stand in this transaction. */
function signedNow(): Consent {
  return new Consent(new Signers(), new Addresses());
}

/** Args: the submission. Returns [id]. */
export function submit(): void {
  const reader = argsReader();
  const submission = readSubmission(reader);
  reader.finish();
  const sender = caller();
  demandIssuer(submission, sender);
  issue(submission, signedNow(), roleOf(sender.role), 0);
  answerId(submission.id);
}

function answerId(id: usize): void {
  const writer = new Writer(40);
  writer.list(1);
  writer.bytes(id, 32);
  answer(writer.slice());
}

/**
 * Args: [submissions], 1 to 32, each judged as by `submit` on the state that those before it leave;
 * the signatures of this transaction are for all of them. One that is refused refuses them all.
 * Returns their ids.
 */
export function submitAll(): void {
  const reader = argsReader();
  reader.struct(1);
  const count = <i32>reader.list(MAX_SUBMISSIONS);
  demand(count > 0, MALFORMED);
  const submissions = new StaticArray<Submission>(count);
  for (let i = 0; i < count; i++) submissions[i] = readSubmission(reader);
  reader.finish();
  const sender = caller();
  const role = roleOf(sender.role);
  const consent = signedNow();
  const writer = new Writer(8 + (<usize>count << 6));
  writer.list(count);
  for (let i = 0; i < count; i++) {
    const submission = submissions[i];
    demandIssuer(submission, sender);
    issue(submission, consent, role, 0);
    writer.bytes(submission.id, 32);
  }
  answer(writer.slice());
}

/** What nobody but a regulator, or nobody at all, takes back. */
function demandRevocable(record: Submission, isRegulator: bool): void {
  const isFixed = record.type == BILL_RED_INVOICE || record.type == ARBITRATION_VERDICT;
  demand(!isFixed, "CREDENTIAL_NOT_REVOCABLE");
  if (record.type != GRANT_ACCESS || isRegulator) return;
  demand(new GrantTerms(record).isRevocable, "CREDENTIAL_NOT_REVOCABLE");
}

/** The issuer, a regulator, and whose grant or case it is. Nobody ends a case against itself. */
function mayRevoke(record: Submission, sender: usize, isRegulator: bool): bool {
  const isCase = record.type == ARBITRATION_CASE;
  if (isCase && isEqual32(record.subjects[1], sender)) return false;
  if (isRegulator || isEqual32(record.issuer, sender)) return true;
  return (isCase || record.type == GRANT_ACCESS) && isEqual32(record.subjects[0], sender);
}

/**
 * Only who may lift a hold takes away what is held: else an issuer would remove what an open case
 * is about. A grant ends whatever is decided, for whose data it is about has that right.
 */
function demandLiftable(stored: Stored, sender: usize, isRegulator: bool): void {
  if (stored.status != ON_HOLD || isRegulator || stored.submission.type == GRANT_ACCESS) return;
  const isOwn = isOwnHold(stored, sender) && !isHeldByCase(stored.submission.id);
  demand(isOwn, "CREDENTIAL_HOLD_FOREIGN");
}

/** Args: [id, digest of the reason]. By the issuer, a regulator, a grantor or a claimant. */
export function revoke(): void {
  const reader = argsReader();
  reader.struct(2);
  const id = reader.bytes(32);
  const reason = reader.bytes(32);
  reader.finish();
  const sender = caller();
  const stored = demandStored(id);
  const record = stored.submission;
  const isRegulator = roleOf(sender.role) == ROLE_REGULATOR;
  demand(mayRevoke(record, sender.address, isRegulator), "CREDENTIAL_NOT_ISSUER");
  demand(stored.status == ACTIVE || stored.status == ON_HOLD, "CREDENTIAL_NOT_ACTIVE");
  demandRevocable(record, isRegulator);
  demandLiftable(stored, sender.address, isRegulator);
  demandUnused(record);
  releaseClaims(record, true);
  if (record.type == ARBITRATION_CASE) releaseCase(record, sender.address, reason);
  changeStatus(stored, REVOKED, sender.address, reason, 0);
  answerId(id);
}

/** Args: [id, digest of the reason, submission that takes its place]. By the issuer. */
export function correct(): void {
  const reader = argsReader();
  reader.struct(3);
  const id = reader.bytes(32);
  const reason = reader.bytes(32);
  const submission = readSubmission(reader);
  reader.finish();
  const sender = caller();
  demandIssuer(submission, sender);
  replace(id, reason, submission, signedNow(), roleOf(sender.role));
  answerId(submission.id);
}

/** Args: [id]. Returns the stored record. */
export function get(): void {
  const reader = argsReader();
  reader.struct(1);
  const id = reader.bytes(32);
  reader.finish();
  const bytes = StateMap.get(recordKey(id));
  if (bytes === null) revert("CREDENTIAL_UNKNOWN");
  answer(<Slice>bytes);
}

/** Args: [id]. Returns [type, status, whether its validity ended before this block, successor]. */
export function status(): void {
  const reader = argsReader();
  reader.struct(1);
  const id = reader.bytes(32);
  reader.finish();
  const found = loadStored(id);
  if (found !== null) {
    const stored = <Stored>found;
    const until = stored.submission.validToMs;
    const isExpired = until >= 0 && blockTimeMs() >= until;
    answerStatus(stored.submission.type, statusName(stored.status), isExpired, stored.replacedBy);
    return;
  }
  const proposed = proposalStanding(id);
  if (proposed === null) revert("CREDENTIAL_UNKNOWN");
  const standing = <ProposalStanding>proposed;
  answerStatus(standing.type, standing.status, false, 0);
}

function answerStatus(type: i32, status: string, isExpired: bool, replacedBy: usize): void {
  const writer = new Writer(128);
  writer.list(4);
  writer.ascii(typeName(type));
  writer.ascii(status);
  writer.bool(isExpired);
  writer.bytesOrNull(replacedBy, 32);
  answer(writer.slice());
}

/** Args: [id, offset, limit up to 256]. Returns what stands above it, page by page. */
export function trace(): void {
  const reader = argsReader();
  reader.struct(3);
  const id = reader.bytes(32);
  const offset = reader.u32();
  const limit = reader.u32();
  reader.finish();
  demand(limit > 0 && limit <= MAX_TRACE, MALFORMED);
  answerTrace(id, offset, limit);
}

/** Args: [key id, index value]. Returns [id of the credential that holds it | null]. */
export function lookup(): void {
  const reader = argsReader();
  reader.struct(2);
  const keyId = reader.u32();
  const value = reader.bytes(32);
  reader.finish();
  const holder = StateMap.get(indexKey(keyId, value));
  const writer = new Writer(40);
  writer.list(1);
  if (holder === null) writer.nothing();
  else writer.bytes((<Slice>holder).pointer, 32);
  answer(writer.slice());
}

/** What goes into the module's version section; the manifest must say the same. */
// @ts-ignore: decorator
@lazy const CONTRACT_VERSION: string = "credential@2.2.0";
