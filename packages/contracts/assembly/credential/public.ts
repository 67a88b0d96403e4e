import {
  allocate,
  answer,
  caller,
  demand,
  emit,
  input,
  isEqual,
  isEqual32,
  Reader,
  Slice,
  sm3,
  StateMap,
  taggedSm3,
  Writer,
} from "../sdk/index";
import { demandStored } from "./issuing";
import { ACTIVE, PUBLISHED, statusName, Submission } from "./record";
import { FieldReader, fieldsOf, MAX_FIELDS } from "./schemas";
import { PUBLIC_TYPES } from "./tables";
import { typeName } from "./types";

/*
 * Public fields of enterprises and institutions in clear. Each is shown with its salt and its way
 * to the record's root, so that nothing can be published but what was committed to.
 */

/** Topic of a publication: [id, type, issuer]. */
export const PUBLICATION = "credential.published";

const MALFORMED = "CREDENTIAL_MALFORMED";
const MISMATCH = "CREDENTIAL_PUBLIC_MISMATCH";
const FIELD_DOMAIN = "credlink/field/1";
const MAX_SHOWN: u32 = 16;
/** Most bytes of all values that one credential publishes. */
const MAX_PUBLIC_BYTES: usize = 4_096;
const MAX_SIBLINGS: i32 = 16;

function hashPair(prefix: u8, left: usize, right: usize, rightLength: usize): usize {
  const bytes = allocate(65);
  store<u8>(bytes, prefix);
  memory.copy(bytes + 1, left, 32);
  memory.copy(bytes + 33, right, rightLength);
  return sm3(new Slice(bytes, 33 + rightLength));
}

/** Largest power of two below `count`. */
function splitOf(count: u32): u32 {
  let split: u32 = 1;
  while (split << 1 < count) split <<= 1;
  return split;
}

/** The way from a leaf to the root, as RFC 6962 joins the leaves; siblings from the leaf up. */
@final
class Climb {
  private rest: i32;

  constructor(
    private leaf: usize,
    private siblings: StaticArray<usize>,
    count: i32,
  ) {
    this.rest = count;
  }

  private up(at: u32, size: u32): usize {
    if (size == 1) return this.leaf;
    demand(this.rest > 0, MISMATCH);
    this.rest -= 1;
    const sibling = this.siblings[this.rest];
    const split = splitOf(size);
    if (at < split) return hashPair(1, this.up(at, split), sibling, 32);
    return hashPair(1, sibling, this.up(at - split, size - split), 32);
  }

  root(index: u32, size: u32): usize {
    const root = this.up(index, size);
    demand(this.rest == 0, MISMATCH);
    return root;
  }
}

/** One field: reads its disclosure, holds it to schema and root, and appends [path, value]. */
function show(reader: Reader, record: Submission, fields: FieldWalk, writer: Writer): void {
  reader.struct(7);
  const schema = reader.text(64);
  const path = reader.text(128);
  const salt = reader.bytes(32);
  const value = reader.at;
  reader.skip();
  const valueLength = reader.at - value;
  const index = reader.u32();
  const size = reader.u32();
  const siblings = new StaticArray<usize>(MAX_SIBLINGS);
  const count = <i32>reader.list(<u32>MAX_SIBLINGS);
  for (let i = 0; i < count; i++) siblings[i] = reader.bytes(32);

  const isOwn = schema.length == record.schema.length && size == record.fieldCount;
  demand(isOwn && isEqual(schema.pointer, record.schema.pointer, schema.length), MISMATCH);
  fields.moveTo(index);
  const isNamed = path.length == fields.path.length;
  demand(isNamed && isEqual(path.pointer, fields.path.pointer, path.length), MISMATCH);
  demand(fields.level == 1, "CREDENTIAL_PUBLIC_LEVEL");

  const content = new Writer(valueLength + 256);
  content.list(4);
  content.text(schema.pointer, <u32>schema.length);
  content.text(path.pointer, <u32>path.length);
  content.bytes(salt, 32);
  content.raw(value, valueLength);
  const field = taggedSm3(FIELD_DOMAIN, content.slice());
  const leaf = hashPair(0, field, field, 0);
  const root = new Climb(leaf, siblings, count).root(index, size);
  demand(isEqual32(root, record.root), MISMATCH);

  writer.list(2);
  writer.text(path.pointer, <u32>path.length);
  writer.raw(value, valueLength);
}

/** Walks a schema's fields forwards; each place is asked for once, in order. */
@final
class FieldWalk {
  private at: u32 = 0;

  private constructor(
    private field: FieldReader,
    private count: u32,
  ) {}

  static over(fields: Slice): FieldWalk {
    const reader = Reader.of(fields, "CREDENTIAL_STATE_MALFORMED");
    const count = reader.list(MAX_FIELDS);
    return new FieldWalk(new FieldReader(reader), count);
  }

  get path(): Slice {
    return this.field.path;
  }

  get level(): u32 {
    return this.field.level;
  }

  moveTo(index: u32): void {
    demand(index >= this.at && index < this.count, MISMATCH);
    while (this.at <= index) {
      this.field.next();
      this.at += 1;
    }
  }
}

function publicKey(id: usize): Slice {
  return new StateMap(PUBLISHED).key(id, 32);
}

/**
 * Args: [id, disclosures], in the schema's order. By the issuer, of an active credential; takes
 * the place of what was published before. Returns [id].
 */
export function publish(): void {
  const reader = Reader.of(input(), MALFORMED);
  reader.struct(2);
  const id = reader.bytes(32);
  const count = reader.list(MAX_SHOWN);
  const stored = demandStored(id);
  const record = stored.submission;
  demand(isEqual32(record.issuer, caller().address), "CREDENTIAL_NOT_ISSUER");
  demand(((PUBLIC_TYPES >> record.type) & 1) == 1, "CREDENTIAL_PUBLIC_LEVEL");
  demand(stored.status == ACTIVE, "CREDENTIAL_NOT_ACTIVE");
  const writer = new Writer(1_024);
  writer.list(count);
  const fields = FieldWalk.over(fieldsOf(record.type, record.schema));
  for (let i: u32 = 0; i < count; i++) show(reader, record, fields, writer);
  reader.finish();
  demand(writer.length <= MAX_PUBLIC_BYTES, "CREDENTIAL_PUBLIC_TOO_LARGE");
  StateMap.put(publicKey(id), writer.slice());
  const event = new Writer(160);
  event.list(3);
  event.bytes(id, 32);
  event.ascii(typeName(record.type));
  event.bytes(record.issuer, 32);
  emit(PUBLICATION, event.slice());
  const result = new Writer(40);
  result.list(1);
  result.bytes(id, 32);
  answer(result.slice());
}

/** Args: [id]. Returns [type, status, [[path, value], …]]: what is published of a credential. */
export function publicData(): void {
  const reader = Reader.of(input(), MALFORMED);
  reader.struct(1);
  const id = reader.bytes(32);
  reader.finish();
  const stored = demandStored(id);
  const bytes = StateMap.get(publicKey(id));
  const writer = new Writer(MAX_PUBLIC_BYTES + 128);
  writer.list(3);
  writer.ascii(typeName(stored.submission.type));
  writer.ascii(statusName(stored.status));
  if (bytes === null) writer.list(0);
  else writer.raw((<Slice>bytes).pointer, (<Slice>bytes).length);
  answer(writer.slice());
}
