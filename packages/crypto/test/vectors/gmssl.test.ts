import { readFileSync } from "node:fs";
import { toHex, utf8 } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import {
  decodePem,
  decryptPrivateKey,
  encodePem,
  encryptPrivateKey,
  pbkdf2HmacSm3,
  plaintextPrivateKey,
  sm4CbcDecrypt,
} from "../../src/index.ts";
import { codeOf, doors, good, thrownCode } from "../support/doors.ts";

/** A hierarchy, key and signature made with GmSSL 3.3; valid from 2026-11-21. */
function read(name: string): Buffer {
  return readFileSync(new URL(`x509-gmssl/${name}`, import.meta.url));
}

const AT_MS = Date.parse("2026-12-01T00:00:00Z");

/** A key file's DER with what is random in it, salt, vector and ciphertext, blanked out. */
function layoutOf(pem: string): string {
  const der = decodePem("ENCRYPTED PRIVATE KEY", pem).slice();
  for (const [start, length] of [[35, 16], [86, 16], [105, 144]] as const) {
    der.fill(0, start, start + length);
  }
  return toHex(der);
}

test("K1: our key files have GmSSL's bytes wherever they are not random", () => {
  const pem = read("node1.key").toString("latin1");
  const privateKey = decryptPrivateKey(pem, "Test-2026");
  expect(layoutOf(encryptPrivateKey(privateKey, "Test-2026"))).toBe(layoutOf(pem));
  // And so has the key inside.
  const der = decodePem("ENCRYPTED PRIVATE KEY", pem);
  const salt = der.subarray(35, 51);
  const key = pbkdf2HmacSm3(utf8("Test-2026"), salt, 65_536, 16);
  const inside = sm4CbcDecrypt({ key, iv: der.subarray(86, 102), data: der.subarray(105) });
  expect(plaintextPrivateKey(privateKey)).toBe(encodePem("PRIVATE KEY", inside));
});

describe.each(doors)("%s door: what GmSSL made", (_, door) => {
  const certificate = (name: string) =>
    good(door.parseCertificate(read(`${name}.crt`).toString("latin1")));
  const roots = [certificate("root")];
  const intermediates = [certificate("org1"), certificate("org2")];
  const list = good(door.parseRevocationList(read("org1.crl.der")));
  const judge = (name: string, atMs = AT_MS, revocationLists = [list]) =>
    door.verifyCertificateChain({
      leaf: certificate(name),
      intermediates,
      roots,
      revocationLists,
      atMs,
    });

  test.each([
    ["node1", "validator", "Yunzhang Services"],
    ["node2", "regulator", "Tianjin Supervision"],
    ["user1", "institution", "Yunzhang Services"],
  ])("%s is a %s of %s", (name, role, organization) => {
    const verified = good(judge(name));
    expect(verified.role).toBe(role);
    expect(verified.organization).toBe(organization);
    expect(verified.chain.map((each) => each.subject.organizationalUnit)).toEqual([role, "ca", ""]);
  });

  test("revoked.crt is refused because of the list, and only because of it", () => {
    expect(codeOf(judge("revoked"))).toBe("CRYPTO_CERTIFICATE_REVOKED");
    expect(codeOf(judge("revoked", AT_MS, []))).toBe("accepted");
    expect([...list.revoked.values()]).toEqual([
      {
        serialNumber: certificate("revoked").serialNumber,
        revokedAtMs: Date.parse("2026-11-21T00:18:15Z"),
        reason: "keyCompromise",
      },
    ]);
  });

  test("rogue.crt has an unknown root", () => {
    expect(codeOf(judge("rogue"))).toBe("CRYPTO_CERTIFICATE_UNKNOWN_ROOT");
  });

  test("before and after its time node1.crt is refused", () => {
    const { notBeforeMs, notAfterMs } = certificate("node1");
    expect(codeOf(judge("node1", notBeforeMs - 1))).toBe("CRYPTO_CERTIFICATE_NOT_YET_VALID");
    expect(codeOf(judge("node1", notBeforeMs))).toBe("accepted");
    expect(codeOf(judge("node1", notAfterMs))).toBe("accepted");
    expect(codeOf(judge("node1", notAfterMs + 1000))).toBe("CRYPTO_CERTIFICATE_EXPIRED");
  });

  test("fields of node1.crt", () => {
    const node1 = certificate("node1");
    expect(node1.serialNumber).toBe("c9d26a9805fbddb74c3dbfb4");
    expect([...node1.keyUsage]).toEqual(["digitalSignature"]);
    expect(node1.isCertificateAuthority).toBe(false);
    expect(intermediates[0]?.pathLength).toBe(1);
    expect(toHex(node1.fingerprint)).toBe(toHex(door.sm3(node1.der)));
    expect(door.verifySignatureOf(node1, intermediates[0]?.subjectKey ?? new Uint8Array())).toBe(
      true,
    );
  });

  test("node1.csr asks for the key of node1.crt", () => {
    const request = good(door.parseSigningRequest(read("node1.csr").toString("latin1")));
    expect(toHex(request.subjectKey)).toBe(toHex(certificate("node1").subjectKey));
    expect(request.subject.organizationalUnit).toBe("validator");
  });

  test("node1.key opens with its password alone and made the signature", async () => {
    const pem = read("node1.key").toString("latin1");
    const publicKey = door.publicKeyFromPrivate(door.decryptPrivateKey(pem, "Test-2026"));
    expect(toHex(publicKey)).toBe(toHex(certificate("node1").subjectKey));
    const signature = good(door.sm2SignatureFromDer(read("message.node1.sig.der")));
    expect(door.sm2Verify(publicKey, read("message.bin"), signature)).toBe(true);
    expect(await thrownCode(() => door.decryptPrivateKey(pem, "test-2026"))).toBe(
      "CRYPTO_KEY_PASSWORD_WRONG",
    );
  });
});
