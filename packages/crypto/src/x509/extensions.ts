import { fromHex, toHex } from "@credlink/primitives";
import {
  assertStrictDer,
  DER_TAG,
  DerReader,
  derElement,
  derObjectIdentifier,
  derSequence,
  derUnsigned,
  objectIdentifierText,
} from "../der.ts";
import { CryptoError } from "../errors.ts";

/** One extension as it stands in a certificate or list. */
export interface CertificateExtension {
  /** Dotted object identifier. */
  readonly id: string;
  readonly critical: boolean;
  /** DER of the extension's own value. */
  readonly value: Uint8Array;
}

/** What a certified key may be used for; the index is the bit. @see RFC 5280 §4.2.1.3 */
const USAGES = [
  "digitalSignature",
  "nonRepudiation",
  "keyEncipherment",
  "dataEncipherment",
  "keyAgreement",
  "keyCertSign",
  "cRLSign",
  "encipherOnly",
  "decipherOnly",
] as const;

export type KeyUsage = (typeof USAGES)[number];

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

const OID_SUBJECT_KEY = "2.5.29.14";
const OID_KEY_USAGE = "2.5.29.15";
/** Of the subject and of the issuer: not used, but read. */
const OIDS_ALTERNATIVE_NAMES: ReadonlySet<string> = new Set(["2.5.29.17", "2.5.29.18"]);
const OID_BASIC_CONSTRAINTS = "2.5.29.19";
/** Refused even where its maker marked it as one that may be passed over: we hold no name to it. */
const OID_NAME_CONSTRAINTS = "2.5.29.30";
export const OID_LIST_NUMBER = "2.5.29.20";
export const OID_LIST_REASON = "2.5.29.21";
export const OID_AUTHORITY_KEY = "2.5.29.35";

const TRUE = derElement(DER_TAG.boolean, Uint8Array.of(0xff));
/** Of authorityKeyIdentifier, each optional, in this order. @see RFC 5280 §4.2.1.1 */
const KEY_IDENTIFIER_TAG = 0x80;
const ISSUER_NAMES_TAG = 0xa1;
const ISSUER_SERIAL_TAG = 0x82;

/** Tags of a GeneralName's choices. @see RFC 5280 §4.2.1.6 */
const NAME_TAGS: ReadonlySet<number> = new Set([
  ...[0xa0, 0x81, 0x82, 0xa3, 0xa4, 0xa5, 0x86, 0x87, 0x88],
]);

/** A BOOLEAN that may be left out and, in DER, is written only when true. */
function readDefaultFalse(reader: DerReader): boolean {
  if (reader.nextTag !== DER_TAG.boolean) return false;
  if (reader.read().content[0] !== 0xff) {
    throw new CryptoError("CRYPTO_DER_MALFORMED", "a default is written out");
  }
  return true;
}

/**
 * The extensions in a SEQUENCE OF Extension, each kind once, with strict DER inside.
 * @throws CryptoError CRYPTO_DER_MALFORMED
 */
export function readExtensions(sequence: DerReader): readonly CertificateExtension[] {
  const found = new Map<string, CertificateExtension>();
  while (!sequence.isEmpty) {
    const reader = sequence.enter();
    const id = objectIdentifierText(reader.read(DER_TAG.objectIdentifier).content);
    const critical = readDefaultFalse(reader);
    const value = reader.read(DER_TAG.octetString).content;
    reader.end();
    assertStrictDer(value);
    if (found.has(id)) throw new CryptoError("CRYPTO_DER_MALFORMED", "an extension twice");
    found.set(id, { id, critical, value });
  }
  return [...found.values()];
}

function readUsages(value: Uint8Array): ReadonlySet<KeyUsage> {
  const bits = new DerReader(value).read(DER_TAG.bitString).content.subarray(1);
  return new Set(
    USAGES.filter((_, bit) => (((bits[bit >>> 3] ?? 0) >>> (7 - (bit & 7))) & 1) === 1),
  );
}

function readBasicConstraints(
  value: Uint8Array,
): Pick<CertificateConstraints, "isCertificateAuthority" | "pathLength"> {
  const reader = new DerReader(value).enter();
  const isCertificateAuthority = readDefaultFalse(reader);
  const pathLength = reader.isEmpty ? undefined : reader.smallInteger();
  reader.end();
  return { isCertificateAuthority, pathLength };
}

/**
 * The key identifier, in hexadecimal, of an authorityKeyIdentifier extension. Issuer and serial
 * number, the other way to name a key, must come together and are not used.
 */
