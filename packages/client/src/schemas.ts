import {
  CREDENTIAL_CONTRACT,
  type CredentialRecord,
  type CredentialType,
  credentialTypes,
  type PayloadSchema,
  parseSchemaName,
  payloadSchemas,
  type RegisteredSchema,
  type RegisterSchemaArgs,
  registeredSchemaCodec,
  registerSchemaArgsCodec,
  type SchemaField,
  schemaArgsCodec,
  schemaDigest,
  schemaDigestCodec,
  schemaFields,
  schemaFieldsCodec,
  schemaFieldsKey,
  schemaKey,
  schemaListDigest,
  schemaOfFields,
} from "@credlink/contracts";
import { type Address, type Digest, encode, equalBytes } from "@credlink/primitives";
import type { Client } from "./client.ts";
import { credentialCall } from "./credential-calls.ts";
import { clientError } from "./errors.ts";
import { type Executed, executeFor } from "./executed.ts";
import { decodeClaim, type VerifiedHeader } from "./header-claims.ts";

/** A version of a type's payload schema. */
export interface SchemaVersionInfo {
  /** `type/1.n`. */
  readonly id: string;
  readonly type: CredentialType;
  readonly status: "active" | "withdrawn";
  /** Who registered it, in which block; null for version 1.0, which is part of the contract. */
  readonly publisher: Address | null;
  readonly height: number | null;
  readonly digest: Digest;
  readonly fields: readonly SchemaField[];
  /** Head under which it is proven; null for version 1.0. */
  readonly header: VerifiedHeader | null;
}

function builtInVersion(type: CredentialType): SchemaVersionInfo {
  const { id, fields } = payloadSchemas[type];
  return {
    ...{ id, type, status: "active", publisher: null, height: null, header: null },
    digest: schemaDigest(fields),
    fields: schemaFields(fields),
  };
}

/**
 * A registered version from its two state values, of which only the first needs a proof: it has
 * the digest of the second.
 *
 * @throws ClientError CLIENT_RECORD_ALTERED when the list of fields is another
 */
export function readSchemaVersion(
  id: string,
  value: Uint8Array,
  list: Uint8Array,
): {
  readonly head: RegisteredSchema;
  readonly fields: readonly SchemaField[];
  readonly schema: PayloadSchema;
} {
  const name = parseSchemaName(id);
  const head = decodeClaim(registeredSchemaCodec, value, "schema version");
  const fields = decodeClaim(schemaFieldsCodec, list, "fields of a schema");
  if (name === null || name.minor === 0 || !equalBytes(schemaListDigest(list), head.digest)) {
    throw clientError("CLIENT_RECORD_ALTERED", `the fields are not those of ${id}`);
  }
  return { head, fields, schema: schemaOfFields(id, name.type, fields) };
}

/** A version, proven; null when it is proven that nobody registered it. */
export async function getSchema(client: Client, id: string): Promise<SchemaVersionInfo | null> {
  const name = parseSchemaName(id);
  if (name === null) return null;
  if (name.minor === 0) return builtInVersion(name.type);
  const [found = null] = await getVersions(client, [{ id, type: name.type }]);
  return found;
}

async function getVersions(
  client: Client,
  names: readonly { readonly id: string; readonly type: CredentialType }[],
): Promise<readonly (SchemaVersionInfo | null)[]> {
  const keys = names.flatMap(({ id }) => [schemaKey(id), schemaFieldsKey(id)]);
  const { values, header } = await client.getStates(
    keys.map((key) => ({ contract: CREDENTIAL_CONTRACT, key })),
  );
  return names.map(({ id, type }, place) => {
    const value = values[2 * place]?.value ?? null;
    const list = values[2 * place + 1]?.value ?? null;
    if (value === null || list === null) return null;
    const { head, fields } = readSchemaVersion(id, value, list);
    const { status, publisher, height, digest } = head;
    return { id, type, status, publisher, height, digest, fields, header };
  });
}

/** Every version of every type, or of one, by type and ascending: proven to be whole. */
export async function listSchemas(
  client: Client,
  only?: CredentialType,
): Promise<readonly SchemaVersionInfo[]> {
  const found = new Map<CredentialType, SchemaVersionInfo[]>();
  let open: readonly CredentialType[] = only === undefined ? credentialTypes : [only];
  for (const type of open) found.set(type, [builtInVersion(type)]);
  // Versions follow each other without a gap: the first that is absent is the end.
  for (let minor = 1; open.length > 0; minor += 1) {
    const names = open.map((type) => ({ id: `${type}/1.${minor}`, type }));
    const versions = (await getVersions(client, names)).filter((each) => each !== null);
    for (const version of versions) found.get(version.type)?.push(version);
    open = versions.map(({ type }) => type);
  }
  return [...found.values()].flat();
}

/**
 * The version that a record names, as payloads are judged by it.
 * @throws ClientError CLIENT_SCHEMA_UNKNOWN when it is proven that nobody registered it
 */
export async function getPayloadSchema(
  client: Client,
  { schema, type }: Pick<CredentialRecord, "schema" | "type">,
): Promise<PayloadSchema> {
  const builtIn = payloadSchemas[type];
  if (builtIn.id === schema) return builtIn;
  const version = await getSchema(client, schema);
  if (version === null || version.type !== type) {
    throw clientError("CLIENT_SCHEMA_UNKNOWN", `no version ${schema} of ${type}`);
  }
  return schemaOfFields(schema, type, version.fields);
}

/** Registers the next version of a type: by a regulator; all fields, the new ones last. */
export function registerSchema(
  client: Client,
  args: RegisterSchemaArgs,
): Promise<Executed<{ readonly digest: Digest }>> {
  const call = credentialCall("registerSchema", encode(registerSchemaArgsCodec, args));
  return executeFor(client, call, schemaDigestCodec);
}

/** Withdraws a registered version: by a regulator; no new record may name it. */
export function withdrawSchema(
  client: Client,
  schema: string,
): Promise<Executed<{ readonly digest: Digest }>> {
  const call = credentialCall("withdrawSchema", encode(schemaArgsCodec, { schema }));
  return executeFor(client, call, schemaDigestCodec);
}
