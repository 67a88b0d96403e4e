import { Packr } from "msgpackr";
import { scanWire } from "./codec-scan.ts";
import { AppError, accept, type Refusal, type Result } from "./errors.ts";

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
  toWire(value: T): WireValue;
  /** @throws CodecError when `wire` is not a value of `T`. */
  fromWire(wire: WireValue): T;
}

export type CodecErrorCode =
  | "PRIMITIVES_CODEC_TOO_LARGE"
  | "PRIMITIVES_CODEC_MALFORMED"
  | "PRIMITIVES_CODEC_NOT_CANONICAL"
  | "PRIMITIVES_CODEC_SCHEMA";

export class CodecError extends AppError<{ readonly code: CodecErrorCode }> {}

/** The value that a codec describes. */
export type ValueOf<C> = C extends Codec<infer T> ? T : never;

const packr = new Packr({ useRecords: false, int64AsType: "bigint", variableMapSize: false });

/** Default cap of `decode`: no single value of the protocol is larger. */
export const DEFAULT_MAX_BYTES = 8 * 1024 * 1024;

/** The one canonical encoding of `value`, in memory of its own. */
export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  return new Uint8Array(packr.pack(codec.toWire(value)));
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
  const plain = new Uint8Array(input.buffer, input.byteOffset, input.length);
  const problem = scanWire(plain);
  if (problem !== null) throw new CodecError({ code: "PRIMITIVES_CODEC_MALFORMED" }, problem);
  const value = codec.fromWire(packr.unpack(plain));
  if (!isSameEncoding(packr.pack(codec.toWire(value)), plain)) {
    throw new CodecError({ code: "PRIMITIVES_CODEC_NOT_CANONICAL" }, "not the canonical encoding");
  }
  return value;
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

function isSameEncoding(packed: Uint8Array, input: Uint8Array): boolean {
  if (packed.length !== input.length) return false;
  for (let i = 0; i < packed.length; i++) if (packed[i] !== input[i]) return false;
  return true;
}

function schemaError(expected: string): CodecError {
  return new CodecError({ code: "PRIMITIVES_CODEC_SCHEMA" }, `expected ${expected}`);
}

function check<T extends WireValue>(
  expected: string,
  holds: (wire: WireValue) => wire is T,
): Codec<T> {
  const pass = (wire: WireValue): T => {
    if (!holds(wire)) throw schemaError(expected);
    return wire;
  };
  return { toWire: pass, fromWire: pass };
}

/** Unsigned 32-bit integer. */
export const u32: Codec<number> = check(
  "an unsigned 32-bit integer",
  (wire): wire is number =>
    typeof wire === "number" && Number.isInteger(wire) && wire >= 0 && wire <= 0xffff_ffff,
);

const U64_MAX = 2n ** 64n - 1n;

/** Unsigned 64-bit integer, nine bytes on the wire. */
export const u64: Codec<bigint> = check(
  "an unsigned 64-bit integer",
  (wire): wire is bigint => typeof wire === "bigint" && wire >= 0n && wire <= U64_MAX,
);

/** Safe integer from 0 (heights, milliseconds, gas): a `number` in memory, a u64 on the wire. */
export const u53: Codec<number> = {
  toWire(value) {
    if (!Number.isSafeInteger(value) || value < 0) throw schemaError("a safe integer from 0");
    return BigInt(value);
  },
  fromWire(wire) {
    if (typeof wire !== "bigint" || wire < 0n || wire > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw schemaError("a safe integer from 0");
    }
    return Number(wire);
  },
};

export const bool: Codec<boolean> = check(
  "a boolean",
  (wire): wire is boolean => typeof wire === "boolean",
);

/** Byte string of exactly `length` bytes. */
export function bytes(length: number): Codec<Uint8Array> {
  return check(
    `${length} bytes`,
    (wire): wire is Uint8Array => wire instanceof Uint8Array && wire.length === length,
  );
}

