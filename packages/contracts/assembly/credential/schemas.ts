import {
  allocate,
  answer,
  blockHeight,
  caller,
  demand,
  emit,
  input,
  isAscii,
  isEqual,
  Reader,
  revert,
  Slice,
  StateMap,
  taggedSm3,
  Writer,
} from "../sdk/index";
import { SCHEMA_FIELDS, SCHEMAS, Submission } from "./record";
import { fieldCountOf, levelOf } from "./rules";
import { SCHEMA_DIGESTS, SCHEMA_LISTS, SCHEMA_STARTS } from "./tables";
import { ROLE_REGULATOR, roleOf, typeName, TYPES } from "./types";

/*
 * Schema versions. Version 1.0 of each type is part of the contract; a regulator registers 1.1,
 * 1.2 and so on, each of which adds optional fields behind those of the one before.
 */

/** Topic of a version registered or withdrawn: [schema, status, by, digest]. */
export const SCHEMA_EVENT = "credential.schema";

const MALFORMED = "CREDENTIAL_MALFORMED";
const STATE_MALFORMED = "CREDENTIAL_STATE_MALFORMED";
const INCOMPATIBLE = "CREDENTIAL_SCHEMA_INCOMPATIBLE";
const SCHEMA_DOMAIN = "credlink/schema/1";
const NAME_BYTES: u32 = 64;
const PATH_BYTES: u32 = 128;
const KIND_BYTES: u32 = 255;
export const MAX_FIELDS: u32 = 64;
/** Most bytes of a version's list: the answer of `schema` holds it, in 16 KiB. */
const MAX_LIST_BYTES: usize = 16_000;
const ACTIVE_NAME = "active";
const WITHDRAWN_NAME = "withdrawn";

