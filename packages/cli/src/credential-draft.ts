import {
  type AmountOpening,
  CREDENTIAL_FORMAT,
  type CredentialFile,
  type CredentialRecord,
  caseTermsCodec,
  commitAmount,
  commitPayload,
  createIndexEntry,
  createOpenings,
  createSalts,
  credentialRecordCodec,
  credentialRelations,
  credentialTypes,
  decodeCredentialFile,
  encodeGrantTerms,
  type FieldKind,
  grantActions,
  type IndexKey,
  identifierKinds,
  isSummed,
  type Payload,
  type PayloadSchema,
  payloadSchemas,
  validatePayload,
  verdictResults,
  verdictTermsCodec,
  verifyCredentialFile,
} from "@credlink/contracts";
import { parseAddress, randomBytes } from "@credlink/crypto";
import {
  type Address,
  digest,
  encode,
  equalBytes,
  fromHex,
  toHex,
  type WireValue,
} from "@credlink/primitives";
import { z } from "zod";
import { CliError } from "./errors.ts";

const hex32 = z.string().regex(/^[0-9a-f]{64}$/);
const time = z.iso.datetime({ offset: true });

type JsonValue =
  | string
  | number
  | boolean
  | null
  | { readonly bytes: string }
  | { readonly integer: string }
  | readonly JsonValue[];

const jsonValue: z.ZodType<JsonValue> = z.lazy(() =>
  z.union([
    z.string(),
    z.number().int().nonnegative(),
    z.boolean(),
    z.null(),
    z.strictObject({ bytes: z.string().regex(/^(?:[0-9a-f]{2})*$/) }),
    z.strictObject({ integer: z.string().regex(/^(?:0|[1-9]\d{0,18})$/) }),
    z.array(jsonValue),
  ]),
);

const caseTerms = z.strictObject({ evidenceDigest: hex32, holds: z.boolean() });
const verdictTerms = z.strictObject({ result: z.enum(verdictResults) });
const grantTerms = z.strictObject({
  grantee: z.string(),
  purpose: z.string().min(1).max(64),
  actions: z.array(z.enum(grantActions)).min(1),
  maxUses: z.number().int().min(1).max(0xffff_ffff).nullable().default(null),
  revocable: z.boolean().default(true),
  fieldsDigest: hex32.nullable().default(null),
  consentDigest: hex32.nullable().default(null),
});

/** A credential as people write it; `credential submit` turns it into a credential file. */
export const credentialDraftSchema = z.strictObject({
  type: z.enum(credentialTypes),
  /** A registered version, `type/1.n`; absent: version 1.0. */
  schema: z.string().max(64).optional(),
  /** Addresses; absent: the issuer itself, for an institution's identity. */
  subjects: z.array(z.string()).optional(),
  parents: z
    .array(
      z.strictObject({
        id: hex32,
        relation: z.enum(credentialRelations),
        /** Credential file of a parent whose amounts are summed: its openings are needed. */
        file: z.string().optional(),
      }),
    )
    .default([]),
  validFrom: time,
  validTo: time.nullable().default(null),
  payload: z.record(z.string(), jsonValue),
  /** Terms of a case, verdict or grant. */
  terms: z.union([caseTerms, verdictTerms, grantTerms]).optional(),
  /** Identifiers that must be unique in the consortium: only their blinded form goes on chain. */
  identifiers: z
    .array(z.strictObject({ kind: z.enum(identifierKinds), identifier: z.string() }))
    .default([]),
});
export type CredentialDraft = z.infer<typeof credentialDraftSchema>;

/** A draft, or a credential file that was completed before. */
export type CredentialInput =
  | { readonly kind: "draft"; readonly draft: CredentialDraft }
  | { readonly kind: "file"; readonly file: CredentialFile };

/** @throws CliError CLI_FILE_MALFORMED; ContractsError CONTRACTS_FILE_MALFORMED */
export function readCredentialInput(text: string, path: string): CredentialInput {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new CliError("CLI_FILE_MALFORMED", `${path} is not JSON`, { cause });
  }
  if (typeof json === "object" && json !== null && "format" in json) {
    return { kind: "file", file: decodeCredentialFile(text) };
  }
  const parsed = credentialDraftSchema.safeParse(json);
  if (!parsed.success) {
    throw new CliError("CLI_FILE_MALFORMED", `${path}: ${z.prettifyError(parsed.error)}`);
  }
  return { kind: "draft", draft: parsed.data };
}

/**
 * Completes a draft: id, salts and policy digest are drawn at random, index values made with the
 * consortium's key, amounts committed to so that their sums with those of the parents hold.
 *
 * @param readParent gives the credential file of a parent by its path.
 * @param schema the version that the draft names; default: the one that is part of the contract.
 * @throws CliError CLI_CREDENTIAL_INVALID, CLI_OPTIONS_CONFLICT
 */
export function completeDraft(
  draft: CredentialDraft,
  issuer: Address,
  indexKey: IndexKey | undefined,
  readParent: (path: string) => CredentialFile,
  schema: PayloadSchema = payloadSchemas[draft.type],
): CredentialFile {
  if (draft.schema !== undefined && draft.schema !== schema.id) {
    throw new CliError("CLI_CREDENTIAL_INVALID", `the schema is ${draft.schema}, not ${schema.id}`);
  }
  const payload = readPayload(draft, schema);
  const salts = createSalts(payload, randomBytes);
  const openings = openAmounts(draft, payload, readParent);
  const record: CredentialRecord = {
    format: CREDENTIAL_FORMAT,
    id: randomBytes(32),
    type: draft.type,
    schema: schema.id,
    issuer,
    subjects: draft.subjects?.map(readAddress) ?? [issuer],
    parents: draft.parents.map(({ id, relation }) => ({ id: fromHex(id), relation })),
    commitment: commitPayload(schema, payload, salts),
    indexes: makeIndexes(draft, indexKey),
    amounts: openings.map(commitAmount),
    policyDigest: digest(randomBytes(32)),
    level: schema.level,
    validFromMs: Date.parse(draft.validFrom),
    validToMs: draft.validTo === null ? null : Date.parse(draft.validTo),
    payloadReference: null,
    terms: encodeTerms(draft),
  };
  return { record, payload, salts, openings };
}