export function readAuthorityKey(value: Uint8Array): string | undefined {
  const reader = new DerReader(value).enter();
  const isNamed = reader.nextTag === KEY_IDENTIFIER_TAG;
  const keyIdentifier = isNamed ? toHex(reader.read().content) : undefined;
  if (reader.nextTag === ISSUER_NAMES_TAG) {
    reader.read();
    reader.read(ISSUER_SERIAL_TAG);
  }
  reader.end();
  return keyIdentifier;
}

/** Reads alternative names: one at least, each of a kind that there is. */
function checkAlternativeNames(value: Uint8Array): void {
  const reader = new DerReader(value).enter();
  do {
    if (!NAME_TAGS.has(reader.read().tag)) {
      throw new CryptoError("CRYPTO_DER_MALFORMED", "an alternative name of no kind");
    }
  } while (!reader.isEmpty);
}

/**
 * What the extensions of a certificate allow.
 * @throws CryptoError CRYPTO_CERTIFICATE_EXTENSION_UNKNOWN, CRYPTO_DER_MALFORMED
 */
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
    if (id === OID_BASIC_CONSTRAINTS) {
      constraints = { ...constraints, ...readBasicConstraints(value) };
    } else if (id === OID_KEY_USAGE) {
      constraints = { ...constraints, keyUsage: readUsages(value) };
    } else if (id === OID_SUBJECT_KEY) {
      const { content } = new DerReader(value).read(DER_TAG.octetString);
      constraints = { ...constraints, subjectKeyIdentifier: toHex(content) };
    } else if (id === OID_AUTHORITY_KEY) {
      constraints = { ...constraints, authorityKeyIdentifier: readAuthorityKey(value) };
    } else if (OIDS_ALTERNATIVE_NAMES.has(id) && !critical) {
      checkAlternativeNames(value);
    } else if (critical || id === OID_NAME_CONSTRAINTS) {
      throw new CryptoError("CRYPTO_CERTIFICATE_EXTENSION_UNKNOWN", id);
    }
  }
  return constraints;
}

/** The number of a list, when it has one of at most 2^53 − 1. */
export function readListNumber(value: Uint8Array): number | undefined {
  const reader = new DerReader(value);
  const number = Number.parseInt(toHex(reader.integer()), 16);
  reader.end();
  return Number.isSafeInteger(number) ? number : undefined;
}

/** DER of one extension. */
export function encodeExtension(id: string, critical: boolean, value: Uint8Array): Uint8Array {
  const flag = critical ? [TRUE] : [];
  return derSequence(derObjectIdentifier(id), ...flag, derElement(DER_TAG.octetString, value));
}

/** The authorityKeyIdentifier extension naming the issuer's key. */
export function encodeAuthorityKey(keyIdentifier: Uint8Array): Uint8Array {
  const value = derSequence(derElement(KEY_IDENTIFIER_TAG, keyIdentifier));
  return encodeExtension(OID_AUTHORITY_KEY, false, value);
}

/** The cRLNumber extension. */
export function encodeListNumber(number: number): Uint8Array {
  const bytes = fromHex(number.toString(16).padStart(16, "0"));
  return encodeExtension(OID_LIST_NUMBER, false, derUnsigned(bytes));
}

/** BIT STRING of usages within the first octet, trailing zero bits left out. @see X.690 §11.2.2 */
function encodeUsages(usages: readonly KeyUsage[]): Uint8Array {
  const octet = usages.reduce((bits, usage) => bits | (0x80 >>> USAGES.indexOf(usage)), 0);
  const unused = Math.log2(octet & -octet);
  return derElement(DER_TAG.bitString, Uint8Array.of(unused, octet));
}

/** SEQUENCE of a certificate's extensions, in the order GmSSL writes them. */
export function encodeExtensions(input: {
  readonly issuerKeyIdentifier: Uint8Array;
  readonly subjectKeyIdentifier: Uint8Array;
  /** Present for a CA. */
  readonly authority: { readonly pathLength: number | undefined } | undefined;
}): Uint8Array {
  const { authority } = input;
  const usages: readonly KeyUsage[] =
    authority === undefined ? ["digitalSignature"] : ["keyCertSign", "cRLSign"];
  const subjectKey = derElement(DER_TAG.octetString, input.subjectKeyIdentifier);
  const extensions = [
    encodeAuthorityKey(input.issuerKeyIdentifier),
    encodeExtension(OID_SUBJECT_KEY, false, subjectKey),
    encodeExtension(OID_KEY_USAGE, true, encodeUsages(usages)),
  ];
  if (authority !== undefined) {
    const { pathLength } = authority;
    const limit = pathLength === undefined ? [] : [derUnsigned(Uint8Array.of(pathLength))];
    extensions.push(encodeExtension(OID_BASIC_CONSTRAINTS, true, derSequence(TRUE, ...limit)));
  }
  return derSequence(...extensions);
}