/** The version 1.n that a schema's name says, of a type, or −1. */
function minorOf(type: i32, schema: Slice): i32 {
  const name = typeName(type);
  const length = <usize>name.length;
  if (schema.length < length + 4 || !isAscii(schema.pointer, length, name)) return -1;
  if (!isAscii(schema.pointer + length, 3, "/1.")) return -1;
  const digits = schema.length - length - 3;
  const from = schema.pointer + length + 3;
  if (digits > 4 || (digits > 1 && load<u8>(from) == 0x30)) return -1;
  let minor = 0;
  for (let i: usize = 0; i < digits; i++) {
    const digit = <i32>load<u8>(from + i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    minor = minor * 10 + digit;
  }
  return minor;
}

/** A version that was registered: [status, publisher, height, digest, level, field count]. */
@final
class SchemaHead {
  isActive: bool = true;
  publisher: usize = 0;
  height: i64 = 0;
  digest: usize = 0;
  level: u32 = 0;
  fieldCount: u32 = 0;

  save(schema: Slice): void {
    const writer = new Writer(128);
    writer.list(6);
    writer.ascii(this.isActive ? ACTIVE_NAME : WITHDRAWN_NAME);
    writer.bytes(this.publisher, 32);
    writer.u64(<u64>this.height);
    writer.bytes(this.digest, 32);
    writer.u32(this.level);
    writer.u32(this.fieldCount);
    StateMap.put(headKey(schema), writer.slice());
  }
}

function headKey(schema: Slice): Slice {
  return new StateMap(SCHEMAS).key(schema.pointer, schema.length);
}

function fieldsKey(schema: Slice): Slice {
  return new StateMap(SCHEMA_FIELDS).key(schema.pointer, schema.length);
}

function loadHead(schema: Slice): SchemaHead | null {
  const bytes = StateMap.get(headKey(schema));
  if (bytes === null) return null;
  const reader = Reader.of(<Slice>bytes, STATE_MALFORMED);
  const head = new SchemaHead();
  reader.struct(6);
  const status = reader.text(NAME_BYTES);
  head.isActive = isAscii(status.pointer, status.length, ACTIVE_NAME);
  head.publisher = reader.bytes(32);
  head.height = reader.u53();
  head.digest = reader.bytes(32);
  head.level = reader.u32();
  head.fieldCount = reader.u32();
  return head;
}

/** The record names a version that is in force, and has its leaves and level. */
export function checkSchema(record: Submission): void {
  const type = record.type;
  const minor = minorOf(type, record.schema);
  demand(minor >= 0, "CREDENTIAL_SCHEMA_VERSION");
  let fieldCount = fieldCountOf(type);
  let level = levelOf(type);
  if (minor > 0) {
    const found = loadHead(record.schema);
    if (found === null) revert("CREDENTIAL_SCHEMA_VERSION");
    const head = <SchemaHead>found;
    demand(head.isActive, "CREDENTIAL_SCHEMA_WITHDRAWN");
    fieldCount = head.fieldCount;
    level = head.level;
  }
  demand(record.fieldCount == fieldCount, "CREDENTIAL_FIELD_COUNT");
  demand(record.level == level, "CREDENTIAL_LEVEL");
}

/** Canonical list of the fields of a version that exists. */
export function fieldsOf(type: i32, schema: Slice): Slice {
  if (minorOf(type, schema) == 0) {
    const from = SCHEMA_STARTS[type];
    const start = changetype<usize>(SCHEMA_LISTS) + <usize>from;
    return new Slice(start, <usize>(SCHEMA_STARTS[type + 1] - from));
  }
  const bytes = StateMap.get(fieldsKey(schema));
  if (bytes === null) revert("CREDENTIAL_SCHEMA_VERSION");
  return <Slice>bytes;
}

/** One field of a list; `next` moves on. */
@final
export class FieldReader {
  path: Slice = new Slice(0, 0);
  isRequired: bool = false;
  level: u32 = 0;

  constructor(private reader: Reader) {}

  next(): void {
    const reader = this.reader;
    reader.struct(4);
    this.path = reader.text(PATH_BYTES);
    reader.text(KIND_BYTES);
    this.isRequired = reader.bool();
    this.level = reader.u32();
  }
}

/** The type and version that a schema's name says. */
@final
class SchemaName {
  type: i32 = -1;
  minor: i32 = -1;

  constructor(schema: Slice) {
    for (let type = 0; type < TYPES; type++) {
      const minor = minorOf(type, schema);
      if (minor < 0) continue;
      this.type = type;
      this.minor = minor;
    }
    demand(this.type >= 0, "CREDENTIAL_SCHEMA_VERSION");
  }
}

/** The name of the version before: `type/1.(n − 1)`. */
function nameBefore(type: i32, minor: i32): Slice {
  const name = `${typeName(type)}/1.${(minor - 1).toString()}`;
  const length = <usize>name.length;
  const pointer = allocate(length);
  for (let i: usize = 0; i < length; i++) store<u8>(pointer + i, <u8>name.charCodeAt(<i32>i));
  return new Slice(pointer, length);
}

/** Paths are told apart, levels are levels, and what is added may be left out. */
function readFields(reader: Reader, head: SchemaHead, before: u32): void {
  const paths = new StaticArray<Slice>(<i32>MAX_FIELDS);
  const field = new FieldReader(reader);
  for (let i: u32 = 0; i < head.fieldCount; i++) {
    field.next();
    demand(field.path.length > 0 && field.level >= 1 && field.level <= 4, INCOMPATIBLE);
    demand(i < before || !field.isRequired, INCOMPATIBLE);
    for (let j: u32 = 0; j < i; j++) {
      const other = paths[j];
      const isSame = other.length == field.path.length;
      demand(!isSame || !isEqual(other.pointer, field.path.pointer, other.length), INCOMPATIBLE);
    }
    paths[i] = field.path;
    if (field.level > head.level) head.level = field.level;
  }
}

/** Args: [schema, fields]. By a regulator: the version after the newest. Returns [digest]. */
export function registerSchema(): void {
  const reader = Reader.of(input(), MALFORMED);
  reader.struct(2);
  const schema = reader.text(NAME_BYTES);
  const name = new SchemaName(schema);
  const sender = caller();
  demand(roleOf(sender.role) == ROLE_REGULATOR, "CREDENTIAL_ISSUER_UNAUTHORISED");
  demand(name.minor > 0 && loadHead(schema) === null, "CREDENTIAL_SCHEMA_EXISTS");
  const old = fieldsOf(name.type, nameBefore(name.type, name.minor));
  const oldReader = Reader.of(old, STATE_MALFORMED);
  const before = oldReader.list(MAX_FIELDS);
  const oldLength = old.pointer + old.length - oldReader.at;

  const from = reader.at;
  const head = new SchemaHead();
  head.fieldCount = reader.list(MAX_FIELDS);
  const content = reader.at;
  readFields(reader, head, before);
  const list = new Slice(from, reader.at - from);
  reader.finish();
  demand(list.length <= MAX_LIST_BYTES, INCOMPATIBLE);
  demand(head.fieldCount > before && reader.at - content >= oldLength, INCOMPATIBLE);
  demand(isEqual(content, oldReader.at, oldLength), INCOMPATIBLE);
  head.publisher = sender.address;
  head.height = blockHeight();
  head.digest = taggedSm3(SCHEMA_DOMAIN, list);
  head.save(schema);
  StateMap.put(fieldsKey(schema), list);
  emitSchema(schema, head, sender.address);
}

function emitSchema(schema: Slice, head: SchemaHead, by: usize): void {
  const writer = new Writer(192);
  writer.list(4);
  writer.text(schema.pointer, <u32>schema.length);
  writer.ascii(head.isActive ? ACTIVE_NAME : WITHDRAWN_NAME);
  writer.bytes(by, 32);
  writer.bytes(head.digest, 32);
  emit(SCHEMA_EVENT, writer.slice());
  const result = new Writer(40);
  result.list(1);
  result.bytes(head.digest, 32);
  answer(result.slice());
}

function readSchemaArgs(): Slice {
  const reader = Reader.of(input(), MALFORMED);
  reader.struct(1);
  const schema = reader.text(NAME_BYTES);
  reader.finish();
  return schema;
}

/** Args: [schema]. By a regulator: no new record names it. Returns [digest]. */
export function withdrawSchema(): void {
  const schema = readSchemaArgs();
  const sender = caller();
  demand(roleOf(sender.role) == ROLE_REGULATOR, "CREDENTIAL_ISSUER_UNAUTHORISED");
  const found = loadHead(schema);
  if (found === null) revert("CREDENTIAL_SCHEMA_VERSION");
  const head = <SchemaHead>found;
  demand(head.isActive, "CREDENTIAL_SCHEMA_WITHDRAWN");
  head.isActive = false;
  head.save(schema);
  emitSchema(schema, head, sender.address);
}

/** Args: [schema]. Returns [status, publisher | null, height | null, digest, fields]. */
export function schema(): void {
  const schema = readSchemaArgs();
  const name = new SchemaName(schema);
  const fields = fieldsOf(name.type, schema);
  const writer = new Writer(fields.length + 128);
  writer.list(5);
  if (name.minor == 0) {
    writer.ascii(ACTIVE_NAME);
    writer.nothing();
    writer.nothing();
    writer.bytes(changetype<usize>(SCHEMA_DIGESTS) + <usize>(name.type << 5), 32);
  } else {
    const head = <SchemaHead>loadHead(schema);
    writer.ascii(head.isActive ? ACTIVE_NAME : WITHDRAWN_NAME);
    writer.bytes(head.publisher, 32);
    writer.u64(<u64>head.height);
    writer.bytes(head.digest, 32);
  }
  writer.raw(fields.pointer, fields.length);
  answer(writer.slice());
}
