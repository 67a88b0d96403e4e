import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toHex } from "@credlink/primitives";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  DerReader,
  derBitString,
  derElement,
  derObjectIdentifier,
  derSequence,
} from "../../src/der.ts";
import {
  certificateToPem,
  createRevocationList,
  createSelfSignedCertificate,
  createSigningRequest,
  parseCertificate,
  parseCertificateBundle,
  parseRevocationList,
  parseSigningRequest,
  revocationListToPem,
  signingRequestToPem,
  sm2SignatureToDer,
  verifySignatureOf,
} from "../../src/index.ts";
import { encodeExtension } from "../../src/x509/extensions.ts";
import {
  DAY_MS,
  type Holder,
  makeAuthority,
  makeMember,
  makeRoot,
  NOW_MS,
} from "../support/authority.ts";
import { codeOf, good, thrownCode } from "../support/doors.ts";

let root: Holder;
let authority: Holder;
let member: Holder;

beforeAll(async () => {
  root = await makeRoot();
  authority = await makeAuthority(root);
  member = await makeMember(authority);
});

const SUBJECT = { commonName: "n", organization: "云账户", organizationalUnit: "observer" };

describe("issuing", () => {
  test("a certificate says what was asked for, in DER and in PEM", () => {
    const { certificate, signer } = member;
    const again = good(parseCertificate(certificateToPem(certificate)));
    expect(again).toEqual(certificate);
    expect(certificate.subject.organizationalUnit).toBe("validator");
    expect(certificate.issuer).toEqual(authority.certificate.subject);
    expect(toHex(certificate.subjectKey)).toBe(toHex(signer.publicKey));
    expect(certificate.notBeforeMs).toBe(NOW_MS - DAY_MS);
    expect([...certificate.keyUsage]).toEqual(["digitalSignature"]);
    expect([...authority.certificate.keyUsage]).toEqual(["keyCertSign", "cRLSign"]);
    expect(authority.certificate.pathLength).toBe(0);
    const bundle = certificateToPem(certificate) + certificateToPem(root.certificate);
    expect(good(parseCertificateBundle(bundle)).length).toBe(2);
    expect(codeOf(parseCertificate(bundle))).toBe("CRYPTO_PEM_MALFORMED");
  });

  test("a member's certificate lasts three years at most", async () => {
    const ask = (days: number) => () =>
      makeMember(authority, { notBeforeMs: NOW_MS, notAfterMs: NOW_MS + days * DAY_MS });
    expect(await thrownCode(ask(1096))).toBe("nothing");
    expect(await thrownCode(ask(1097))).toBe("CRYPTO_CERTIFICATE_VALIDITY_TOO_LONG");
    expect(await thrownCode(ask(0))).toBe("CRYPTO_CERTIFICATE_VALIDITY_TOO_LONG");
  });

  test("bad names and keys are refused, and keys that are not the issuer's", async () => {
    for (const commonName of ["x".repeat(65), "a\nb", "a\u0000b"]) {
      const run = () => makeMember(authority, { subject: { ...SUBJECT, commonName } });
      expect(await thrownCode(run)).toBe("CRYPTO_CERTIFICATE_NAME_INVALID");
    }
    const subjectKey = new Uint8Array(65).fill(4);
    expect(await thrownCode(() => makeMember(authority, { subjectKey }))).toBe(
      "CRYPTO_PUBLIC_KEY_INVALID",
    );
    const mixed = { certificate: root.certificate, signer: authority.signer };
    expect(await thrownCode(() => makeMember(mixed))).toBe("CRYPTO_ISSUER_KEY_MISMATCH");
  });

  test("times after 2049 and serial numbers with a high bit come back", async () => {
    const { certificate } = await makeMember(authority, { serialNumber: "ff00000000000000000001" });
    expect(certificate.serialNumber).toBe("ff00000000000000000001");
    const late = await makeRoot("late", { notAfterMs: Date.parse("2061-02-03T04:05:06Z") });
    expect(late.certificate.notAfterMs).toBe(Date.parse("2061-02-03T04:05:06Z"));
  });

  test("a signing request, and one signed by another key", async () => {
    const request = await createSigningRequest({ subject: SUBJECT, signer: member.signer });
    const again = good(parseSigningRequest(signingRequestToPem(request)));
    expect(again.subject).toEqual(SUBJECT);
    const other = { publicKey: member.signer.publicKey, sign: authority.signer.sign };
    await expect(createSigningRequest({ subject: SUBJECT, signer: other })).rejects.toThrow();
  });

  test("a revocation list comes back as it was made", async () => {
    const revoked = (["keyCompromise", "superseded", "aaCompromise"] as const).map((reason, i) => ({
      serialNumber: `0${i + 1}ff`,
      revokedAtMs: NOW_MS + i * 1000,
      reason,
    }));
    const list = await createRevocationList({
      issuer: authority.certificate,
      signer: authority.signer,
      thisUpdateMs: NOW_MS,
      nextUpdateMs: NOW_MS + DAY_MS,
      number: 2 ** 40,
      revoked,
    });
    const again = good(parseRevocationList(revocationListToPem(list)));
    expect(again).toEqual(list);
    expect([...again.revoked.values()]).toEqual(revoked);
    expect(again.number).toBe(2 ** 40);
    expect(again.nextUpdateMs).toBe(NOW_MS + DAY_MS);
  });
});

