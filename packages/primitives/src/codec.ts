import { scanWire } from "./codec-scan.ts";
import { accept, type Refusal, type Result } from "./errors.ts";
import { CodecError, type CodecErrorCode, schemaError, WireReader } from "./wire-reader.ts";
import { WireWriter } from "./wire-writer.ts";

export { CodecError, type CodecErrorCode } from "./wire-reader.ts";

/**
 * What a canonical encoding is made of: byte strings, text, integers, booleans, null and arrays.
 * A `number` is an unsigned 32-bit integer; anything wider is a `bigint` and takes nine bytes.
 */
export type WireValue =
  | Uint8Array
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly WireValue[];

/** How values of `T` travel. Made by the combinators of this file, never by hand. */
export interface Codec<T> {
  /** @throws CodecError when `value` is outside what the codec allows: a bug of the caller. */
  write(writer: WireWriter, value: T): void;
  /** @throws CodecError when the next value is not one of `T`, canonically encoded. */
  read(reader: WireReader): T;
}

/** A codec of `struct`, whose fields can stand behind the tag of a `union`. */
export interface StructCodec<T> extends Codec<T> {
  readonly fieldCount: number;
  writeFields(writer: WireWriter, value: T): void;
  readFields(reader: WireReader, target: Partial<T>): void;
}

/** The value that a codec describes. */
export type ValueOf<C> = C extends Codec<infer T> ? T : never;

/** Default cap of `decode`: no single value of the protocol is larger. */
export const DEFAULT_MAX_BYTES = 8 * 1024 * 1024;

/** Null while an encoding is under way: a codec may encode a part by itself. */
let idleWriter: WireWriter | null = new WireWriter();

/** The one canonical encoding of `value`, in memory of its own. */
export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  const writer = idleWriter ?? new WireWriter();
  idleWriter = null;
  try {
    codec.write(writer, value);
    return writer.take();
  } finally {
    writer.clear();
    idleWriter = writer;
  }
}

/**
 * The value behind canonical bytes. Byte strings inside are views on `input`, which the caller
 * must not change afterwards.
 *
 * @param options.maxBytes size cap, judged before anything else; default `DEFAULT_MAX_BYTES`.
 * @throws CodecError when the input is too large, malformed, not canonical or not of the schema.
 */
export function decode<T>(
  codec: Codec<T>,
  input: Uint8Array,
  options: { readonly maxBytes?: number } = {},
): T {
  if (input.length > (options.maxBytes ?? DEFAULT_MAX_BYTES)) {
    throw new CodecError({ code: "PRIMITIVES_CODEC_TOO_LARGE" }, `${input.length} bytes`);
  }
  // Views on a Buffer would be Buffers.
  const plain =
    input.constructor === Uint8Array
      ? input
      : new Uint8Array(input.buffer, input.byteOffset, input.length);
  try {
    const reader = new WireReader(plain);
    const value = codec.read(reader);
    reader.end();
    return value;
  } catch (error) {
    // What is not even well-formed is called so, wherever the schema stumbled before.
    const problem = error instanceof CodecError ? scanWire(plain) : null;
    if (problem === null) throw error;
    throw new CodecError({ code: "PRIMITIVES_CODEC_MALFORMED" }, problem);
  }
}

/** `decode` for input from outside: a refusal instead of an exception. */
export function tryDecode<T>(
  codec: Codec<T>,
  input: Uint8Array,
  options: { readonly maxBytes?: number } = {},
): Result<T, CodecErrorCode> {
  try {
    return accept(decode(codec, input, options));
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    const refusal: Refusal<CodecErrorCode> = { ok: false, code: error.code, detail: error.message };
    return refusal;
  }
}

function isU32(value: WireValue): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff;
}

/** Unsigned 32-bit integer. */
export const u32: Codec<number> = {
  write(writer, value) {
    if (!isU32(value)) throw schemaError("an unsigned 32-bit integer");
    writer.u32(value);
  },
  read: (reader) => reader.u32(),
};

const U64_MAX = 2n ** 64n - 1n;

/** Unsigned 64-bit integer, nine bytes on the wire. */
export const u64: Codec<bigint> = {
  write(writer, value) {
    if (typeof value !== "bigint" || value < 0n || value > U64_MAX) {
      throw schemaError("an unsigned 64-bit integer");
    }
    writer.u64(value);
  },
  read: (reader) => reader.u64(),
};

/** Safe integer from 0 (heights, milliseconds, gas): a `number` in memory, a u64 on the wire. */
export const u53: Codec<number> = {
  write(writer, value) {
    if (!Number.isSafeInteger(value) || value < 0) throw schemaError("a safe integer from 0");
    writer.u53(value);
  },
  read: (reader) => reader.u53(),
};

