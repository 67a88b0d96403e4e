import { X509Certificate } from "node:crypto";
import { concatBytes, fromHex } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import {
  DER_TAG,
  derBitString,
  derElement,
  derObjectIdentifier,
  derSequence,
  derUnsigned,
} from "../../src/der.ts";
import {
  createRevocationList,
  parseCertificate,
  parseRevocationList,
  sm2SignatureToDer,
  verifyCertificateChain,
} from "../../src/index.ts";
import {
  DAY_MS,
  type Holder,
  makeAuthority,
  makeMember,
  makeRoot,
  NOW_MS,
} from "../support/authority.ts";

/** What `pnpm fuzz identity` found: each was accepted once, and OpenSSL refused it. */

const COUNTRY = "2.5.4.6";
const set = (...parts: readonly Uint8Array[]): Uint8Array => derElement(DER_TAG.set, ...parts);
const printable = (text: string): Uint8Array =>
  derElement(DER_TAG.printableString, new TextEncoder().encode(text));

interface Parts {
  readonly version: Uint8Array;
  readonly subject: Uint8Array;
  readonly extensions: Uint8Array;
}

/** The members of a certificate's signed part, in their order. */
function membersOf(signedBytes: Uint8Array): Uint8Array[] {
  const members: Uint8Array[] = [];
  const content = elementOf(signedBytes, 0);
  for (let at = content.start; at < content.end; ) {
    const { end } = elementOf(signedBytes, at);
    members.push(signedBytes.subarray(at, end));
    at = end;
  }
  return members;
}

function elementOf(
  bytes: Uint8Array,
  at: number,
): { readonly start: number; readonly end: number } {
  const first = bytes[at + 1] ?? 0;
  const count = first < 0x80 ? 0 : first & 0x7f;
  let length = first < 0x80 ? first : 0;
  for (let i = 0; i < count; i++) length = length * 256 + (bytes[at + 2 + i] ?? 0);
  const start = at + 2 + count;
  return { start, end: start + length };
}

/** A member's certificate with some parts replaced, signed by its issuer. */
async function forge(change: (parts: Parts) => Partial<Parts>): Promise<Uint8Array> {
  const root = await makeRoot();
  const member = await makeMember(root);
  const { signedBytes } = member.certificate;
  const [version, serial, algorithm, issuer, validity, subject, key, extensions] = membersOf(
    signedBytes,
  ) as [
    ...[Uint8Array, Uint8Array, Uint8Array, Uint8Array],
    ...[Uint8Array, Uint8Array, Uint8Array, Uint8Array],
  ];
  const parts = { version, subject, extensions };
  const now = { ...parts, ...change(parts) };
  const signed = derSequence(
    ...[now.version, serial, algorithm, issuer, validity, now.subject, key, now.extensions],
  );
  return sign(root, signed, algorithm);
}

async function sign(issuer: Holder, signed: Uint8Array, algorithm: Uint8Array) {
  const signature = sm2SignatureToDer(await issuer.signer.sign(signed));
  if (!signature.ok) throw new Error(signature.code);
  return derSequence(signed, algorithm, derBitString(signature.value));
}

function withName(...attribute: readonly Uint8Array[]): (parts: Parts) => Partial<Parts> {
  return ({ subject }) => {
    const { start } = elementOf(subject, 0);
    const part = set(derSequence(derObjectIdentifier(COUNTRY), ...attribute));
    return { subject: derSequence(part, subject.subarray(start)) };
  };
}

/** Replaces the value of the first extension, authorityKeyIdentifier. */
function withAuthorityKey(value: Uint8Array): (parts: Parts) => Partial<Parts> {
  return ({ extensions }) => {
    const list = extensions.subarray(elementOf(extensions, 0).start);
    const [, ...others] = membersOf(list);
    const octets = derElement(DER_TAG.octetString, value);
    const extension = derSequence(derObjectIdentifier("2.5.29.35"), octets);
    return { extensions: derElement(0xa3, derSequence(extension, ...others)) };
  };
}

/** Puts an extension, not critical, behind the others. */
function withExtension(id: string, value: Uint8Array): (parts: Parts) => Partial<Parts> {
  return ({ extensions }) => {
    const list = extensions.subarray(elementOf(extensions, 0).start);
    const extension = derSequence(derObjectIdentifier(id), derElement(DER_TAG.octetString, value));
    return { extensions: derElement(0xa3, derSequence(...membersOf(list), extension)) };
  };
}

const ALTERNATIVE_NAME = "2.5.29.17";
const octets = derElement(DER_TAG.octetString, new Uint8Array(32));
const host = (text: string): Uint8Array => derElement(0x82, new TextEncoder().encode(text));

const KEY = derElement(0x80, new Uint8Array(32));