/** The answers when every bit of `der` is flipped in turn. */
function codesOfFlips(der: Uint8Array, judge: (flipped: Uint8Array) => string): Set<string> {
  const codes = new Set<string>();
  for (let bit = 0; bit < 8 * der.length; bit++) {
    codes.add(judge(der.map((byte, i) => (i === bit >>> 3 ? byte ^ (1 << (bit & 7)) : byte))));
  }
  return codes;
}

describe("S-9.6-1: every flipped bit is found", () => {
  test("of a signing request", async () => {
    const { der } = await createSigningRequest({ subject: SUBJECT, signer: member.signer });
    const codes = codesOfFlips(der, (flipped) => codeOf(parseSigningRequest(flipped)));
    expect([...codes].sort()).toEqual([
      "CRYPTO_CERTIFICATE_ALGORITHM",
      "CRYPTO_SIGNING_REQUEST_BAD_SIGNATURE",
      "CRYPTO_SIGNING_REQUEST_MALFORMED",
    ]);
  });

  test("of a revocation list", async () => {
    const { der } = await createRevocationList({
      issuer: authority.certificate,
      signer: authority.signer,
      thisUpdateMs: NOW_MS,
      number: 1,
      revoked: [{ serialNumber: "abcdef", revokedAtMs: NOW_MS, reason: "superseded" }],
    });
    const codes = codesOfFlips(der, (flipped) => {
      const list = parseRevocationList(flipped);
      if (!list.ok) return list.code;
      return verifySignatureOf(list.value, authority.signer.publicKey) ? "accepted" : "bad";
    });
    expect([...codes].sort()).toEqual([
      "CRYPTO_CERTIFICATE_ALGORITHM",
      "CRYPTO_REVOCATION_LIST_MALFORMED",
      "bad",
    ]);
  });
});

/** `certificate` with extra extensions, signed anew by `issuer`: what our own door never makes. */
async function withExtensions(issuer: Holder, extra: readonly Uint8Array[]): Promise<Uint8Array> {
  const tbs = new DerReader(member.certificate.signedBytes).enter();
  const fields: Uint8Array[] = [];
  while (tbs.nextTag !== 0xa3) fields.push(tbs.read().raw);
  const old = tbs.enter(0xa3).enter();
  const extensions: Uint8Array[] = [];
  while (!old.isEmpty) extensions.push(old.read().raw);
  const list = derElement(0xa3, derSequence(...extensions, ...extra));
  const signedBytes = derSequence(...fields, list);
  const signature = good(sm2SignatureToDer(await issuer.signer.sign(signedBytes)));
  const algorithm = derSequence(derObjectIdentifier("1.2.156.10197.1.501"));
  return derSequence(signedBytes, algorithm, derBitString(signature));
}

