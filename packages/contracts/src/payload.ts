import {
  accept,
  type Codec,
  encode as encodeValue,
  type Result,
  refuse,
  type WireValue,
  wireValue,
} from "@credlink/primitives";
import type { CredentialType } from "./credential-types.ts";

/** A field's value as it stands: the payload's schema says what it may be. */
export const fieldValueCodec: Codec<WireValue> = wireValue;

/** Most bytes of one field's canonical encoding. */
export const MAX_FIELD_BYTES = 64 * 1024;

/** What a field may be. */
export interface FieldKind {
  /** For people and generated documents. */
  readonly name: string;
  readonly holds: (value: WireValue) => boolean;
}

/** Data level: 1 public, 2 internal, 3 sensitive, 4 highly sensitive. */
export type DataLevel = 1 | 2 | 3 | 4;

export interface PayloadField {
  /** Dotted path; the payload is a flat table of paths. */
  readonly path: string;
  readonly kind: FieldKind;
  readonly isRequired: boolean;
  readonly level: DataLevel;
}

/** The fields of one type's payload, in the order of the commitment's leaves. */
export interface PayloadSchema {
  /** The type, a slash and the version: stands in the record and in every leaf. */
  readonly id: string;
  readonly type: CredentialType;
  /** Highest level of its fields. */
  readonly level: DataLevel;
  readonly fields: readonly PayloadField[];
  /** What fields must be together; the text says what is wrong, null that nothing is. */
  readonly judge: (payload: Payload) => string | null;
}

/**
 * A credential's private content by path. Amounts are whole fen and times milliseconds, both as
 * `bigint`; other numbers are integers or decimal text; nothing is ever a float.
 */
export type Payload = Readonly<Record<string, WireValue>>;

export type PayloadRefusalCode =
  | "CONTRACTS_PAYLOAD_FIELD_MISSING"
  | "CONTRACTS_PAYLOAD_FIELD_UNKNOWN"
  | "CONTRACTS_PAYLOAD_FIELD_INVALID"
  | "CONTRACTS_PAYLOAD_INCONSISTENT";

/** Judges a payload by its schema: required fields, kinds with their check digits, sums. */
export function validatePayload(
  schema: PayloadSchema,
  payload: Payload,
): Result<Payload, PayloadRefusalCode> {
  const known = new Set(schema.fields.map(({ path }) => path));
  for (const path of Object.keys(payload)) {
    if (!known.has(path)) return refuse("CONTRACTS_PAYLOAD_FIELD_UNKNOWN", path);
  }
  for (const { path, kind, isRequired } of schema.fields) {
    const value = payload[path];
    if (value === undefined) {
      if (isRequired) return refuse("CONTRACTS_PAYLOAD_FIELD_MISSING", path);
    } else if (!kind.holds(value) || encodeValue(fieldValueCodec, value).length > MAX_FIELD_BYTES) {
      return refuse("CONTRACTS_PAYLOAD_FIELD_INVALID", `${path} is not ${kind.name}`);
    }
  }
  const problem = schema.judge(payload);
  return problem === null ? accept(payload) : refuse("CONTRACTS_PAYLOAD_INCONSISTENT", problem);
}

/** One line of a schema: path, kind, and whether it may be left out. */
export type FieldLine = readonly [
  path: string,
  kind: FieldKind,
  presence: "required" | "optional",
  level?: DataLevel,
];

/** Builds a schema; a field without a level is at level 1. */
export function defineSchema(
  type: CredentialType,
  lines: readonly FieldLine[],
  judge: (payload: Payload) => string | null = () => null,
): PayloadSchema {
  const fields = lines.map(([path, kind, presence, level = 1]) => ({
    path,
    kind,
    isRequired: presence === "required",
    level,
  }));
  const levels = fields.map(({ level }) => level);
  const highest = ([4, 3, 2] as const).find((level) => levels.includes(level)) ?? 1;
  return { id: `${type}/1.0`, type, level: highest, fields, judge };
}
