import { utf8 } from "@credlink/primitives";
import {
  DER_TAG,
  DerReader,
  derElement,
  derObjectIdentifier,
  derSequence,
  derText,
  objectIdentifierText,
} from "../der.ts";
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
/** Types of the attributes that are not read. Others are long out of use, or are no text at all. */
const UNREAD_TYPES: ReadonlySet<number> = new Set([
  DER_TAG.utf8String,
  DER_TAG.printableString,
  DER_TAG.numericString,
  DER_TAG.ia5String,
]);
/** What a PrintableString may hold. @see X.680 §41.4 */
const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/;

function invalid(detail: string): CryptoError {
  return new CryptoError("CRYPTO_CERTIFICATE_NAME_INVALID", detail);
}

function isAcceptable(text: string): boolean {
  const characters = [...text].length;
  return characters > 0 && characters <= MAX_CHARACTERS && !UNPRINTABLE.test(text);
}

function encodeAttribute(type: string, tag: number, text: string): Uint8Array {
  const value = derElement(tag, utf8(text));
  return derElement(DER_TAG.set, derSequence(derObjectIdentifier(type), value));
}

/**
 * DER of C=CN, O, OU, CN in this order, parts that are empty left out.
 * @throws CryptoError CRYPTO_CERTIFICATE_NAME_INVALID
 */
export function encodeName(name: DistinguishedName): Uint8Array {
  const parts = [encodeAttribute(OID_COUNTRY, DER_TAG.printableString, COUNTRY)];
  for (const [type, text] of [
    [OID_ORGANIZATION, name.organization],
    [OID_ORGANIZATIONAL_UNIT, name.organizationalUnit],
    [OID_COMMON_NAME, name.commonName],
  ] as const) {
    if (text === "") continue;
    if (!isAcceptable(text)) throw invalid("a name of 1 to 64 printable characters");
    parts.push(encodeAttribute(type, DER_TAG.utf8String, text));
  }
  return derSequence(...parts);
}

function readText(reader: DerReader): string {
  const { tag, content } = reader.read();
  const text = derText(content);
  const isKnownType =
    tag === DER_TAG.utf8String || (tag === DER_TAG.printableString && PRINTABLE.test(text));
  if (!isKnownType || !isAcceptable(text)) throw invalid("a name that cannot be read");
  return text;
}

/** Passes over a text that means nothing here, and is one all the same. */
function skipText(reader: DerReader): void {
  const { tag, content } = reader.read();
  if (!UNREAD_TYPES.has(tag)) throw invalid("a name of an odd type");
  derText(content);
}

/**
 * Reads a name. An attribute given twice is refused, because readers that take the first and
 * readers that take the last would see two different members; so are text types other than
 * UTF8String and PrintableString.
 * @throws CryptoError CRYPTO_CERTIFICATE_NAME_INVALID, CRYPTO_DER_MALFORMED
 */
export function decodeName(nameDer: Uint8Array): DistinguishedName {
  const found = new Map<string, string>();
  const sequence = new DerReader(nameDer).enter();
  while (!sequence.isEmpty) {
    const set = sequence.enter(DER_TAG.set);
    if (set.isEmpty) throw invalid("a part of a name without attributes");
    while (!set.isEmpty) {
      const attribute = set.enter();
      const type = objectIdentifierText(attribute.read(DER_TAG.objectIdentifier).content);
      if (found.has(type)) throw invalid("an attribute is there twice");
      if (READ.has(type)) found.set(type, readText(attribute));
      else skipText(attribute);
      // Type and one value: OpenSSL refuses what has none or more, and so would others.
      attribute.end();
    }
  }
  return {
    commonName: found.get(OID_COMMON_NAME) ?? "",
    organization: found.get(OID_ORGANIZATION) ?? "",
    organizationalUnit: found.get(OID_ORGANIZATIONAL_UNIT) ?? "",
  };
}
