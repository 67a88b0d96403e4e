import { type Result, refuse } from "@credlink/primitives";
import { DER_TAG, DerReader } from "../der.ts";
import { CryptoError } from "../errors.ts";
import { decodePem, encodePem } from "../pem.ts";
import type { Platform } from "../platform.ts";
import { type DistinguishedName, decodeName } from "./names.ts";
import { decodeOrRefuse, readPublicKey, readSigned, type SignedParts } from "./signed.ts";

/** A PKCS#10 request whose own signature was verified. @see RFC 2986 */
export interface SigningRequest extends SignedParts {
  readonly der: Uint8Array;
  readonly subject: DistinguishedName;
  /** 65 bytes, on the curve. */
  readonly subjectKey: Uint8Array;
}

/** Codes with which `parseSigningRequest` refuses. */
export type SigningRequestRefusal =
  | "CRYPTO_SIGNING_REQUEST_MALFORMED"
  | "CRYPTO_SIGNING_REQUEST_BAD_SIGNATURE"
  | "CRYPTO_CERTIFICATE_ALGORITHM"
  | "CRYPTO_CERTIFICATE_EXTENSION_UNKNOWN"
  | "CRYPTO_PEM_MALFORMED";

const REQUEST_LABEL = "CERTIFICATE REQUEST";
const ATTRIBUTES_TAG = 0xa0;
const MAX_REQUEST_BYTES = 16 * 1024;

function decode(input: Uint8Array): SigningRequest {
  if (input.length > MAX_REQUEST_BYTES) {
    throw new CryptoError("CRYPTO_SIGNING_REQUEST_MALFORMED", "too large");
  }
  const der = input.slice();
  const { signedBytes, signature } = readSigned(der);
  const raw = new DerReader(signedBytes).enter();
  if (raw.smallInteger() !== 0) {
    throw new CryptoError("CRYPTO_SIGNING_REQUEST_MALFORMED", "not version 1");
  }
  const subject = decodeName(raw.read(DER_TAG.sequence).raw);
  const subjectKey = readPublicKey(raw.read(DER_TAG.sequence).raw);
  if (!raw.isEmpty) raw.read(ATTRIBUTES_TAG);
  raw.end();
  return Object.freeze({ der, signedBytes, signature, subject, subjectKey });
}

/**
 * Reads a request from DER or PEM and verifies that its maker holds the key. The extensions it
 * asks for are not read: the issuer decides.
 */
export function parseSigningRequest(
  platform: Pick<Platform, "sm2Verify">,
  input: Uint8Array | string,
): Result<SigningRequest, SigningRequestRefusal> {
  const request = decodeOrRefuse("CRYPTO_SIGNING_REQUEST_MALFORMED", () =>
    decode(typeof input === "string" ? decodePem(REQUEST_LABEL, input) : input),
  );
  if (!request.ok) return request;
  const { subjectKey, signedBytes, signature } = request.value;
  return platform.sm2Verify(subjectKey, signedBytes, signature)
    ? request
    : refuse("CRYPTO_SIGNING_REQUEST_BAD_SIGNATURE");
}

/** PEM text of a request. */
export function signingRequestToPem(request: SigningRequest): string {
  return encodePem(REQUEST_LABEL, request.der);
}
