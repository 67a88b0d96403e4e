import { Reader, Slice, StateMap, Writer } from "../sdk/index";
import { Addresses } from "./signatures";
import { relationOf, typeOf } from "./types";

export const CONTRACT_VERSION = "2.2.0";
/** Version of the record's format. */
export const FORMAT: u32 = 2;
export const MAX_PARENTS = 32;
export const MAX_SUBJECTS = 4;
export const MAX_INDEXES = 4;
/** Most bytes of a type's, schema's or relation's name. */
const NAME_BYTES: u32 = 64;
export const MAX_AMOUNTS = 4;
/** Bytes of a commitment to an amount: a point as x ‖ y. */
export const POINT_BYTES: u32 = 64;
/** Most bytes of a type's own terms. */
const TERMS_BYTES: u32 = 512;

export const STATUS_ACTIVE = "active";
export const STATUS_ON_HOLD = "on-hold";
export const STATUS_REVOKED = "revoked";
export const STATUS_CORRECTED = "corrected";
export const STATUS_CLOSED = "closed";

export const ACTIVE = 0;
export const ON_HOLD = 1;
export const REVOKED = 2;
export const CORRECTED = 3;
/** A case that is decided. */
export const CLOSED = 4;

export function statusName(status: i32): string {
  if (status == ACTIVE) return STATUS_ACTIVE;
  if (status == ON_HOLD) return STATUS_ON_HOLD;
  if (status == REVOKED) return STATUS_REVOKED;
  return status == CORRECTED ? STATUS_CORRECTED : STATUS_CLOSED;
}

/** record id -> stored record. */
export const RECORDS: u8 = 0x72;
/** use ‖ parent id -> id of the credential that used it up. */
export const USES: u8 = 0x75;
/** record id -> proposal: what waits for signatures. */
export const PROPOSALS: u8 = 0x71;
/** grant id -> how often it was used. */
export const GRANT_USES: u8 = 0x67;
/** schema -> a version that was registered. */
export const SCHEMAS: u8 = 0x73;
/** schema -> list of its fields. */
export const SCHEMA_FIELDS: u8 = 0x66;
/** record id -> list of [path, value]: what is published of it. */
export const PUBLISHED: u8 = 0x70;
/** record id ‖ id of an open case -> id of the case, which holds the record. */
export const CASE_HOLDS: u8 = 0x68;
/** -> [threshold, [address, …]]: the arbitrators. */
export const ARBITRATOR_LIST: u8 = 0x61;
/** key id (4 bytes, big-endian) ‖ index value -> id of the credential that holds it. */
export const INDEXES: u8 = 0x78;

const NO_POINTERS: StaticArray<usize> = [];
const NO_NUMBERS: StaticArray<i32> = [];

function pointers(count: i32): StaticArray<usize> {
  return count == 0 ? NO_POINTERS : new StaticArray<usize>(count);
}

function numbers(count: i32): StaticArray<i32> {
  return count == 0 ? NO_NUMBERS : new StaticArray<i32>(count);
}

/** What the issuer submits. Pointers lead into its canonical bytes, at `raw`. */
@final
export class Submission {
  raw: usize = 0;
  rawLength: usize = 0;
  format: u32 = 0;
  id: usize = 0;
  /** −1: not a type of this contract. */
  type: i32 = -1;
  schema: Slice = new Slice(0, 0);
  issuer: usize = 0;
  subjectCount: i32 = 0;
  // Lists are as long as they are read: a call that walks up many records stays within a page.
  subjects: StaticArray<usize> = NO_POINTERS;
  parentCount: i32 = 0;
  parents: StaticArray<usize> = NO_POINTERS;
  /** −1: not a relation of this contract. */
  relations: StaticArray<i32> = NO_NUMBERS;
  root: usize = 0;
  fieldCount: u32 = 0;
  indexCount: i32 = 0;
  indexKeys: StaticArray<i32> = NO_NUMBERS;
  indexes: StaticArray<usize> = NO_POINTERS;
  amountCount: i32 = 0;
  amounts: StaticArray<usize> = NO_POINTERS;
  /** What types carry that the contract itself must know; null where there is nothing. */
  terms: Slice | null = null;
  level: u32 = 0;
  validFromMs: i64 = 0;
  /** −1: without end. */
  validToMs: i64 = -1;
}