describe("S-9.5-1: certificates that OpenSSL refuses are refused", () => {
  test("the forger's certificates are good where nothing is changed", async () => {
    const der = await forge(() => ({}));
    expect(parseCertificate(der).ok).toBe(true);
    expect(() => new X509Certificate(der)).not.toThrow();
  });

  test.each<[string, (parts: Parts) => Partial<Parts>]>([
    ["an attribute of a name without a value", withName()],
    ["an attribute with two values", withName(printable("CN"), printable("CN"))],
    ["an attribute that is an object identifier", withName(derObjectIdentifier("1.2.3"))],
    ["an attribute that is a string of bytes", withName(derElement(0x04, Uint8Array.of(1)))],
    ["an attribute of an unknown type", withName(derElement(0xd5, Uint8Array.of(1)))],
    ["an attribute that is a set", withName(set())],
    ["a text that is not UTF-8", withName(derElement(0x0c, Uint8Array.of(0xff)))],
    ["a part without attributes", ({ subject }) => ({ subject: concatParts(subject, set()) })],
    [
      "a version with more behind it",
      () => ({
        version: derElement(0xa0, derUnsigned(Uint8Array.of(2)), derUnsigned(Uint8Array.of(2))),
      }),
    ],
    [
      "extensions twice",
      ({ extensions }) => {
        const list = extensions.subarray(elementOf(extensions, 0).start);
        return { extensions: derElement(0xa3, list, list) };
      },
    ],
    ["an authority's key that is a name", withAuthorityKey(derSequence(printable("x")))],
    ["an authority's key with more behind it", withAuthorityKey(derSequence(KEY, set()))],
    ["an authority's key twice", withAuthorityKey(derSequence(KEY, KEY))],
    ["an alternative name that is a string of bytes", withExtension(ALTERNATIVE_NAME, octets)],
    ["no alternative name in the list of them", withExtension(ALTERNATIVE_NAME, derSequence())],
    ["an alternative name of no kind", withExtension(ALTERNATIVE_NAME, derSequence(octets))],
  ])("%s", async (_name, change) => {
    const parsed = parseCertificate(await forge(change));
    expect(parsed.ok ? "accepted" : parsed.code).toBe("CRYPTO_CERTIFICATE_MALFORMED");
  });

  test("an alternative name is passed over", async () => {
    const der = await forge(withExtension(ALTERNATIVE_NAME, derSequence(host("firm.example"))));
    expect(parseCertificate(der).ok).toBe(true);
    expect(() => new X509Certificate(der)).not.toThrow();
  });

  test("constraints on names are refused, critical or not: nobody would hold to them", async () => {
    const named = derSequence(derElement(0xa0, derSequence(host("example"))));
    for (const value of [named, octets]) {
      const parsed = parseCertificate(await forge(withExtension("2.5.29.30", value)));
      expect(parsed.ok ? "accepted" : parsed.code).toBe("CRYPTO_CERTIFICATE_EXTENSION_UNKNOWN");
    }
  });

  test("an authority's key with issuer and serial number is read, as others write it", async () => {
    const names = derElement(0xa1, derElement(0xa4, derSequence()));
    const value = derSequence(KEY, names, derElement(0x82, Uint8Array.of(1)));
    const parsed = parseCertificate(await forge(withAuthorityKey(value)));
    expect(parsed.ok && parsed.value.authorityKeyIdentifier).toBe("00".repeat(32));
  });
});

function concatParts(name: Uint8Array, part: Uint8Array): Uint8Array {
  return derSequence(name.subarray(elementOf(name, 0).start), part);
}

describe("S-9.5-1: revocation lists", () => {
  /** A list of the CA with another key identifier in it, signed by the CA. */
  async function createOddList(authority: Holder, serialNumber: string): Promise<Uint8Array> {
    const list = await createRevocationList({
      issuer: authority.certificate,
      signer: authority.signer,
      thisUpdateMs: NOW_MS - DAY_MS,
      number: 1,
      revoked: [{ serialNumber, revokedAtMs: NOW_MS - DAY_MS, reason: "keyCompromise" }],
    });
    const own = fromHex(authority.certificate.subjectKeyIdentifier ?? "");
    const at = Buffer.from(list.signedBytes).indexOf(own);
    const signed = concatBytes(
      list.signedBytes.subarray(0, at),
      new Uint8Array(own.length),
      list.signedBytes.subarray(at + own.length),
    );
    const [, algorithm = new Uint8Array(0)] = membersOf(list.der);
    return sign(authority, signed, algorithm);
  }

  test("one that its CA signed is not passed over for a wrong key identifier", async () => {
    const root = await makeRoot();
    const authority = await makeAuthority(root);
    const member = await makeMember(authority);
    const list = parseRevocationList(
      await createOddList(authority, member.certificate.serialNumber),
    );
    if (!list.ok) throw new Error(list.code);
    const verdict = verifyCertificateChain({
      leaf: member.certificate,
      intermediates: [authority.certificate],
      roots: [root.certificate],
      revocationLists: [list.value],
      atMs: NOW_MS,
    });
    expect(verdict.ok ? "accepted" : verdict.code).toBe("CRYPTO_CERTIFICATE_REVOKED");
  });
});
