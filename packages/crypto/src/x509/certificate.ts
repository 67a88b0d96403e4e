import { type Digest, digest, type Result, toHex } from "@credlink/primitives";
import { DER_TAG, DerReader } from "../der.ts";
import { CryptoError } from "../errors.ts";
import { decodePem, decodePemBlocks, encodePem } from "../pem.ts";
import type { Platform } from "../platform.ts";
import {
  type CertificateConstraints,
  type CertificateExtension,
  readConstraints,
  readExtensions,
} from "./extensions.ts";
import { type DistinguishedName, decodeName } from "./names.ts";
import {
  decodeOrRefuse,
  readPublicKey,
  readSigned,
  requireSameAlgorithm,
  type SignedParts,
} from "./signed.ts";
import { readTime } from "./time.ts";

/** A certificate that was read: its form is good, nothing about trust is said. */
export interface Certificate extends CertificateConstraints, SignedParts {
  readonly der: Uint8Array;
  /** Lower-case hexadecimal without leading zero bytes. */
  readonly serialNumber: string;
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  /** DER of the names: issuer and subject are the same when these bytes are. */
  readonly subjectDer: Uint8Array;
  readonly issuerDer: Uint8Array;
  /** 65 bytes, on the curve. */
  readonly subjectKey: Uint8Array;
  /** First and last moment of validity, both included; whole seconds in milliseconds since 1970. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** SM3 of the DER. */
  readonly fingerprint: Digest;
  readonly extensions: readonly CertificateExtension[];
}

/** Codes with which `parseCertificate` refuses. */
export type CertificateRefusal =
  | "CRYPTO_CERTIFICATE_MALFORMED"
  | "CRYPTO_CERTIFICATE_ALGORITHM"
  | "CRYPTO_CERTIFICATE_EXTENSION_UNKNOWN"
  | "CRYPTO_PEM_MALFORMED";

export const CERTIFICATE_LABEL = "CERTIFICATE";
const MAX_CERTIFICATE_BYTES = 16 * 1024;
const MAX_SERIAL_BYTES = 20;

/** The serial number of a certificate: positive, at most 20 bytes. @see RFC 5280 §4.1.2.2 */
export function readSerialNumber(reader: DerReader): string {
  const content = reader.integer();
  const digits = content[0] === 0 ? content.subarray(1) : content;
  const isNegative = (content[0] ?? 0) >= 0x80;
  if (isNegative || digits.length === 0 || digits.length > MAX_SERIAL_BYTES) {
    throw new CryptoError("CRYPTO_CERTIFICATE_MALFORMED", "serial number");
  }
  return toHex(digits);
}

const VERSION_TAG = 0xa0;
const EXTENSIONS_TAG = 0xa3;
const VERSION_3 = 2;

function requireVersion3(reader: DerReader): void {
  const version = reader.enter(VERSION_TAG);
  if (version.smallInteger() !== VERSION_3) {
    throw new CryptoError("CRYPTO_CERTIFICATE_MALFORMED", "not version 3");
  }
  version.end();
}

function readValidity(reader: DerReader): Pick<Certificate, "notBeforeMs" | "notAfterMs"> {
  const notBeforeMs = readTime(reader);
  const notAfterMs = readTime(reader);
  reader.end();
  if (notBeforeMs > notAfterMs) throw new CryptoError("CRYPTO_CERTIFICATE_MALFORMED", "dates");
  return { notBeforeMs, notAfterMs };
}

function decode(sm3: Platform["sm3"], input: Uint8Array): Certificate {
  if (input.length > MAX_CERTIFICATE_BYTES) {
    throw new CryptoError("CRYPTO_CERTIFICATE_MALFORMED", "too large");
  }
  const der = input.slice();
  const { signedBytes, algorithm, signature } = readSigned(der);
  const reader = new DerReader(signedBytes).enter();
  requireVersion3(reader);
  const serialNumber = readSerialNumber(reader);
  requireSameAlgorithm(reader, algorithm);
  const issuerDer = reader.read(DER_TAG.sequence).raw;
  const validity = readValidity(reader.enter());
  const subjectDer = reader.read(DER_TAG.sequence).raw;
  const subjectKey = readPublicKey(reader.read(DER_TAG.sequence).raw);
  const extensions = reader.isEmpty ? [] : readExtensions(reader.enterOnly(EXTENSIONS_TAG));
  reader.end();
  return Object.freeze({
    der,
    signedBytes,
    signature,
    serialNumber,
    issuer: decodeName(issuerDer),
    subject: decodeName(subjectDer),
    issuerDer,
    subjectDer,
    subjectKey,
    ...validity,
    ...readConstraints(extensions),
    fingerprint: digest(sm3(der)),
    extensions,
  });
}

/** Reads one certificate from DER, or from PEM text that holds exactly one. */
export function parseCertificate(
  sm3: Platform["sm3"],
  input: Uint8Array | string,
): Result<Certificate, CertificateRefusal> {
  return decodeOrRefuse("CRYPTO_CERTIFICATE_MALFORMED", () =>
    decode(sm3, typeof input === "string" ? decodePem(CERTIFICATE_LABEL, input) : input),
  );
}

/** Reads every certificate of a PEM text, in its order; one that is bad refuses the whole. */
export function parseCertificateBundle(
  sm3: Platform["sm3"],
  pem: string,
): Result<readonly Certificate[], CertificateRefusal> {
  return decodeOrRefuse("CRYPTO_CERTIFICATE_MALFORMED", () =>
    decodePemBlocks(CERTIFICATE_LABEL, pem).map((der) => decode(sm3, der)),
  );
}

/** PEM text of a certificate. */
export function certificateToPem(certificate: Certificate): string {
  return encodePem(CERTIFICATE_LABEL, certificate.der);
}