export function readSubmission(reader: Reader): Submission {
  const from = reader.at;
  const record = new Submission();
  reader.struct(16);
  record.format = reader.u32();
  record.id = reader.bytes(32);
  record.type = typeOf(reader.text(NAME_BYTES));
  record.schema = reader.text(NAME_BYTES);
  record.issuer = reader.bytes(32);
  record.subjectCount = reader.list(MAX_SUBJECTS);
  record.subjects = pointers(record.subjectCount);
  for (let i = 0; i < record.subjectCount; i++) record.subjects[i] = reader.bytes(32);
  record.parentCount = reader.list(MAX_PARENTS);
  record.parents = pointers(record.parentCount);
  record.relations = numbers(record.parentCount);
  for (let i = 0; i < record.parentCount; i++) {
    reader.struct(2);
    record.parents[i] = reader.bytes(32);
    record.relations[i] = relationOf(reader.text(NAME_BYTES));
  }
  reader.struct(2);
  record.root = reader.bytes(32);
  record.fieldCount = reader.u32();
  record.indexCount = reader.list(MAX_INDEXES);
  record.indexes = pointers(record.indexCount);
  record.indexKeys = numbers(record.indexCount);
  for (let i = 0; i < record.indexCount; i++) {
    reader.struct(2);
    record.indexKeys[i] = <i32>reader.u32();
    record.indexes[i] = reader.bytes(32);
  }
  record.amountCount = reader.list(MAX_AMOUNTS);
  record.amounts = pointers(record.amountCount);
  for (let i = 0; i < record.amountCount; i++) record.amounts[i] = reader.bytes(POINT_BYTES);
  reader.bytes(32);
  record.level = reader.u32();
  record.validFromMs = reader.u53();
  record.validToMs = reader.isNull() ? -1 : reader.u53();
  reader.bytesOrNull(32);
  if (!reader.isNull()) record.terms = reader.byteString(TERMS_BYTES);
  record.raw = from;
  record.rawLength = reader.at - from;
  return record;
}

/** A credential as the state keeps it: [standing, issue, submission]. */
@final
export class Stored {
  status: i32 = ACTIVE;
  /** Who gave it its present status. */
  statusBy: usize = 0;
  /** Digest of a reason, or id of the credential that gave it its status; else 0. */
  reason: usize = 0;
  /** Its successor, once it is corrected; else 0. */
  replacedBy: usize = 0;
  /** The service contract that it stands under, or 0. */
  contract: usize = 0;
  /** Bytes of issue and submission, which never change. */
  fixed: usize = 0;
  fixedLength: usize = 0;
  submission: Submission = new Submission();
}

const STATE_MALFORMED = "CREDENTIAL_STATE_MALFORMED";

function statusOf(name: Slice): i32 {
  // The names differ in their length and first letter.
  const first = load<u8>(name.pointer);
  if (first == 0x61) return ACTIVE;
  if (first == 0x6f) return ON_HOLD;
  if (first == 0x72) return REVOKED;
  return name.length == 9 ? CORRECTED : CLOSED;
}

function parseStored(bytes: Slice): Stored {
  const reader = Reader.of(bytes, STATE_MALFORMED);
  const stored = new Stored();
  reader.struct(3);
  reader.struct(5);
  stored.status = statusOf(reader.text(NAME_BYTES));
  reader.u53();
  stored.statusBy = reader.bytes(32);
  stored.reason = reader.bytesOrNull(32);
  stored.replacedBy = reader.bytesOrNull(32);
  stored.fixed = reader.at;
  stored.fixedLength = bytes.pointer + bytes.length - reader.at;
  reader.struct(6);
  reader.text(NAME_BYTES);
  reader.u53();
  reader.u53();
  reader.skip();
  stored.contract = reader.bytesOrNull(32);
  reader.skip();
  stored.submission = readSubmission(reader);
  return stored;
}

export function recordKey(id: usize): Slice {
  return new StateMap(RECORDS).key(id, 32);
}

export function proposalKey(id: usize): Slice {
  return new StateMap(PROPOSALS).key(id, 32);
}

export function loadStored(id: usize): Stored | null {
  const bytes = StateMap.get(recordKey(id));
  return bytes === null ? null : parseStored(<Slice>bytes);
}

function writeStanding(
  writer: Writer,
  status: i32,
  height: i64,
  by: usize,
  reason: usize,
  replacedBy: usize,
): void {
  writer.list(3);
  writer.list(5);
  writer.ascii(statusName(status));
  writer.u64(<u64>height);
  writer.bytes(by, 32);
  writer.bytesOrNull(reason, 32);
  writer.bytesOrNull(replacedBy, 32);
}

/** Gives a stored record another status; the rest of it stays byte for byte. */
export function putStatus(
  stored: Stored,
  status: i32,
  height: i64,
  by: usize,
  reason: usize,
  replacedBy: usize,
): void {
  const writer = new Writer(stored.fixedLength + 160);
  writeStanding(writer, status, height, by, reason, replacedBy);
  writer.raw(stored.fixed, stored.fixedLength);
  StateMap.put(recordKey(stored.submission.id), writer.slice());
}

/** Stores a new record: active, with where, when and by whose signatures it was issued. */
export function putNew(
  submission: Submission,
  coSigners: Addresses,
  height: i64,
  timeMs: i64,
  contract: usize,
  replaces: usize,
): void {
  const writer = new Writer(submission.rawLength + 256 + (<usize>coSigners.count << 6));
  writeStanding(writer, ACTIVE, height, submission.issuer, 0, 0);
  writer.list(6);
  writer.ascii(CONTRACT_VERSION);
  writer.u64(<u64>height);
  writer.u64(<u64>timeMs);
  coSigners.write(writer);
  writer.bytesOrNull(contract, 32);
  writer.bytesOrNull(replaces, 32);
  writer.raw(submission.raw, submission.rawLength);
  StateMap.put(recordKey(submission.id), writer.slice());
}
