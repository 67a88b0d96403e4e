import type { Result } from "@credlink/primitives";
import { DER_TAG, DerReader } from "../der.ts";
import { CryptoError } from "../errors.ts";
import { decodePem, encodePem } from "../pem.ts";
import { readSerialNumber } from "./certificate.ts";
import {
  type CertificateExtension,
  OID_AUTHORITY_KEY,
  OID_LIST_NUMBER,
  OID_LIST_REASON,
  readAuthorityKey,
  readExtensions,
  readListNumber,
} from "./extensions.ts";
import { type DistinguishedName, decodeName } from "./names.ts";
import { decodeOrRefuse, readSigned, requireSameAlgorithm, type SignedParts } from "./signed.ts";
import { readTime } from "./time.ts";

/** Reasons by their code; 7 is not used. @see RFC 5280 §5.3.1 */
const REASONS = [
  "unspecified",
  "keyCompromise",
  "caCompromise",
  "affiliationChanged",
  "superseded",
  "cessationOfOperation",
  "certificateHold",
  undefined,
  "removeFromCrl",
  "privilegeWithdrawn",
  "aaCompromise",
] as const;

/** Why a certificate was revoked. */
export type RevocationReason = Exclude<(typeof REASONS)[number], undefined>;

/** The code of a reason. */
export function reasonCode(reason: RevocationReason): number {
  return REASONS.indexOf(reason);
}

/** One revoked certificate of a list. */
export interface Revocation {
  /** Lower-case hexadecimal without leading zero bytes. */
  readonly serialNumber: string;
  readonly revokedAtMs: number;
  readonly reason: RevocationReason;
}

/** A revocation list that was read; `verifyCertificateChain` judges its signature. */
export interface RevocationList extends SignedParts {
  readonly der: Uint8Array;
  readonly issuer: DistinguishedName;
  readonly issuerDer: Uint8Array;
  /** Hexadecimal; undefined when the list does not say. */
  readonly authorityKeyIdentifier: string | undefined;
  readonly number: number | undefined;
  readonly thisUpdateMs: number;
  /** Undefined when the list never goes stale. */
  readonly nextUpdateMs: number | undefined;
  /** Serial number to entry. */
  readonly revoked: ReadonlyMap<string, Revocation>;
}

/** Codes with which `parseRevocationList` refuses. */
export type RevocationListRefusal =
  | "CRYPTO_REVOCATION_LIST_MALFORMED"
  | "CRYPTO_CERTIFICATE_ALGORITHM"
  | "CRYPTO_CERTIFICATE_EXTENSION_UNKNOWN"
  | "CRYPTO_PEM_MALFORMED";

const LIST_LABEL = "X509 CRL";
const MAX_LIST_BYTES = 4 * 1024 * 1024;

const EXTENSIONS_TAG = 0xa0;
const VERSION_2 = 1;

function reasonOf(value: Uint8Array): RevocationReason {
  const [code = -1, ...more] = new DerReader(value).read(DER_TAG.enumerated).content;
  const reason = REASONS[code];
  if (reason === undefined || more.length > 0) {
    throw new CryptoError("CRYPTO_REVOCATION_LIST_MALFORMED", "reason");
  }
  return reason;
}

function readEntry(reader: DerReader): Revocation {
  const serialNumber = readSerialNumber(reader);
  const revokedAtMs = readTime(reader);
  let reason: RevocationReason = "unspecified";
  for (const { id, critical, value } of reader.isEmpty ? [] : readExtensions(reader.enter())) {
    if (id === OID_LIST_REASON) reason = reasonOf(value);
    else if (critical) throw new CryptoError("CRYPTO_CERTIFICATE_EXTENSION_UNKNOWN", id);
  }
  reader.end();
  return { serialNumber, revokedAtMs, reason };
}

function readEntries(sequence: DerReader): ReadonlyMap<string, Revocation> {
  const revoked = new Map<string, Revocation>();
  while (!sequence.isEmpty) {
    const entry = readEntry(sequence.enter());
    revoked.set(entry.serialNumber, entry);
  }
  return revoked;
}

function readListExtensions(
  extensions: readonly CertificateExtension[],
): Pick<RevocationList, "authorityKeyIdentifier" | "number"> {
  let authorityKeyIdentifier: string | undefined;
  let number: number | undefined;
  for (const { id, critical, value } of extensions) {
    if (id === OID_AUTHORITY_KEY) authorityKeyIdentifier = readAuthorityKey(value);
    else if (id === OID_LIST_NUMBER) number = readListNumber(value);
    // Delta and indirect lists say so in critical extensions: they are refused here.
    else if (critical) throw new CryptoError("CRYPTO_CERTIFICATE_EXTENSION_UNKNOWN", id);
  }
  return { authorityKeyIdentifier, number };
}

function isTime(tag: number | undefined): boolean {
  return tag === DER_TAG.utcTime || tag === DER_TAG.generalizedTime;
}

function decode(input: Uint8Array): RevocationList {
  if (input.length > MAX_LIST_BYTES) {
    throw new CryptoError("CRYPTO_REVOCATION_LIST_MALFORMED", "too large");
  }
  const der = input.slice();
  const { signedBytes, algorithm, signature } = readSigned(der);
  const reader = new DerReader(signedBytes).enter();
  if (reader.smallInteger() !== VERSION_2) {
    throw new CryptoError("CRYPTO_REVOCATION_LIST_MALFORMED", "not version 2");
  }
  requireSameAlgorithm(reader, algorithm);
  const issuerDer = reader.read(DER_TAG.sequence).raw;
  const thisUpdateMs = readTime(reader);
  const nextUpdateMs = isTime(reader.nextTag) ? readTime(reader) : undefined;
  const isEmptyList = reader.nextTag !== DER_TAG.sequence;
  const revoked = isEmptyList ? new Map<string, Revocation>() : readEntries(reader.enter());
  const extensions = reader.isEmpty ? [] : readExtensions(reader.enterOnly(EXTENSIONS_TAG));
  reader.end();
  return Object.freeze({
    der,
    signedBytes,
    signature,
    issuer: decodeName(issuerDer),
    issuerDer,
    ...readListExtensions(extensions),
    thisUpdateMs,
    nextUpdateMs,
    revoked,
  });
}

/** Reads one revocation list from DER, or from PEM text that holds exactly one. */
export function parseRevocationList(
  input: Uint8Array | string,
): Result<RevocationList, RevocationListRefusal> {
  return decodeOrRefuse("CRYPTO_REVOCATION_LIST_MALFORMED", () =>
    decode(typeof input === "string" ? decodePem(LIST_LABEL, input) : input),
  );
}

/** PEM text of a revocation list. */
export function revocationListToPem(list: RevocationList): string {
  return encodePem(LIST_LABEL, list.der);
}
