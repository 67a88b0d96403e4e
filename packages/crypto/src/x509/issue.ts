import { fromHex, invariant, type Signer, toHex } from "@credlink/primitives";
import { DER_TAG, derElement, derSequence, derUnsigned } from "../der.ts";
import { CryptoError } from "../errors.ts";
import { encodeSubjectPublicKeyInfo } from "../key-encoding.ts";
import type { Platform } from "../platform.ts";
import { isValidPublicKey } from "../sm2-curve.ts";
import { type Certificate, parseCertificate } from "./certificate.ts";
import {
  encodeAuthorityKey,
  encodeExtension,
  encodeExtensions,
  encodeListNumber,
  OID_LIST_REASON,
} from "./extensions.ts";
import { type DistinguishedName, encodeName } from "./names.ts";
import {
  parseRevocationList,
  type Revocation,
  type RevocationList,
  reasonCode,
} from "./revocation-list.ts";
import { ALGORITHM, writeSigned } from "./signed.ts";
import { parseSigningRequest, type SigningRequest } from "./signing-request.ts";
import { encodeTime } from "./time.ts";
import { isValidTooLong } from "./validity.ts";

const SERIAL_BYTES = 16;
/** [0] EXPLICIT INTEGER 2. */
const VERSION_3 = derElement(0xa0, derUnsigned(Uint8Array.of(2)));

/** What a certificate to be issued says. */
export interface CertificateContent {
  readonly subject: DistinguishedName;
  /** 65 bytes. */
  readonly subjectKey: Uint8Array;
  /** Milliseconds since 1970; seconds are kept. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /**
   * Makes it a CA's certificate that allows `pathLength` further CAs below it (undefined: any
   * number). Absent: a member's, which may sign and nothing else, for at most three years.
   */
  readonly authority?: { readonly pathLength: number | undefined };
  /** Hexadecimal, positive, at most 20 bytes; default 16 random bytes. */
  readonly serialNumber?: string;
}

/** A list to be issued. */
export interface RevocationListContent {
  readonly thisUpdateMs: number;
  /** Absent: the list never goes stale. */
  readonly nextUpdateMs?: number;
  /** Higher than that of the list before it. */
  readonly number: number;
  readonly revoked: readonly Revocation[];
}

/** The platform's parts that issuing needs. */
export type IssuePlatform = Pick<Platform, "sm3" | "sm2Verify" | "randomBytes">;

