import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Certificate,
  createCertificate,
  createSelfSignedCertificate,
  createSigningRequest,
  createSm2Signer,
  generateKeyPair,
} from "@credlink/crypto";
import { systemClock } from "@credlink/node/service";
import type { Signer } from "@credlink/primitives";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  AuthorityFolder,
  adoptAuthority,
  renewCertificate,
  revokeCertificate,
  unlockAuthority,
} from "../../src/index.ts";

const DAY_MS = 86_400_000;
const password = "for-tests-only";
const notBeforeMs = Date.now() - DAY_MS;
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "adopt-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function elsewhere(name: string) {
  const rootSigner = createSm2Signer(generateKeyPair().privateKey);
  const root = await createSelfSignedCertificate({
    subject: { commonName: "root", organization: "consortium", organizationalUnit: "ca" },
    ...{ notBeforeMs, notAfterMs: notBeforeMs + 3_650 * DAY_MS, signer: rootSigner },
    authority: { pathLength: 1 },
  });
  const { privateKey, publicKey } = generateKeyPair();
  const signer = createSm2Signer(privateKey);
  const certificate = await createCertificate({
    subject: { commonName: `${name} CA`, organization: name, organizationalUnit: "ca" },
    ...{ subjectKey: publicKey, notBeforeMs, notAfterMs: notBeforeMs + 3_000 * DAY_MS },
    ...{ authority: { pathLength: 0 }, issuer: root, signer: rootSigner },
  });
  return { root, privateKey, signer, certificate };
}

const issueNode = (issuer: Certificate, signer: Signer, commonName = "node-1") =>
  createCertificate({
    subject: { commonName, organization: "alpha", organizationalUnit: "validator" },
    ...{ subjectKey: generateKeyPair().publicKey, issuer, signer },
    ...{ notBeforeMs, notAfterMs: notBeforeMs + 365 * DAY_MS },
  });

describe("S-8.4-9: a CA that was made elsewhere", () => {
  test("renews and revokes what it issued before", async () => {
    const { root, privateKey, certificate, signer } = await elsewhere("alpha");
    const node = await issueNode(certificate, signer);
    const other = await issueNode(certificate, signer, "node-2");
    const parts = { dir: join(dir, "ca"), organization: "alpha", password, clock: systemClock };
    await adoptAuthority({ ...parts, privateKey, certificate, root, issued: [node, other] });
    const folder = new AuthorityFolder(parts.dir);
    const unlocked = await unlockAuthority(folder, password);
    const holder = createSm2Signer(generateKeyPair().privateKey);
    const request = await createSigningRequest({ subject: node.subject, signer: holder });
    const { serialNumber } = node;
    const renewed = await folder.run({ act: "renew", actor: "test" }, (act) =>
      renewCertificate(act, unlocked, request, { serialNumber, days: 30 }),
    );
    expect(renewed.subject).toMatchObject({ commonName: "node-1", organization: "alpha" });
    await folder.run({ act: "revoke", actor: "test" }, (act) =>
      revokeCertificate(act, other.serialNumber, "superseded"),
    );
    const revoked = await folder.read((act) => act.state.revocationOf(other.serialNumber));
    expect(revoked?.reason).toBe("superseded");
  });

  test("refuses another key, strangers' certificates and one that is named twice", async () => {
    const { root, privateKey, certificate, signer } = await elsewhere("alpha");
    const twin = await elsewhere("alpha");
    const node = await issueNode(certificate, signer);
    const forged = await issueNode(twin.certificate, twin.signer);
    const parts = { dir: join(dir, "ca"), organization: "alpha", password, clock: systemClock };
    const adopt = (key: Uint8Array, issued: readonly Certificate[]) =>
      adoptAuthority({ ...parts, privateKey: key, certificate, root, issued });
    const refused = { code: "CA_CERTIFICATE_REFUSED" };
    await expect(adopt(twin.privateKey, [])).rejects.toMatchObject(refused);
    await expect(adopt(privateKey, [forged])).rejects.toMatchObject(refused);
    await expect(adopt(privateKey, [node, node])).rejects.toMatchObject(refused);
    await adopt(privateKey, [node]);
    await expect(adopt(privateKey, [node])).rejects.toMatchObject({ code: "CA_FOLDER_EXISTS" });
  });
});
