import {
  answer,
  blockTimeMs,
  caller,
  demand,
  emit,
  input,
  isEqual,
  isEqual32,
  Reader,
  revert,
  Slice,
  StateMap,
  Writer,
} from "../sdk/index";
import { Parents } from "./parents";
import { ACTIVE, GRANT_USES, loadStored, Stored, Submission } from "./record";
import { GRANT_ACCESS } from "./types";

/** Topic of one use: [grant, target, action, by, purpose, number of the use]. */
export const USED = "credential.used";

const TERMS = "CREDENTIAL_TERMS";
const MALFORMED = "CREDENTIAL_MALFORMED";
const MAX_PURPOSE: u32 = 64;
/** Bits of read, verify and export. */
const ALL_ACTIONS: u32 = 7;

/**
 * A grant's terms: [grantee, purpose, actions, most uses or null, revocable, digest of the fields
 * or null, digest of the consent or null].
 */
@final
export class GrantTerms {
  grantee: usize;
  purpose: Slice;
  actions: u32;
  /** 0: as often as the grantee likes. */
  maxUses: u32 = 0;
  isRevocable: bool;
  consent: usize;

  constructor(record: Submission) {
    const terms = record.terms;
    if (terms === null) revert(TERMS);
    const reader = Reader.of(<Slice>terms, TERMS);
    reader.struct(7);
    this.grantee = reader.bytes(32);
    this.purpose = reader.text(MAX_PURPOSE);
    this.actions = reader.u32();
    if (!reader.isNull()) {
      this.maxUses = reader.u32();
      demand(this.maxUses > 0, TERMS);
    }
    this.isRevocable = reader.bool();
    reader.bytesOrNull(32);
    this.consent = reader.bytesOrNull(32);
    reader.finish();
    demand(this.purpose.length > 0, TERMS);
    demand(this.actions > 0 && this.actions <= ALL_ACTIONS, TERMS);
  }
}

function isSubject(record: Submission, address: usize): bool {
  for (let i = 0; i < record.subjectCount; i++) {
    if (isEqual32(record.subjects[i], address)) return true;
  }
  return false;
}

/** Only whom the data is about may grant, or the institution that issued it and has a consent. */
export function checkGrant(record: Submission, parents: Parents): void {
  const terms = new GrantTerms(record);
  const grantor = record.subjects[0];
  demand(!isEqual32(terms.grantee, grantor), "CREDENTIAL_FOREIGN_PARTY");
  const grantsItself = isEqual32(record.issuer, grantor);
  for (let i = 0; i < parents.count; i++) {
    const target = parents.records[i].submission;
    demand(isSubject(target, grantor), "CREDENTIAL_GRANT_FOREIGN");
    demand(grantsItself || isEqual32(target.issuer, record.issuer), "CREDENTIAL_GRANT_FOREIGN");
  }
  demand(grantsItself || terms.consent != 0, "CREDENTIAL_CONSENT_MISSING");
}

function usesKey(grant: usize): Slice {
  return new StateMap(GRANT_USES).key(grant, 32);
}

function usesOf(grant: usize): u32 {
  const bytes = StateMap.get(usesKey(grant));
  if (bytes === null) return 0;
  const reader = Reader.of(<Slice>bytes, "CREDENTIAL_STATE_MALFORMED");
  reader.struct(1);
  return reader.u32();
}

function countSlice(count: u32): Slice {
  const writer = new Writer(8);
  writer.list(1);
  writer.u32(count);
  return writer.slice();
}

function demandGrant(id: usize): Stored {
  const found = loadStored(id);
  if (found === null || (<Stored>found).submission.type != GRANT_ACCESS) {
    revert("CREDENTIAL_UNKNOWN");
  }
  return <Stored>found;
}

/** Args: [grant, target, action (1 read, 2 verify, 4 export), purpose]. Returns [uses so far]. */
export function use(): void {
  const reader = Reader.of(input(), MALFORMED);
  reader.struct(4);
  const id = reader.bytes(32);
  const target = reader.bytes(32);
  const action = reader.u32();
  const purpose = reader.text(MAX_PURPOSE);
  reader.finish();
  const stored = demandGrant(id);
  const record = stored.submission;
  const terms = new GrantTerms(record);
  const sender = caller().address;
  demand(isEqual32(terms.grantee, sender), "CREDENTIAL_GRANT_FOREIGN");
  demand(stored.status == ACTIVE, "CREDENTIAL_NOT_ACTIVE");
  const now = blockTimeMs();
  demand(now >= record.validFromMs && now < record.validToMs, "CREDENTIAL_GRANT_TERM");
  demand(isGranted(record, target), "CREDENTIAL_GRANT_TARGET");
  const isOne = action == 1 || action == 2 || action == 4;
  demand(isOne && (terms.actions & action) != 0, "CREDENTIAL_GRANT_ACTION");
  demand(
    purpose.length == terms.purpose.length &&
      isEqual(purpose.pointer, terms.purpose.pointer, purpose.length),
    "CREDENTIAL_GRANT_PURPOSE",
  );
  const count = usesOf(id) + 1;
  demand(count != 0 && (terms.maxUses == 0 || count <= terms.maxUses), "CREDENTIAL_GRANT_EXHAUSTED");
  StateMap.put(usesKey(id), countSlice(count));
  emitUse(id, target, action, sender, purpose, count);
  answer(countSlice(count));
}

function isGranted(record: Submission, target: usize): bool {
  for (let i = 0; i < record.parentCount; i++) {
    if (isEqual32(record.parents[i], target)) return true;
  }
  return false;
}

function emitUse(
  grant: usize,
  target: usize,
  action: u32,
  by: usize,
  purpose: Slice,
  count: u32,
): void {
  const writer = new Writer(256);
  writer.list(6);
  writer.bytes(grant, 32);
  writer.bytes(target, 32);
  writer.u32(action);
  writer.bytes(by, 32);
  writer.text(purpose.pointer, <u32>purpose.length);
  writer.u32(count);
  emit(USED, writer.slice());
}

/** Args: [grant]. Returns [uses so far]. */
export function uses(): void {
  const reader = Reader.of(input(), MALFORMED);
  reader.struct(1);
  const id = reader.bytes(32);
  reader.finish();
  demandGrant(id);
  answer(countSlice(usesOf(id)));
}
