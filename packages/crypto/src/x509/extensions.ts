import { fromHex, toHex } from "@credlink/primitives";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AuthorityKeyIdentifier,
  BasicConstraints,
  Extension,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_cRLNumber,
  id_ce_keyUsage,
  id_ce_subjectKeyIdentifier,
  KeyIdentifier,
  KeyUsage as KeyUsageBits,
  KeyUsageFlags,
  SubjectKeyIdentifier,
} from "@peculiar/asn1-x509";
import { assertStrictDer, DER_TAG, DerReader, derUnsigned } from "../der.ts";
import { CryptoError } from "../errors.ts";

/** One extension as it stands in a certificate or list. */
export interface CertificateExtension {
  /** Dotted object identifier. */
  readonly id: string;
  readonly critical: boolean;
  /** DER of the extension's own value. */
  readonly value: Uint8Array;
}

/** What a certified key may be used for. @see RFC 5280 §4.2.1.3 */
export type KeyUsage =
  | "digitalSignature"
  | "nonRepudiation"
  | "keyEncipherment"
  | "dataEncipherment"
  | "keyAgreement"
  | "keyCertSign"
  | "cRLSign"
  | "encipherOnly"
  | "decipherOnly";

const USAGE_BITS: readonly (readonly [KeyUsage, number])[] = [
  ["digitalSignature", KeyUsageFlags.digitalSignature],
  ["nonRepudiation", KeyUsageFlags.nonRepudiation],
  ["keyEncipherment", KeyUsageFlags.keyEncipherment],
  ["dataEncipherment", KeyUsageFlags.dataEncipherment],
  ["keyAgreement", KeyUsageFlags.keyAgreement],
  ["keyCertSign", KeyUsageFlags.keyCertSign],
  ["cRLSign", KeyUsageFlags.cRLSign],
  ["encipherOnly", KeyUsageFlags.encipherOnly],
  ["decipherOnly", KeyUsageFlags.decipherOnly],
];

/** What the known extensions of a certificate say. */
export interface CertificateConstraints {
  readonly isCertificateAuthority: boolean;
  /** How many CAs may follow below this one; undefined: no limit of its own. */
  readonly pathLength: number | undefined;
  readonly keyUsage: ReadonlySet<KeyUsage>;
  /** Hexadecimal. */
  readonly subjectKeyIdentifier: string | undefined;
  /** Hexadecimal. */
  readonly authorityKeyIdentifier: string | undefined;
}

function buffer(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer;
}

function usageOf(value: Uint8Array): ReadonlySet<KeyUsage> {
  const bits = AsnConvert.parse(value, KeyUsageBits).toNumber();
  return new Set(USAGE_BITS.filter(([, bit]) => (bits & bit) !== 0).map(([usage]) => usage));
}

function hexOf(identifier: OctetString | undefined): string | undefined {
  return identifier === undefined ? undefined : toHex(new Uint8Array(identifier.buffer));
}

/**
 * The extensions of a certificate or list, each of them once, with strict DER inside.
 * @throws CryptoError CRYPTO_CERTIFICATE_MALFORMED when one is there twice
 */
export function readExtensions(items: readonly Extension[]): readonly CertificateExtension[] {
  const seen = new Set<string>();
  return items.map((item) => {
    if (seen.has(item.extnID)) throw new CryptoError("CRYPTO_CERTIFICATE_MALFORMED", "twice");
    seen.add(item.extnID);
    const value = new Uint8Array(item.extnValue.buffer);
    return { id: item.extnID, critical: item.critical, value };
  });
}

