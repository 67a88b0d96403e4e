/*
 * The credential contract: identity, contract, transaction, bill and risk credentials of a
 * consortium, in the order in which they depend on each other. Every method is an export without
 * parameters; arguments and answers are canonical encodings (docs/protocol/credentials.md).
 */
import {
  answer,
  blockHeight,
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
import { claimIndexes, claimUses, demandUnused, indexKey, releaseClaims } from "./claims";
import { emitStatus, emitSubmitted } from "./events";
import { checkForm, checkIssuer } from "./form";
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
  putNew,
  putStatus,
  readSubmission,
  recordKey,
  REVOKED,
  statusName,
  Stored,
  Submission,
} from "./record";
import { BILL_INVOICE, BILL_RED_INVOICE, HOLDS, RELEASES, REVERSES, roleOf } from "./types";
import { ROLE_REGULATOR, typeName } from "./types";
import { answerTrace } from "./trace";

const MALFORMED = "CREDENTIAL_MALFORMED";
const MAX_TRACE: u32 = 256;

/** Judges a submission and stores it; `replaces` is the record that it corrects, or 0. */
function issue(submission: Submission, sender: Party, replaces: usize): void {
  checkForm(submission);
  checkIssuer(submission, sender);
  demand(!StateMap.has(recordKey(submission.id)), "CREDENTIAL_DUPLICATE_ID");
  const parents = loadParents(submission);
  checkReferences(submission, parents);
  checkParentStates(submission, parents);
  checkActs(submission, parents, roleOf(sender.role) == ROLE_REGULATOR);
  checkParties(submission, parents);
  checkStanding(submission, parents);
  const signers = new Signers();
  checkSubjects(submission, signers);
  checkCoSignatures(submission, parents, signers);
  claimUses(submission, parents);
  claimIndexes(submission);
  applyActs(submission, parents);
  const contract = contractOf(submission, parents);
  putNew(submission, signers, blockHeight(), blockTimeMs(), contract, replaces);
  emitSubmitted(submission, replaces);
}

/** What a credential does to those it names: hold, release, reverse. */
function applyActs(submission: Submission, parents: Parents): void {
  const by = submission.issuer;
  for (let i = 0; i < parents.count; i++) {
    const target = parents.records[i];
    const relation = submission.relations[i];
    if (relation == HOLDS) changeStatus(target, ON_HOLD, by, submission.id, 0);
    else if (relation == RELEASES) changeStatus(target, ACTIVE, by, submission.id, 0);
    else if (relation == REVERSES) {
      releaseClaims(target.submission, false);
      changeStatus(target, CORRECTED, by, 0, submission.id);
    }
  }
}

function changeStatus(
  target: Stored,
  status: i32,
  by: usize,
  reason: usize,
  replacedBy: usize,
): void {
  putStatus(target, status, blockHeight(), by, reason, replacedBy);
  emitStatus(target.submission, status, by, replacedBy);
}

function demandStored(id: usize): Stored {
  const found = loadStored(id);
  if (found === null) revert("CREDENTIAL_UNKNOWN");
  return <Stored>found;
}

function argsReader(): Reader {
  return Reader.of(input(), MALFORMED);
}

/** Args: the submission. Returns [id]. */
export function submit(): void {
  const reader = argsReader();
  const submission = readSubmission(reader);
  reader.finish();
  issue(submission, caller(), 0);
  answerId(submission.id);
}

function answerId(id: usize): void {
  const writer = new Writer(40);
  writer.list(1);
  writer.bytes(id, 32);
  answer(writer.slice());
}

/** Args: [id, digest of the reason]. By the issuer, or by a regulator. */
export function revoke(): void {
  const reader = argsReader();
  reader.struct(2);
  const id = reader.bytes(32);
  const reason = reader.bytes(32);
  reader.finish();
  const sender = caller();
  const stored = demandStored(id);
  demand(
    isEqual32(stored.submission.issuer, sender.address) || roleOf(sender.role) == ROLE_REGULATOR,
    "CREDENTIAL_NOT_ISSUER",
  );
  demand(stored.status == ACTIVE || stored.status == ON_HOLD, "CREDENTIAL_NOT_ACTIVE");
  demand(stored.submission.type != BILL_RED_INVOICE, "CREDENTIAL_NOT_REVOCABLE");
  demandUnused(stored.submission);
  releaseClaims(stored.submission, true);
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
  const stored = demandStored(id);
  const old = stored.submission;
  demand(isEqual32(old.issuer, sender.address), "CREDENTIAL_NOT_ISSUER");
  demand(stored.status == ACTIVE, "CREDENTIAL_NOT_ACTIVE");
  demand(old.type == submission.type, "CREDENTIAL_CORRECTION_TYPE");
  // An issued invoice is never replaced: it is reversed by a red one and issued again.
  demand(old.type != BILL_INVOICE && old.type != BILL_RED_INVOICE, "CREDENTIAL_CORRECTION_TYPE");
  demandSameSubjects(old, submission);
  demandUnused(old);
  releaseClaims(old, true);
  issue(submission, sender, id);
  changeStatus(stored, CORRECTED, sender.address, reason, submission.id);
  answerId(submission.id);
}

function demandSameSubjects(old: Submission, next: Submission): void {
  demand(old.subjectCount == next.subjectCount, "CREDENTIAL_FOREIGN_PARTY");
  for (let i = 0; i < old.subjectCount; i++) {
    demand(isEqual32(old.subjects[i], next.subjects[i]), "CREDENTIAL_FOREIGN_PARTY");
  }
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
  const stored = demandStored(id);
  const until = stored.submission.validToMs;
  const writer = new Writer(128);
  writer.list(4);
  writer.ascii(typeName(stored.submission.type));
  writer.ascii(statusName(stored.status));
  writer.bool(until >= 0 && blockTimeMs() >= until);
  writer.bytesOrNull(stored.replacedBy, 32);
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
@lazy const CONTRACT_VERSION: string = "credential@1.0.0";
