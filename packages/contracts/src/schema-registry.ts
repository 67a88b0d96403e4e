import { taggedSm3 } from "@credlink/crypto";
import {
  type Address,
  addressCodec,
  bool,
  type Codec,
  type Digest,
  digestCodec,
  encode,
  type Height,
  heightCodec,
  list,
  nullable,
  oneOf,
  struct,
  text,
  u32,
} from "@credlink/primitives";
import type { CredentialType } from "./credential-types.ts";
import type { PayloadField } from "./payload.ts";

/*
 * The schema registry on chain: built-in schemas are version 1.0 of each type and part of the
 * contract; a further version 1.n adds optional fields behind those of 1.(n−1), nothing else.
 */

/** Most fields of a schema. */
export const MAX_SCHEMA_FIELDS = 64;
/** Most bytes of a registered list of fields, so that the answer of `schema` has room for it. */
export const MAX_SCHEMA_BYTES = 16_000;

/** One field as the registry keeps it. */
export interface SchemaField {
  /** Dotted path. */
  readonly path: string;
  /** The kind's name, for people and for whoever builds a form. */
  readonly kind: string;
  readonly isRequired: boolean;
  /** Data level, 1 to 4. */
  readonly level: number;
}

export const schemaFieldsCodec: Codec<readonly SchemaField[]> = list(
  struct({ path: text(128), kind: text(255), isRequired: bool, level: u32 }),
  MAX_SCHEMA_FIELDS,
);

/** The registry's form of a schema's fields. */
export function schemaFields(fields: readonly PayloadField[]): readonly SchemaField[] {
  return fields.map(({ path, kind, isRequired, level }) => ({
    path,
    kind: kind.name,
    isRequired,
    level,
  }));
}

/** Canonical bytes of a schema's fields, as the registry holds them. */
export function encodeSchemaFields(fields: readonly PayloadField[]): Uint8Array {
  return encode(schemaFieldsCodec, schemaFields(fields));
}

/** What identifies a schema version's content. */
export function schemaDigest(fields: readonly PayloadField[]): Digest {
  return schemaListDigest(encodeSchemaFields(fields));
}

/** The same of a list's canonical bytes. */
export function schemaListDigest(list: Uint8Array): Digest {
  return taggedSm3("credlink/schema/1", list);
}

/** A registered version as the state keeps it, beside the list of its fields. */
export interface RegisteredSchema {
  readonly status: "active" | "withdrawn";
  readonly publisher: Address;
  /** Block that registered it. */
  readonly height: Height;
  /** Of the list of its fields. */
  readonly digest: Digest;
  /** Highest level of its fields. */
  readonly level: number;
  readonly fieldCount: number;
}
export const registeredSchemaCodec: Codec<RegisteredSchema> = struct({
  status: oneOf("active", "withdrawn"),
  publisher: addressCodec,
  height: heightCodec,
  digest: digestCodec,
  level: u32,
  fieldCount: u32,
});

/** `registerSchema`: the next version of a type, by a regulator. */
export interface RegisterSchemaArgs {
  /** `type/1.n`. */
  readonly schema: string;
  readonly fields: readonly SchemaField[];
}
export const registerSchemaArgsCodec: Codec<RegisterSchemaArgs> = struct({
  schema: text(64),
  fields: schemaFieldsCodec,
});

/** What `registerSchema` and `withdrawSchema` return. */
export const schemaDigestCodec: Codec<{ readonly digest: Digest }> = struct({
  digest: digestCodec,
});

/** `withdrawSchema` and `schema`. */
export const schemaArgsCodec: Codec<{ readonly schema: string }> = struct({ schema: text(64) });

/** What `schema` returns. */
export interface SchemaVersion {
  readonly status: "active" | "withdrawn";
  /** Null for the built-in version. */
  readonly publisher: Address | null;
  /** Block that registered it; null for the built-in version. */
  readonly height: Height | null;
  readonly digest: Digest;
  readonly fields: readonly SchemaField[];
}
export const schemaVersionCodec: Codec<SchemaVersion> = struct({
  status: oneOf("active", "withdrawn"),
  publisher: nullable(addressCodec),
  height: nullable(heightCodec),
  digest: digestCodec,
  fields: schemaFieldsCodec,
});

/** Topic of the event of a registered or withdrawn version: [schema, status, by, digest]. */
export const SCHEMA_TOPIC = "credential.schema";
export interface SchemaEvent {
  readonly schema: string;
  readonly status: "active" | "withdrawn";
  readonly by: Address;
  readonly digest: Digest;
}
export const schemaEventCodec: Codec<SchemaEvent> = struct({
  schema: text(64),
  status: oneOf("active", "withdrawn"),
  by: addressCodec,
  digest: digestCodec,
});

/** Types of which public fields may be published in clear. */
export const publicTypes: readonly CredentialType[] = [
  "identity.institution",
  "identity.enterprise",
];