interface Issuer {
  /** DER of the issuer's subject, byte for byte. */
  readonly nameDer: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** INTEGER of a positive number in hexadecimal. */
function encodeSerial(hex: string): Uint8Array {
  const digits = fromHex(hex.padStart(hex.length + (hex.length % 2), "0"));
  invariant(
    digits.some((byte) => byte !== 0),
    "a serial number is positive",
  );
  return derUnsigned(digits);
}

function randomSerial(platform: IssuePlatform): string {
  const bytes = platform.randomBytes(SERIAL_BYTES);
  // Positive without a leading zero byte, so that its text is always as long.
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return toHex(bytes);
}

function checkContent(content: CertificateContent): void {
  const lengthMs = content.notAfterMs - content.notBeforeMs;
  const isTooLong = content.authority === undefined && isValidTooLong(content);
  if (!(lengthMs > 0) || isTooLong) {
    throw new CryptoError("CRYPTO_CERTIFICATE_VALIDITY_TOO_LONG", `${lengthMs} ms`);
  }
  if (!isValidPublicKey(content.subjectKey)) {
    throw new CryptoError("CRYPTO_PUBLIC_KEY_INVALID", "not a point on the SM2 curve");
  }
}

/** Identifies a key in certificates: SM3 of the 65-byte point, as GmSSL has it. */
function keyIdentifier(platform: IssuePlatform, publicKey: Uint8Array): Uint8Array {
  return platform.sm3(publicKey);
}

async function issue(
  platform: IssuePlatform,
  content: CertificateContent,
  issuer: Issuer,
  signer: Signer,
): Promise<Certificate> {
  checkContent(content);
  const extensions = encodeExtensions({
    issuerKeyIdentifier: keyIdentifier(platform, issuer.publicKey),
    subjectKeyIdentifier: keyIdentifier(platform, content.subjectKey),
    authority: content.authority,
  });
  const signedBytes = derSequence(
    VERSION_3,
    encodeSerial(content.serialNumber ?? randomSerial(platform)),
    ALGORITHM,
    issuer.nameDer,
    derSequence(encodeTime(content.notBeforeMs), encodeTime(content.notAfterMs)),
    encodeName(content.subject),
    encodeSubjectPublicKeyInfo(content.subjectKey),
    derElement(0xa3, extensions),
  );
  const der = writeSigned(signedBytes, await signer.sign(signedBytes));
  const certificate = parseCertificate(platform.sm3, der);
  invariant(certificate.ok, "a certificate just made can be read");
  return certificate.value;
}

function checkSigner(issuer: Certificate, signer: Signer): void {
  if (toHex(issuer.subjectKey) !== toHex(signer.publicKey)) {
    throw new CryptoError("CRYPTO_ISSUER_KEY_MISMATCH", "not the issuer's key");
  }
}

/**
 * Issues a certificate under `issuer`, whose key `signer` holds.
 * @throws CryptoError CRYPTO_ISSUER_KEY_MISMATCH, CRYPTO_CERTIFICATE_VALIDITY_TOO_LONG,
 *   CRYPTO_CERTIFICATE_NAME_INVALID, CRYPTO_PUBLIC_KEY_INVALID
 */
export async function createCertificate(
  platform: IssuePlatform,
  content: CertificateContent & { readonly issuer: Certificate; readonly signer: Signer },
): Promise<Certificate> {
  checkSigner(content.issuer, content.signer);
  const issuer = {
    nameDer: content.issuer.subjectDer,
    publicKey: content.issuer.subjectKey,
  };
  return issue(platform, content, issuer, content.signer);
}

/**
 * Issues a root CA's certificate, signed with its own key.
 * @throws CryptoError CRYPTO_CERTIFICATE_VALIDITY_TOO_LONG, CRYPTO_CERTIFICATE_NAME_INVALID
 */
export async function createSelfSignedCertificate(
  platform: IssuePlatform,
  content: Omit<CertificateContent, "subjectKey"> & { readonly signer: Signer },
): Promise<Certificate> {
  const { signer } = content;
  const issuer = { nameDer: encodeName(content.subject), publicKey: signer.publicKey };
  return issue(platform, { ...content, subjectKey: signer.publicKey }, issuer, signer);
}

/**
 * Makes a PKCS#10 request for the signer's key: only this leaves the member's machine.
 * @throws CryptoError CRYPTO_CERTIFICATE_NAME_INVALID
 */
export async function createSigningRequest(
  platform: IssuePlatform,
  content: { readonly subject: DistinguishedName; readonly signer: Signer },
): Promise<SigningRequest> {
  const signedBytes = derSequence(
    derUnsigned(Uint8Array.of(0)),
    encodeName(content.subject),
    encodeSubjectPublicKeyInfo(content.signer.publicKey),
    derElement(0xa0),
  );
  const der = writeSigned(signedBytes, await content.signer.sign(signedBytes));
  const request = parseSigningRequest(platform, der);
  invariant(request.ok, "a request just made can be read");
  return request.value;
}

function encodeEntry(entry: Revocation): Uint8Array {
  const reason = derElement(DER_TAG.enumerated, Uint8Array.of(reasonCode(entry.reason)));
  return derSequence(
    encodeSerial(entry.serialNumber),
    encodeTime(entry.revokedAtMs),
    derSequence(encodeExtension(OID_LIST_REASON, false, reason)),
  );
}

/**
 * Issues the revocation list of `issuer`, whose key `signer` holds.
 * @throws CryptoError CRYPTO_ISSUER_KEY_MISMATCH
 */
export async function createRevocationList(
  platform: IssuePlatform,
  content: RevocationListContent & { readonly issuer: Certificate; readonly signer: Signer },
): Promise<RevocationList> {
  checkSigner(content.issuer, content.signer);
  const { nextUpdateMs, revoked } = content;
  const extensions = derSequence(
    encodeAuthorityKey(keyIdentifier(platform, content.issuer.subjectKey)),
    encodeListNumber(content.number),
  );
  const signedBytes = derSequence(
    derUnsigned(Uint8Array.of(1)),
    ALGORITHM,
    content.issuer.subjectDer,
    encodeTime(content.thisUpdateMs),
    ...(nextUpdateMs === undefined ? [] : [encodeTime(nextUpdateMs)]),
    // RFC 5280 §5.1.2.6: the field must be absent when nothing is revoked.
    ...(revoked.length === 0 ? [] : [derSequence(...revoked.map(encodeEntry))]),
    derElement(0xa0, extensions),
  );
  const der = writeSigned(signedBytes, await content.signer.sign(signedBytes));
  const list = parseRevocationList(der);
  invariant(list.ok, "a list just made can be read");
  return list.value;
}
