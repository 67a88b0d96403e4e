import { equalBytes, type Result } from "@credlink/primitives";
import { AsnConvert } from "@peculiar/asn1-schema";
import {
  CertificateList,
  CRLReason,
  CRLReasons,
  id_ce_authorityKeyIdentifier,
  id_ce_cRLNumber,
  id_ce_cRLReasons,
  type RevokedCertificate,
  Version,
} from "@peculiar/asn1-x509";
import { DER_TAG, DerReader, derElement } from "../der.ts";
import { CryptoError } from "../errors.ts";
import { decodePem, encodePem } from "../pem.ts";
import { readSerialNumber } from "./certificate.ts";
import { readAuthorityKey, readExtensions, readListNumber } from "./extensions.ts";
import { type DistinguishedName, decodeName } from "./names.ts";
import { decodeOrRefuse, readSigned, type SignedParts } from "./signed.ts";

/** Why a certificate was revoked. @see RFC 5280 §5.3.1 */
export type RevocationReason = keyof typeof CRLReasons;

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

function readReason(entry: RevokedCertificate): RevocationReason {
  let reason: RevocationReason = "unspecified";
  for (const { id, critical, value } of readExtensions(entry.crlEntryExtensions ?? [])) {
    if (id === id_ce_cRLReasons) {
      const code = AsnConvert.parse(value, CRLReason).reason;
      const known = Object.entries(CRLReasons).find(([, number]) => number === code)?.[0];
      if (known === undefined) throw new CryptoError("CRYPTO_REVOCATION_LIST_MALFORMED", "reason");
      reason = known as RevocationReason;
    } else if (critical) {
      throw new CryptoError("CRYPTO_CERTIFICATE_EXTENSION_UNKNOWN", id);
    }
  }
  return reason;
}

function readEntry(entry: RevokedCertificate): Revocation {
  const integer = derElement(DER_TAG.integer, new Uint8Array(entry.userCertificate));
  return {
    serialNumber: readSerialNumber(new DerReader(integer)),
    revokedAtMs: entry.revocationDate.getTime().getTime(),
    reason: readReason(entry),
  };
}

function readListExtensions(
  list: CertificateList,
): Pick<RevocationList, "authorityKeyIdentifier" | "number"> {
  let authorityKeyIdentifier: string | undefined;
  let number: number | undefined;
  for (const { id, critical, value } of readExtensions(list.tbsCertList.crlExtensions ?? [])) {
    if (id === id_ce_authorityKeyIdentifier) authorityKeyIdentifier = readAuthorityKey(value);
    else if (id === id_ce_cRLNumber) number = readListNumber(value);
    // Delta and indirect lists say so in critical extensions: they are refused here.
    else if (critical) throw new CryptoError("CRYPTO_CERTIFICATE_EXTENSION_UNKNOWN", id);
  }
  return { authorityKeyIdentifier, number };
}

function decode(input: Uint8Array): RevocationList {
  if (input.length > MAX_LIST_BYTES) {
    throw new CryptoError("CRYPTO_REVOCATION_LIST_MALFORMED", "too large");
  }
  const der = input.slice();
  const { signedBytes, algorithm, signature } = readSigned(der);
  const raw = new DerReader(signedBytes).enter();
  raw.integer();
  const inner = raw.read(DER_TAG.sequence).raw;
  const issuerDer = raw.read(DER_TAG.sequence).raw;
  if (!equalBytes(inner, algorithm)) {
    throw new CryptoError("CRYPTO_CERTIFICATE_ALGORITHM", "two algorithms");
  }
  const list = AsnConvert.parse(der, CertificateList);
  const { tbsCertList } = list;
  if (tbsCertList.version !== Version.v2) {
    throw new CryptoError("CRYPTO_REVOCATION_LIST_MALFORMED", "not version 2");
  }
  const entries = (tbsCertList.revokedCertificates ?? []).map(readEntry);
  return Object.freeze({
    der,
    signedBytes,
    signature,
    issuer: decodeName(tbsCertList.issuer),
    issuerDer,
    ...readListExtensions(list),
    thisUpdateMs: tbsCertList.thisUpdate.getTime().getTime(),
    nextUpdateMs: tbsCertList.nextUpdate?.getTime().getTime(),
    revoked: new Map(entries.map((entry) => [entry.serialNumber, entry])),
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