/** @throws CryptoError CRYPTO_CERTIFICATE_EXTENSION_UNKNOWN, CRYPTO_DER_MALFORMED */
export function readConstraints(
  extensions: readonly CertificateExtension[],
): CertificateConstraints {
  let constraints: CertificateConstraints = {
    isCertificateAuthority: false,
    pathLength: undefined,
    keyUsage: new Set(),
    subjectKeyIdentifier: undefined,
    authorityKeyIdentifier: undefined,
  };
  for (const { id, critical, value } of extensions) {
    if (id === id_ce_basicConstraints) {
      assertStrictDer(value);
      const { cA, pathLenConstraint } = AsnConvert.parse(value, BasicConstraints);
      constraints = { ...constraints, isCertificateAuthority: cA, pathLength: pathLenConstraint };
    } else if (id === id_ce_keyUsage) {
      assertStrictDer(value);
      constraints = { ...constraints, keyUsage: usageOf(value) };
    } else if (id === id_ce_subjectKeyIdentifier) {
      assertStrictDer(value);
      const subjectKeyIdentifier = hexOf(AsnConvert.parse(value, SubjectKeyIdentifier));
      constraints = { ...constraints, subjectKeyIdentifier };
    } else if (id === id_ce_authorityKeyIdentifier) {
      constraints = { ...constraints, authorityKeyIdentifier: readAuthorityKey(value) };
    } else if (critical) {
      throw new CryptoError("CRYPTO_CERTIFICATE_EXTENSION_UNKNOWN", id);
    }
  }
  return constraints;
}

/** The key identifier, in hexadecimal, of an authorityKeyIdentifier extension. */
export function readAuthorityKey(value: Uint8Array): string | undefined {
  assertStrictDer(value);
  return hexOf(AsnConvert.parse(value, AuthorityKeyIdentifier).keyIdentifier);
}

function extension(id: string, critical: boolean, value: unknown): Extension {
  const der = value instanceof Uint8Array ? buffer(value) : AsnConvert.serialize(value);
  return new Extension({ extnID: id, critical, extnValue: new OctetString(der) });
}

/** The authorityKeyIdentifier extension naming the issuer's key. */
export function authorityKeyExtension(issuerKeyIdentifier: Uint8Array): Extension {
  const keyIdentifier = new KeyIdentifier(buffer(issuerKeyIdentifier));
  return extension(
    id_ce_authorityKeyIdentifier,
    false,
    new AuthorityKeyIdentifier({ keyIdentifier }),
  );
}

/** The cRLNumber extension. */
export function listNumberExtension(number: number): Extension {
  const bytes = fromHex(number.toString(16).padStart(16, "0"));
  return extension(id_ce_cRLNumber, false, derUnsigned(bytes));
}

/** The number of a list, when it has one of at most 2^53 − 1. */
export function readListNumber(value: Uint8Array): number | undefined {
  const reader = new DerReader(value);
  const hex = toHex(reader.integer());
  reader.end();
  const number = Number.parseInt(hex, 16);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** The extensions of a certificate to be issued, in the order GmSSL writes them. */
export function certificateExtensions(input: {
  readonly issuerKeyIdentifier: Uint8Array;
  readonly subjectKeyIdentifier: Uint8Array;
  /** Present for a CA. */
  readonly authority: { readonly pathLength: number | undefined } | undefined;
}): Extension[] {
  const usage =
    input.authority === undefined
      ? KeyUsageFlags.digitalSignature
      : KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign;
  const extensions = [
    authorityKeyExtension(input.issuerKeyIdentifier),
    extension(
      id_ce_subjectKeyIdentifier,
      false,
      new SubjectKeyIdentifier(buffer(input.subjectKeyIdentifier)),
    ),
    extension(id_ce_keyUsage, true, keyUsageDer(usage)),
  ];
  if (input.authority !== undefined) {
    const { pathLength } = input.authority;
    const constraints =
      pathLength === undefined
        ? new BasicConstraints({ cA: true })
        : new BasicConstraints({ cA: true, pathLenConstraint: pathLength });
    extensions.push(extension(id_ce_basicConstraints, true, constraints));
  }
  return extensions;
}

/** BIT STRING of the usages below bit 8, trailing zero bits left out. @see X.690 §11.2.2 */
function keyUsageDer(flags: number): Uint8Array {
  let octet = 0;
  for (let bit = 0; bit < 8; bit++) if ((flags >>> bit) & 1) octet |= 0x80 >>> bit;
  const unused = Math.log2(octet & -octet);
  return Uint8Array.of(DER_TAG.bitString, 2, unused, octet);
}