/** Byte string of at most `max` bytes. */
export function bytesUpTo(max: number): Codec<Uint8Array> {
  return check(
    `at most ${max} bytes`,
    (wire): wire is Uint8Array => wire instanceof Uint8Array && wire.length <= max,
  );
}

const encoder = new TextEncoder();

/** Well-formed Unicode text of at most `maxBytes` bytes of UTF-8. */
export function text(maxBytes: number): Codec<string> {
  return check(
    `text of at most ${maxBytes} bytes`,
    (wire): wire is string =>
      typeof wire === "string" &&
      wire.length <= maxBytes &&
      wire.isWellFormed() &&
      (wire.length * 3 <= maxBytes || encoder.encode(wire).length <= maxBytes),
  );
}

/** At most `max` values of one kind. */
export function list<T>(item: Codec<T>, max: number): Codec<readonly T[]> {
  const isList = (wire: WireValue): wire is readonly WireValue[] =>
    Array.isArray(wire) && wire.length <= max;
  return {
    toWire(values) {
      if (values.length > max) throw schemaError(`at most ${max} items`);
      return values.map((value) => item.toWire(value));
    },
    fromWire(wire) {
      if (!isList(wire)) throw schemaError(`a list of at most ${max} items`);
      return wire.map((value) => item.fromWire(value));
    },
  };
}

/** The value, or null. */
export function nullable<T>(inner: Codec<T>): Codec<T | null> {
  return {
    toWire: (value) => (value === null ? null : inner.toWire(value)),
    fromWire: (wire) => (wire === null ? null : inner.fromWire(wire)),
  };
}

type Fields<T> = { readonly [K in keyof T]: Codec<T[K]> };

/** A positional array whose places are the fields in the order they are written here. */
export function struct<T extends object>(fields: Fields<T>): Codec<T> {
  const places = Object.entries(fields) as [keyof T, Codec<T[keyof T]>][];
  return {
    toWire: (value) => places.map(([name, codec]) => codec.toWire(value[name])),
    fromWire(wire) {
      if (!Array.isArray(wire) || wire.length !== places.length) {
        throw schemaError(`an array of ${places.length} fields`);
      }
      const value: Partial<T> = {};
      for (let i = 0; i < places.length; i++) {
        const [name, codec] = places[i] as (typeof places)[number];
        value[name] = codec.fromWire(wire[i]);
      }
      return value as T;
    },
  };
}

/**
 * One of several structs told apart by `type`: `[tag, …fields]`, the tag being the struct's
 * number in `variants`, which must never be given to another.
 */
export function union<T extends { readonly type: string }>(
  variants: {
    readonly [K in T["type"]]: readonly [
      tag: number,
      codec: Codec<Omit<Extract<T, { readonly type: K }>, "type">>,
    ];
  },
): Codec<T> {
  const byType = new Map<string, readonly [number, Codec<object>]>(Object.entries(variants));
  const byTag = new Map<number, readonly [string, Codec<object>]>();
  for (const [type, [tag, codec]] of byType) byTag.set(tag, [type, codec]);
  return {
    toWire(value) {
      const variant = byType.get(value.type);
      if (variant === undefined) throw schemaError(`a known type, not ${value.type}`);
      const [tag, codec] = variant;
      return [tag, ...(codec.toWire(value) as readonly WireValue[])];
    },
    fromWire(wire) {
      if (!Array.isArray(wire) || typeof wire[0] !== "number") throw schemaError("a tagged array");
      const variant = byTag.get(wire[0]);
      if (variant === undefined) throw schemaError("a known tag");
      const [type, codec] = variant;
      return { type, ...codec.fromWire(wire.slice(1)) } as T;
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
    toWire: (value) => inner.toWire(expose(value)),
    fromWire(wire) {
      const plain = inner.fromWire(wire);
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
  return check(
    `one of ${values.join(", ")}`,
    (wire): wire is T => typeof wire === "string" && (values as readonly string[]).includes(wire),
  );
}