export const bool: Codec<boolean> = {
  write(writer, value) {
    if (typeof value !== "boolean") throw schemaError("a boolean");
    writer.constant(value);
  },
  read: (reader) => reader.bool(),
};

function byteString(expected: string, holds: (length: number) => boolean): Codec<Uint8Array> {
  const pass = (value: Uint8Array): Uint8Array => {
    if (!(value instanceof Uint8Array) || !holds(value.length)) throw schemaError(expected);
    return value;
  };
  return {
    write: (writer, value) => writer.bytes(pass(value)),
    read: (reader) => pass(reader.bytes()),
  };
}

/** Byte string of exactly `length` bytes. */
export function bytes(length: number): Codec<Uint8Array> {
  return byteString(`${length} bytes`, (actual) => actual === length);
}

/** Byte string of at most `max` bytes. */
export function bytesUpTo(max: number): Codec<Uint8Array> {
  return byteString(`at most ${max} bytes`, (actual) => actual <= max);
}

const encoder = new TextEncoder();

/** Well-formed Unicode text of at most `maxBytes` bytes of UTF-8. */
export function text(maxBytes: number): Codec<string> {
  const isShort = (value: string): boolean =>
    value.length <= maxBytes &&
    (value.length * 3 <= maxBytes || encoder.encode(value).length <= maxBytes);
  const expected = `text of at most ${maxBytes} bytes`;
  return {
    write(writer, value) {
      if (typeof value !== "string" || !value.isWellFormed() || !isShort(value)) {
        throw schemaError(expected);
      }
      writer.text(value);
    },
    read(reader) {
      const value = reader.text();
      if (!isShort(value)) throw schemaError(expected);
      return value;
    },
  };
}

/** At most `max` values of one kind. */
export function list<T>(item: Codec<T>, max: number): Codec<readonly T[]> {
  return {
    write(writer, values) {
      if (values.length > max) throw schemaError(`at most ${max} items`);
      writer.array(values.length);
      for (const value of values) item.write(writer, value);
    },
    read(reader) {
      const length = reader.openArray();
      if (length > max) throw schemaError(`a list of at most ${max} items`);
      const values: T[] = [];
      for (let i = 0; i < length; i++) values.push(item.read(reader));
      reader.closeArray();
      return values;
    },
  };
}

/** The value, or null. */
export function nullable<T>(inner: Codec<T>): Codec<T | null> {
  return {
    write(writer, value) {
      if (value === null) writer.constant(null);
      else inner.write(writer, value);
    },
    read: (reader) => (reader.takeNull() ? null : inner.read(reader)),
  };
}

type Fields<T> = { readonly [K in keyof T]: Codec<T[K]> };

/** A positional array whose places are the fields in the order they are written here. */
export function struct<T extends object>(fields: Fields<T>): StructCodec<T> {
  const places = Object.entries(fields) as [keyof T, Codec<T[keyof T]>][];
  const fieldCount = places.length;
  const writeFields = (writer: WireWriter, value: T): void => {
    for (const [name, codec] of places) codec.write(writer, value[name]);
  };
  const readFields = (reader: WireReader, target: Partial<T>): void => {
    for (const [name, codec] of places) target[name] = codec.read(reader);
  };
  return {
    fieldCount,
    writeFields,
    readFields,
    write(writer, value) {
      writer.array(fieldCount);
      writeFields(writer, value);
    },
    read(reader) {
      if (reader.openArray() !== fieldCount) throw schemaError(`an array of ${fieldCount} fields`);
      const value: Partial<T> = {};
      readFields(reader, value);
      reader.closeArray();
      return value as T;
    },
  };
}

type Variant = readonly [type: string, tag: number, codec: StructCodec<object>];

/**
 * One of several structs told apart by `type`: `[tag, …fields]`, the tag being the struct's
 * number in `variants`, which must never be given to another.
 */
export function union<T extends { readonly type: string }>(
  variants: {
    readonly [K in T["type"]]: readonly [
      tag: number,
      codec: StructCodec<Omit<Extract<T, { readonly type: K }>, "type">>,
    ];
  },
): Codec<T> {
  const given = Object.entries(variants) as [string, readonly [number, StructCodec<object>]][];
  const all = given.map(([type, [tag, codec]]): Variant => [type, tag, codec]);
  const byType = new Map(all.map((variant) => [variant[0], variant]));
  const byTag = new Map(all.map((variant) => [variant[1], variant]));
  return {
    write(writer, value) {
      const variant = byType.get(value.type);
      if (variant === undefined) throw schemaError(`a known type, not ${value.type}`);
      const [, tag, codec] = variant;
      writer.array(codec.fieldCount + 1);
      writer.u32(tag);
      codec.writeFields(writer, value);
    },
    read(reader) {
      const length = reader.openArray();
      if (length === 0) throw schemaError("a tagged array");
      const variant = byTag.get(reader.u32());
      if (variant === undefined) throw schemaError("a known tag");
      const [type, , codec] = variant;
      if (length !== codec.fieldCount + 1) throw schemaError(`${codec.fieldCount} fields`);
      const value = { type };
      codec.readFields(reader, value);
      reader.closeArray();
      return value as unknown as T;
    },
  };
}

