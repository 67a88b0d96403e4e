import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Certificate } from "../../src/index.ts";
import { DerReader } from "../../src/der.ts";
import { codeOf, doors, good } from "../support/doors.ts";

/** A hierarchy made with OpenSSL 3.0.19 by `x509-openssl/make.sh`; valid from 2026-11-27. */
function read(name: string): string {
  return readFileSync(new URL(`x509-openssl/${name}`, import.meta.url), "latin1");
}

const AT_MS = Date.parse("2026-12-24T00:00:00Z");

describe.each(doors)("%s door: what OpenSSL made", (_, door) => {
  const certificate = (name: string): Certificate => good(door.parseCertificate(read(name)));
  const list = good(door.parseRevocationList(read("org.crl")));
  const judge = (leaf: Certificate, issuer = certificate("org.crt")) =>
    door.verifyCertificateChain({
      leaf,
      intermediates: [issuer],
      roots: [certificate("root.crt")],
      revocationLists: [list],
      atMs: AT_MS,
    });

  test("S-9.7-2: a certificate of a third party's hierarchy verifies, with its role", () => {
    const { role, organization, chain } = good(judge(certificate("node.crt")));
    expect([role, organization]).toEqual(["validator", "Partner Platform"]);
    expect(chain.map(({ subject }) => subject.commonName).at(-1)).toBe("External Root CA");
  });

  test("S-8.4-9: three years are the most, whoever issued", () => {
    expect(codeOf(judge(certificate("long.crt")))).toBe("CRYPTO_CERTIFICATE_VALIDITY_TOO_LONG");
  });

  test("S-9.7-2: its list revokes, with number, next update and reason", () => {
    expect(codeOf(judge(certificate("user.crt")))).toBe("CRYPTO_CERTIFICATE_REVOKED");
    expect(list.number).toBe(7);
    expect([...list.revoked.values()].map(({ reason }) => reason)).toEqual(["keyCompromise"]);
    expect(list.nextUpdateMs).toBeGreaterThan(AT_MS);
  });

  test("its request is for the key that signed it", () => {
    const request = good(door.parseSigningRequest(read("operator.csr")));
    expect(request.subject.organizationalUnit).toBe("institution");
  });

  test("S-8.4-8: no certificate with one field altered verifies, whichever field it is", () => {
    const { der } = certificate("node.crt");
    const accepted: string[] = [];
    let judged = 0;
    for (const { name, at } of fieldsOf(der)) {
      const altered = der.slice();
      altered[at] = (altered[at] ?? 0) ^ 1;
      const parsed = door.parseCertificate(altered);
      if (parsed.ok) judged++;
      if (parsed.ok && judge(parsed.value).ok) accepted.push(name);
    }
    expect(accepted).toEqual([]);
    // Serial number, issuer and subject can still be read: there the signature tells.
    expect(judged).toBeGreaterThanOrEqual(3);
  });
});

/** The last byte of each field of the signed part. */
function fieldsOf(der: Uint8Array): readonly { readonly name: string; readonly at: number }[] {
  const signed = new DerReader(der).enter().read().raw;
  const headerBytes = 4;
  const reader = new DerReader(signed).enter();
  const names = ["version", "serial", "algorithm", "issuer", "validity", "subject", "key", "more"];
  let at = 2 * headerBytes;
  return names.map((name) => {
    at += reader.read().raw.length;
    return { name, at: at - 1 };
  });
}
