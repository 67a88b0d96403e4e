import { fromHex, invariant, type Signer, toHex } from "@credlink/primitives";
import { Attributes, CertificationRequestInfo } from "@peculiar/asn1-csr";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  CRLReason,
  CRLReasons,
  Extension,
  Extensions,
  id_ce_cRLReasons,
  Name,
  RevokedCertificate,
  SubjectPublicKeyInfo,
  TBSCertificate,
  TBSCertList,
  Time,
  Validity,
  Version,
} from "@peculiar/asn1-x509";
import { CryptoError } from "../errors.ts";
import { encodeSubjectPublicKeyInfo } from "../key-encoding.ts";
import type { Platform } from "../platform.ts";
import { isValidPublicKey } from "../sm2-curve.ts";
import { type Certificate, parseCertificate } from "./certificate.ts";
import { authorityKeyExtension, certificateExtensions, listNumberExtension } from "./extensions.ts";
import { type DistinguishedName, encodeName } from "./names.ts";
import { parseRevocationList, type Revocation, type RevocationList } from "./revocation-list.ts";
import { OID_SM2_WITH_SM3, writeSigned } from "./signed.ts";
import { parseSigningRequest, type SigningRequest } from "./signing-request.ts";

/** Three years, leap day included. */
export const MAX_MEMBER_VALIDITY_MS = 1096 * 86_400_000;
const SERIAL_BYTES = 16;

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
  readonly name: Name;
  readonly publicKey: Uint8Array;
}

function buffer(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer;
}

const algorithm = (): AlgorithmIdentifier =>
  new AlgorithmIdentifier({ algorithm: OID_SM2_WITH_SM3 });

/** INTEGER content of a positive number in hexadecimal. */
function serialContent(hex: string): ArrayBuffer {
  const digits = hex.replace(/^(?:00)+/, "");
  const bytes = fromHex(digits);
  invariant(bytes.length > 0 && bytes.length <= 20, "a serial number has 1 to 20 bytes");
  return buffer((bytes[0] ?? 0) >= 0x80 ? Uint8Array.of(0, ...bytes) : bytes);
}

function randomSerial(platform: IssuePlatform): string {
  const bytes = platform.randomBytes(SERIAL_BYTES);
  // Positive without a leading zero byte, so that its text is always as long.
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return toHex(bytes);
}

function checkContent(content: CertificateContent): void {
  const lengthMs = content.notAfterMs - content.notBeforeMs;
  const isTooLong = content.authority === undefined && lengthMs > MAX_MEMBER_VALIDITY_MS;
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
  const tbs = new TBSCertificate({
    version: Version.v3,
    serialNumber: serialContent(content.serialNumber ?? randomSerial(platform)),
    signature: algorithm(),
    issuer: issuer.name,
    validity: new Validity({
      notBefore: new Date(content.notBeforeMs),
      notAfter: new Date(content.notAfterMs),
    }),
    subject: encodeName(content.subject),
    subjectPublicKeyInfo: AsnConvert.parse(
      encodeSubjectPublicKeyInfo(content.subjectKey),
      SubjectPublicKeyInfo,
    ),
    extensions: new Extensions(
      certificateExtensions({
        issuerKeyIdentifier: keyIdentifier(platform, issuer.publicKey),
        subjectKeyIdentifier: keyIdentifier(platform, content.subjectKey),
        authority: content.authority,
      }),
    ),
  });
  const signedBytes = new Uint8Array(AsnConvert.serialize(tbs));
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

/** The subject of a certificate, re-encoded byte for byte as the issuer of others. */
function nameOf(certificate: Certificate): Name {
  return AsnConvert.parse(certificate.subjectDer, Name);
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
  const issuer = { name: nameOf(content.issuer), publicKey: content.issuer.subjectKey };
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
  const issuer = { name: encodeName(content.subject), publicKey: signer.publicKey };
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
  const info = new CertificationRequestInfo({
    version: 0,
    subject: encodeName(content.subject),
    subjectPKInfo: AsnConvert.parse(
      encodeSubjectPublicKeyInfo(content.signer.publicKey),
      SubjectPublicKeyInfo,
    ),
    attributes: new Attributes(),
  });
  const signedBytes = new Uint8Array(AsnConvert.serialize(info));
  const der = writeSigned(signedBytes, await content.signer.sign(signedBytes));
  const request = parseSigningRequest(platform, der);
  invariant(request.ok, "a request just made can be read");
  return request.value;
}

function revokedEntry(entry: Revocation): RevokedCertificate {
  const reason = AsnConvert.serialize(new CRLReason(CRLReasons[entry.reason]));
  return new RevokedCertificate({
    userCertificate: serialContent(entry.serialNumber),
    revocationDate: new Time(new Date(entry.revokedAtMs)),
    crlEntryExtensions: [
      new Extension({ extnID: id_ce_cRLReasons, extnValue: new OctetString(reason) }),
    ],
  });
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
  const tbs = new TBSCertList({
    version: Version.v2,
    signature: algorithm(),
    issuer: nameOf(content.issuer),
    thisUpdate: new Time(new Date(content.thisUpdateMs)),
    ...(nextUpdateMs === undefined ? {} : { nextUpdate: new Time(new Date(nextUpdateMs)) }),
    // RFC 5280 §5.1.2.6: the field must be absent when nothing is revoked.
    ...(revoked.length === 0 ? {} : { revokedCertificates: revoked.map(revokedEntry) }),
    crlExtensions: [
      authorityKeyExtension(keyIdentifier(platform, content.issuer.subjectKey)),
      listNumberExtension(content.number),
    ],
  });
  const signedBytes = new Uint8Array(AsnConvert.serialize(tbs));
  const der = writeSigned(signedBytes, await content.signer.sign(signedBytes));
  const list = parseRevocationList(der);
  invariant(list.ok, "a list just made can be read");
  return list.value;
}
