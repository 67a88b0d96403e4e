import {
  decode,
  encode,
  fromHex,
  type Result,
  refuse,
  toHex,
  type WireValue,
} from "@credlink/primitives";
import { type AmountOpening, verifyAmounts } from "./amounts.ts";
import { type Salts, verifyPayload } from "./commitment.ts";
import { type CredentialRecord, credentialRecordCodec } from "./credential.ts";
import { ContractsError } from "./errors.ts";
import type { Payload, PayloadSchema } from "./payload.ts";
import { payloadSchemas } from "./schemas/index.ts";

/** A credential with its private part, as its parties keep and hand it over. */
export interface CredentialFile {
  readonly record: CredentialRecord;
  readonly payload: Payload;
  readonly salts: Salts;
  /** What the record's amounts are opened with, in their order. */
  readonly openings: readonly AmountOpening[];
}

/**
 * Whether the private part is what the record commits to: every field, and every amount, in range
 * and as the payload says.
 *
 * @param schema the version that the record names; default: the one that is part of the contract
 */
export function verifyCredentialFile(
  { payload, salts, openings }: CredentialFile,
  record: CredentialRecord,
  schema: PayloadSchema = payloadSchemas[record.type],
): Result<
  true,
  "CONTRACTS_COMMITMENT_MISMATCH" | "CONTRACTS_AMOUNT_RANGE" | "CONTRACTS_AMOUNT_MISMATCH"
> {
  if (schema.id !== record.schema) {
    return refuse("CONTRACTS_COMMITMENT_MISMATCH", `the schema is ${record.schema}`);
  }
  const opened = verifyPayload(schema, payload, salts, record.commitment);
  return opened.ok ? verifyAmounts(record.type, payload, openings, record.amounts) : opened;
}

const FORMAT = "credlink/credential-file/2";

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** JSON of a value: bytes as {"bytes": hex}, integers beyond 32 bits as {"integer": text}. */
function toJson(value: WireValue): Json {
  if (value instanceof Uint8Array) return { bytes: toHex(value) };
  if (typeof value === "bigint") return { integer: String(value) };
  return typeof value === "object" && value !== null ? value.map(toJson) : value;
}

function malformed(what: string): ContractsError {
  return new ContractsError({ code: "CONTRACTS_FILE_MALFORMED" }, what);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: unknown, pattern: RegExp): string {
  if (typeof value !== "string" || !pattern.test(value)) throw malformed("a value is malformed");
  return value;
}

function fromJson(value: unknown): WireValue {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 32) {
    return value;
  }
  if (Array.isArray(value)) return value.map(fromJson);
  if (isObject(value) && Object.keys(value).length === 1) {
    if ("bytes" in value) return fromHex(textOf(value.bytes, /^(?:[0-9a-f]{2})*$/));
    if ("integer" in value) return BigInt(textOf(value.integer, /^(?:0|[1-9]\d{0,19})$/));
  }
  throw malformed("a value is neither text, integer, bytes nor list");
}

function readOpening(value: unknown): AmountOpening {
  if (!isObject(value)) throw malformed("an opening is malformed");
  return {
    value: BigInt(textOf(value.value, /^(?:0|[1-9]\d{0,15})$/)),
    blinding: fromHex(textOf(value.blinding, /^[0-9a-f]{64}$/)),
  };
}

/** The file's text: JSON of {format, record, payload, salts, openings}, bytes in hexadecimal. */
export function encodeCredentialFile(credential: CredentialFile): string {
  const { record, payload, salts, openings } = credential;
  const table = <T>(entries: Readonly<Record<string, T>>, form: (value: T) => Json): Json =>
    Object.fromEntries(Object.entries(entries).map(([path, value]) => [path, form(value)]));
  const file = {
    format: FORMAT,
    record: toHex(encode(credentialRecordCodec, record)),
    payload: table(payload, toJson),
    salts: table(salts, toHex),
    openings: openings.map(({ value, blinding }) => ({
      value: String(value),
      blinding: toHex(blinding),
    })),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/**
 * Undoes `encodeCredentialFile`.
 * @throws ContractsError CONTRACTS_FILE_MALFORMED when the text is anything else.
 */
export function decodeCredentialFile(text: string): CredentialFile {
  try {
    const file: unknown = JSON.parse(text);
    if (!isObject(file) || file.format !== FORMAT) {
      throw malformed("not a credential file");
    }
    if (!isObject(file.payload) || !isObject(file.salts)) throw malformed("no payload or salts");
    if (!Array.isArray(file.openings)) throw malformed("no openings");
    const entries = Object.entries(file.payload);
    return {
      record: decode(credentialRecordCodec, fromHex(textOf(file.record, /^(?:[0-9a-f]{2})+$/))),
      payload: Object.fromEntries(entries.map(([path, value]) => [path, fromJson(value)])),
      salts: Object.fromEntries(
        Object.entries(file.salts).map(([path, salt]) => [
          path,
          fromHex(textOf(salt, /^[0-9a-f]{64}$/)),
        ]),
      ),
      openings: file.openings.map(readOpening),
    };
  } catch (error) {
    if (error instanceof ContractsError) throw error;
    throw new ContractsError({ code: "CONTRACTS_FILE_MALFORMED" }, "not a credential file", {
      cause: error,
    });
  }
}

/** How a field's value stands in JSON, in credential files and wherever else people read one. */
export { fromJson as fieldFromJson, type Json as FieldJson, toJson as fieldToJson };
