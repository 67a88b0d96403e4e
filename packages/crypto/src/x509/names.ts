import {
  AttributeTypeAndValue,
  AttributeValue,
  Name,
  RelativeDistinguishedName,
} from "@peculiar/asn1-x509";
import { CryptoError } from "../errors.ts";

/** The parts of a distinguished name that the network reads; empty text where one is absent. */
export interface DistinguishedName {
  readonly commonName: string;
  readonly organization: string;
  /** The role of a member, `ca` of an organisation's authority. */
  readonly organizationalUnit: string;
}

const OID_COMMON_NAME = "2.5.4.3";
const OID_COUNTRY = "2.5.4.6";
const OID_ORGANIZATION = "2.5.4.10";
const OID_ORGANIZATIONAL_UNIT = "2.5.4.11";
const COUNTRY = "CN";
const READ = new Set([OID_COMMON_NAME, OID_ORGANIZATION, OID_ORGANIZATIONAL_UNIT]);
/** RFC 5280 appendix A.1: ub-common-name, ub-organization-name, ub-organizational-unit-name. */
const MAX_CHARACTERS = 64;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

function isAcceptable(text: string): boolean {
  const characters = [...text].length;
  return characters > 0 && characters <= MAX_CHARACTERS && !UNPRINTABLE.test(text);
}

function attribute(type: string, value: AttributeValue): RelativeDistinguishedName {
  return new RelativeDistinguishedName([new AttributeTypeAndValue({ type, value })]);
}

/**
 * C=CN, O, OU, CN in this order, parts that are empty left out.
 * @throws CryptoError CRYPTO_CERTIFICATE_NAME_INVALID
 */
export function encodeName(name: DistinguishedName): Name {
  const parts: RelativeDistinguishedName[] = [
    attribute(OID_COUNTRY, new AttributeValue({ printableString: COUNTRY })),
  ];
  for (const [type, text] of [
    [OID_ORGANIZATION, name.organization],
    [OID_ORGANIZATIONAL_UNIT, name.organizationalUnit],
    [OID_COMMON_NAME, name.commonName],
  ] as const) {
    if (text === "") continue;
    if (!isAcceptable(text)) throw new CryptoError("CRYPTO_CERTIFICATE_NAME_INVALID", "bad name");
    parts.push(attribute(type, new AttributeValue({ utf8String: text })));
  }
  return new Name(parts);
}

/**
 * Reads a name. An attribute given twice is refused, because readers that take the first and
 * readers that take the last would see two different members; so are text types other than
 * UTF8String and PrintableString.
 * @throws CryptoError CRYPTO_CERTIFICATE_NAME_INVALID
 */
export function decodeName(name: Name): DistinguishedName {
  const found = new Map<string, string>();
  for (const { type, value } of name.flatMap((part) => [...part])) {
    if (!READ.has(type)) continue;
    const text = value.utf8String ?? value.printableString;
    if (text === undefined || !isAcceptable(text) || found.has(type)) {
      throw new CryptoError("CRYPTO_CERTIFICATE_NAME_INVALID", "a name that cannot be read");
    }
    found.set(type, text);
  }
  return {
    commonName: found.get(OID_COMMON_NAME) ?? "",
    organization: found.get(OID_ORGANIZATION) ?? "",
    organizationalUnit: found.get(OID_ORGANIZATIONAL_UNIT) ?? "",
  };
}