describe("reading", () => {
  test("an extension that is not understood is refused when critical, else let be", async () => {
    const value = Uint8Array.of(5, 0);
    const optional = await withExtensions(authority, [encodeExtension("1.2.3.4", false, value)]);
    expect(good(parseCertificate(optional)).extensions.at(-1)?.id).toBe("1.2.3.4");
    const critical = await withExtensions(authority, [encodeExtension("1.2.3.4", true, value)]);
    expect(codeOf(parseCertificate(critical))).toBe("CRYPTO_CERTIFICATE_EXTENSION_UNKNOWN");
  });

  test("an extension that is there twice is refused", async () => {
    const usage = encodeExtension("2.5.29.15", true, Uint8Array.of(3, 2, 7, 0x80));
    const twice = await withExtensions(authority, [usage]);
    expect(codeOf(parseCertificate(twice))).toBe("CRYPTO_CERTIFICATE_MALFORMED");
  });

  test("another algorithm is refused", () => {
    const sm2WithSm3 = "2a811ccf55018375";
    const hex = toHex(member.certificate.der).replaceAll(sm2WithSm3, "2a811ccf55018376");
    const der = Uint8Array.from(Buffer.from(hex, "hex"));
    expect(codeOf(parseCertificate(der))).toBe("CRYPTO_CERTIFICATE_ALGORITHM");
  });

  test("bytes after the end, too much and nothing are refused", () => {
    const { der } = member.certificate;
    for (const bytes of [Uint8Array.of(...der, 0), new Uint8Array(20_000), new Uint8Array(0)]) {
      expect(codeOf(parseCertificate(bytes))).toBe("CRYPTO_CERTIFICATE_MALFORMED");
    }
  });
});

const openssl = (() => {
  try {
    return execFileSync("openssl", ["version"], { encoding: "latin1" }).startsWith("OpenSSL 3");
  } catch {
    return false;
  }
})();

// OpenSSL's command line gives the ID to the first certificate of a chain only, so each link is
// verified by itself.
describe.skipIf(!openssl)("the openssl command accepts", () => {
  const folder = mkdtempSync(join(tmpdir(), "credlink-x509-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, pem: string): string => {
    const path = join(folder, name);
    writeFileSync(path, pem);
    return path;
  };
  const run = (...parts: readonly string[]): string =>
    execFileSync("openssl", parts, { encoding: "latin1", stdio: ["ignore", "pipe", "pipe"] });
  const id = ["-vfyopt", "distid:1234567812345678", "-attime", String(NOW_MS / 1000)];

  test("root, CA and member", () => {
    const rootFile = file("root.pem", certificateToPem(root.certificate));
    const caFile = file("ca.pem", certificateToPem(authority.certificate));
    const memberFile = file("member.pem", certificateToPem(member.certificate));
    expect(run("verify", ...id, "-CAfile", rootFile, rootFile)).toContain("OK");
    expect(run("verify", ...id, "-CAfile", rootFile, caFile)).toContain("OK");
    expect(run("verify", ...id, "-partial_chain", "-trusted", caFile, memberFile)).toContain("OK");
    const stranger = file("stranger.pem", certificateToPem(member.certificate));
    const refused = () => run("verify", ...id, "-partial_chain", "-trusted", rootFile, stranger);
    expect(refused).toThrow();
  });

  test("a request and a list", async () => {
    const request = await createSigningRequest({ subject: SUBJECT, signer: member.signer });
    const requestFile = file("request.pem", signingRequestToPem(request));
    run("req", "-in", requestFile, "-noout", "-verify", "-vfyopt", "distid:1234567812345678");
    const list = await createRevocationList({
      issuer: authority.certificate,
      signer: authority.signer,
      thisUpdateMs: NOW_MS,
      number: 1,
      revoked: [{ serialNumber: "abcdef", revokedAtMs: NOW_MS, reason: "superseded" }],
    });
    const text = run("crl", "-in", file("list.pem", revocationListToPem(list)), "-noout", "-text");
    expect(text).toContain("Serial Number: ABCDEF");
    expect(text).toContain("Superseded");
  });
});

test("a self-signed certificate needs a path length to be a CA", async () => {
  const { signer } = member;
  const dates = { notBeforeMs: NOW_MS, notAfterMs: NOW_MS + DAY_MS };
  const plain = await createSelfSignedCertificate({ subject: SUBJECT, signer, ...dates });
  expect(plain.isCertificateAuthority).toBe(false);
});