/**
 * A struct whose first field is `version` and whose later versions have more fields: the codec of
 * the value's version writes it, the one with as many fields as there are reads it.
 */
export function versioned<T extends { readonly version: number }>(
  codecs: Readonly<Record<number, StructCodec<T>>>,
): Codec<T> {
  const versions = Object.entries(codecs).map(
    ([version, codec]) => [Number(version), codec] as const,
  );
  const check = (value: Partial<T>, version: number): T => {
    if (value.version !== version) throw schemaError(`version ${version} for so many fields`);
    return value as T;
  };
  return {
    write(writer, value) {
      const codec = versions.find(([version]) => version === value.version)?.[1];
      if (codec === undefined) throw schemaError(`a known version, not ${value.version}`);
      codec.write(writer, value);
    },
    read(reader) {
      const fieldCount = reader.openArray();
      const found = versions.find(([, codec]) => codec.fieldCount === fieldCount);
      if (found === undefined) throw schemaError("as many fields as a known version has");
      const [version, codec] = found;
      const value: Partial<T> = {};
      codec.readFields(reader, value);
      reader.closeArray();
      return check(value, version);
    },
  };
}

/**
 * One of two structs that differ in their number of fields, which tells them apart: what a format
 * was, and what it became.
 */
export function byFieldCount<A extends object, B extends object>(
  first: StructCodec<A>,
  second: StructCodec<B>,
  isSecond: (value: A | B) => value is B,
): Codec<A | B> {
  const { fieldCount } = second;
  return {
    write(writer, value) {
      if (isSecond(value)) second.write(writer, value);
      else first.write(writer, value);
    },
    read(reader) {
      const length = reader.openArray();
      const codec = length === fieldCount ? second : first;
      if (length !== codec.fieldCount) {
        throw schemaError(`an array of ${first.fieldCount} or ${fieldCount} fields`);
      }
      const value: Partial<A & B> = {};
      codec.readFields(reader, value);
      reader.closeArray();
      return value as A | B;
    },
  };
}

/**
 * A codec whose values are made by `construct` and taken apart by `expose`. What `construct`
 * throws as a RangeError becomes a CodecError.
 */
export function mapCodec<T, W>(
  inner: Codec<W>,
  construct: (wire: W) => T,
  expose: (value: T) => W,
): Codec<T> {
  return {
    write: (writer, value) => inner.write(writer, expose(value)),
    read(reader) {
      const plain = inner.read(reader);
      try {
        return construct(plain);
      } catch (error) {
        if (error instanceof RangeError) throw schemaError(error.message);
        throw error;
      }
    },
  };
}

/** Text that must be one of `values`, in full. */
export function oneOf<const T extends string>(...values: readonly T[]): Codec<T> {
  const known: ReadonlySet<string> = new Set(values);
  const pass = (value: string): T => {
    if (!known.has(value)) throw schemaError(`one of ${values.join(", ")}`);
    return value as T;
  };
  return {
    write: (writer, value) => writer.text(pass(value)),
    read: (reader) => pass(reader.text()),
  };
}

/** Any value that has an encoding, for formats whose values are described elsewhere. */
export const wireValue: Codec<WireValue> = {
  write(writer, value) {
    if (value === null || typeof value === "boolean") writer.constant(value);
    else if (typeof value === "number") u32.write(writer, value);
    else if (typeof value === "bigint") u64.write(writer, value);
    else if (value instanceof Uint8Array) writer.bytes(value);
    else if (typeof value === "string") {
      if (!value.isWellFormed()) throw schemaError("well-formed text");
      writer.text(value);
    } else {
      writer.array(value.length);
      for (const item of value) wireValue.write(writer, item);
    }
  },
  read(reader) {
    const head = reader.peek();
    if (head < 0x80 || (head >= 0xcc && head <= 0xce)) return reader.u32();
    if (head === 0xc0) return reader.takeNull() ? null : false;
    if (head === 0xc2 || head === 0xc3) return reader.bool();
    if (head >= 0xc4 && head <= 0xc6) return reader.bytes();
    if (head === 0xcf || head === 0xd3) return reader.u64();
    if ((head >= 0xa0 && head <= 0xbf) || (head >= 0xd9 && head <= 0xdb)) return reader.text();
    return readArray(reader);
  },
};

function readArray(reader: WireReader): readonly WireValue[] {
  const length = reader.openArray();
  const items: WireValue[] = [];
  for (let i = 0; i < length; i++) items.push(wireValue.read(reader));
  reader.closeArray();
  return items;
}
