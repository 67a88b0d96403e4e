import { type CredentialType, credentialTypes } from "./credential-types.ts";
import { kindNamed } from "./field-kinds.ts";
import type { DataLevel, PayloadSchema } from "./payload.ts";
import type { SchemaField } from "./schema-registry.ts";
import { payloadSchemas } from "./schemas/index.ts";

const SCHEMA_NAME = /^([a-z.-]+)\/1\.(0|[1-9]\d{0,3})$/;

/** What a schema's name says. */
export interface SchemaName {
  readonly type: CredentialType;
  /** n of `type/1.n`; 0 is the version that is part of the contract. */
  readonly minor: number;
}

/** Reads `type/1.n`; null when it is nothing of the kind. */
export function parseSchemaName(text: string): SchemaName | null {
  const [, typeText, minor] = SCHEMA_NAME.exec(text) ?? [];
  const type = credentialTypes.find((each) => each === typeText);
  return type === undefined ? null : { type, minor: Number(minor) };
}

function levelOf(level: number): DataLevel {
  return level === 2 || level === 3 || level === 4 ? level : 1;
}

/**
 * A registered version as payloads are made and judged by it. Fields of version 1.0 keep their
 * kinds; one that is added has the kind that its name says, and may hold anything where this build
 * does not know the name. What fields must be together stays as version 1.0 says.
 */
export function schemaOfFields(id: string, type: CredentialType, fields: readonly SchemaField[]) {
  const builtIn = payloadSchemas[type];
  const all = fields.map(({ path, kind, isRequired, level }, place) => {
    const old = builtIn.fields[place];
    const isOld = old?.path === path && old.kind.name === kind;
    return { path, kind: isOld ? old.kind : kindNamed(kind), isRequired, level: levelOf(level) };
  });
  const level = levelOf(Math.max(1, ...all.map((field) => field.level)));
  const schema: PayloadSchema = { id, type, level, fields: all, judge: builtIn.judge };
  return schema;
}