function openAmounts(
  draft: CredentialDraft,
  payload: Payload,
  readParent: (path: string) => CredentialFile,
): readonly AmountOpening[] {
  const summed = draft.parents.filter(({ relation }) => isSummed(relation));
  const parents = summed.map(({ id, file }) => {
    if (file === undefined) {
      throw new CliError("CLI_CREDENTIAL_INVALID", `parent ${id}: its file is needed for sums`);
    }
    const parent = readParent(file);
    if (toHex(parent.record.id) !== id) {
      throw new CliError("CLI_CREDENTIAL_INVALID", `${file} is not the file of parent ${id}`);
    }
    return parent.openings;
  });
  return createOpenings(draft.type, payload, parents, randomBytes);
}

function encodeTerms({ type, terms }: CredentialDraft): Uint8Array | null {
  if (terms === undefined) return null;
  if (type === "arbitration.case" && "holds" in terms) {
    const evidenceDigest = digest(fromHex(terms.evidenceDigest));
    return encode(caseTermsCodec, { evidenceDigest, holds: terms.holds });
  }
  if (type === "arbitration.verdict" && "result" in terms) return encode(verdictTermsCodec, terms);
  if (type === "grant.access" && "grantee" in terms) {
    const digestOf = (hex: string | null) => (hex === null ? null : digest(fromHex(hex)));
    return encodeGrantTerms({
      grantee: readAddress(terms.grantee),
      purpose: terms.purpose,
      actions: terms.actions,
      maxUses: terms.maxUses,
      isRevocable: terms.revocable,
      fieldsDigest: digestOf(terms.fieldsDigest),
      consentDigest: digestOf(terms.consentDigest),
    });
  }
  throw new CliError("CLI_CREDENTIAL_INVALID", `terms do not belong to ${type}`);
}

function makeIndexes(draft: CredentialDraft, key: IndexKey | undefined) {
  return draft.identifiers.map(({ kind, identifier }) => {
    if (key === undefined) {
      throw new CliError("CLI_OPTIONS_CONFLICT", "identifiers need --index-key");
    }
    return createIndexEntry(key, kind, identifier);
  });
}

/**
 * What of a credential file is not what the chain holds; empty: the file is the original.
 * @param schema the version that the chain's record names; default: the contract's own.
 */
export function findDifferences(
  file: CredentialFile,
  chain: CredentialRecord,
  schema?: PayloadSchema,
): string[] {
  const found: string[] = [];
  const isSame = (a: CredentialRecord, b: CredentialRecord): boolean =>
    equalBytes(encode(credentialRecordCodec, a), encode(credentialRecordCodec, b));
  if (!isSame(file.record, chain)) found.push("record");
  const opened = verifyCredentialFile(file, chain, schema);
  if (!opened.ok) found.push(`payload (${opened.detail ?? opened.code})`);
  return found;
}

/** @throws CliError CLI_CREDENTIAL_INVALID */
export function readAddress(text: string): Address {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new CliError("CLI_CREDENTIAL_INVALID", `not an address: ${text}`);
  return parsed.value;
}

function readPayload(draft: CredentialDraft, schema: PayloadSchema): Payload {
  const payload: Record<string, WireValue> = {};
  for (const [path, value] of Object.entries(draft.payload)) {
    const kind = schema.fields.find((field) => field.path === path)?.kind;
    payload[path] = readValue(value, kind);
  }
  const verdict = validatePayload(schema, payload);
  if (!verdict.ok) {
    throw new CliError("CLI_CREDENTIAL_INVALID", `${verdict.code} ${verdict.detail ?? ""}`.trim());
  }
  return verdict.value;
}

/** The reading of a JSON value that its field's kind accepts, or its plain one. */
function readValue(value: JsonValue, kind: FieldKind | undefined): WireValue {
  const all = readings(value);
  const [plain = null] = all;
  return kind === undefined ? plain : (all.find(kind.holds) ?? plain);
}

/** What a JSON value may mean: a number an amount, a text a time or bytes. */
function readings(value: JsonValue): readonly WireValue[] {
  if (typeof value === "number")
    return value <= 0xffff_ffff ? [value, BigInt(value)] : [BigInt(value)];
  if (typeof value === "string") {
    const isBytes = /^(?:[0-9a-f]{2})+$/.test(value);
    const isTime = time.safeParse(value).success;
    return [
      value,
      ...(isBytes ? [fromHex(value)] : []),
      ...(isTime ? [BigInt(Date.parse(value))] : []),
    ];
  }
  if (typeof value !== "object" || value === null) return [value];
  if ("bytes" in value) return [fromHex(value.bytes)];
  if ("integer" in value) return [BigInt(value.integer)];
  const items = value.map(readings);
  // Every item plain, or every item in its last reading: lists hold values of one kind.
  return [items.map(([plain = null]) => plain), items.map((item) => item.at(-1) ?? null)];
}
