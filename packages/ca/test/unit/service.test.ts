import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MAX_RENEWAL_BODY_BYTES } from "@credlink/api";
import {
  codeKey,
  proveCode,
  renewalPayload,
  renewalSigningMessage,
  requestRenewal,
} from "@credlink/client";
import {
  type Certificate,
  createSigningRequest,
  createSm2Signer,
  generateKeyPair,
  parseRevocationList,
} from "@credlink/crypto";
import { systemClock } from "@credlink/node/service";
import { fromHex, type Logger, type Signer, toHex } from "@credlink/primitives";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  AuthorityFolder,
  acceptCertificate,
  type CaService,
  CUSTODY_NOTICE,
  createOrganizationAuthority,
  createRootAuthority,
  issueAuthority,
  issueCode,
  issueList,
  issueMember,
  MAX_CODE_ATTEMPTS,
  revokeCertificate,
  startService,
  unlockAuthority,
} from "../../src/index.ts";

const password = "for-tests-only";
const logger: Logger = {
  error: () => {},
  warn: () => {},
  info: () => {},
  debug: () => {},
  child: () => logger,
};
let base: string;
let folder: AuthorityFolder;
let signer: Signer;
let service: CaService;
let root: AuthorityFolder;
let rootSigner: Signer;
/** Time that the CA's clock is ahead, milliseconds. */
let ahead = 0;
const clock = {
  ...systemClock,
  nowMs: () => systemClock.nowMs() + ahead,
  monotonicMs: () => systemClock.monotonicMs() + ahead,
};

interface Holder {
  readonly certificate: Certificate;
  readonly signer: Signer;
}

const act = { act: "test", actor: "tester" };
const newSigner = (): Signer => createSm2Signer(generateKeyPair().privateKey);
const requestFor = (name: string, key: Signer) =>
  createSigningRequest({
    subject: { commonName: name, organization: "alpha", organizationalUnit: "validator" },
    signer: key,
  });

async function holder(name: string): Promise<Holder> {
  const key = newSigner();
  const request = await requestFor(name, key);
  const certificate = await folder.run(act, (open) =>
    issueMember(open, signer, request, { name, role: "validator", days: 30 }),
  );
  return { certificate, signer: key };
}
const codeFor = (name: string, validMs = 3_600_000) =>
  folder.run(act, (open) => issueCode(open, name, validMs));
const codeOf = (failing: Promise<unknown>): Promise<string> =>
  failing.then(
    () => "nothing",
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );

async function renew(of: Holder, code: string, key = newSigner()): Promise<Certificate> {
  const request = await requestFor(of.certificate.subject.commonName, key);
  const { url } = service;
  const timeoutMs = 120_000;
  return requestRenewal({ url, ...of, request, code, custodyNotice: CUSTODY_NOTICE, timeoutMs });
}

async function post(path: string, body: unknown) {
  const response = await fetch(new URL(path, service.url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const json = (await response.json()) as Record<string, unknown> & { error?: { code: string } };
  return { status: response.status, json, code: json.error?.code };
}

/** A renewal's body as it should be, for tests that then spoil it. */
async function bodyOf(of: Holder, code: string, notice = CUSTODY_NOTICE) {
  const { json } = await post("/v1/challenge", {});
  const nonce = String(json.nonce);
  const name = of.certificate.subject.commonName;
  const request = (await requestFor(name, newSigner())).der;
  const payload = renewalPayload({
    nonce: fromHex(nonce),
    certificate: of.certificate,
    request,
    custodyNotice: notice,
  });
  const codeProof = proveCode(codeKey(name, code), payload);
  const signature = await of.signer.sign(renewalSigningMessage(payload, codeProof));
  return {
    nonce,
    certificate: Buffer.from(of.certificate.der).toString("base64"),
    request: Buffer.from(request).toString("base64"),
    codeProof: toHex(codeProof),
    signature: toHex(signature),
  };
}

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), "credlink-ca-service-"));
  const dir = join(base, "root");
  const rootCertificate = await createRootAuthority({
    dir,
    organization: "gig",
    password,
    clock,
    days: 3_000,
  });
  root = new AuthorityFolder(dir, clock);
  rootSigner = await unlockAuthority(root, password);
  const own = join(base, "alpha");
  const csr = await createOrganizationAuthority({
    dir: own,
    organization: "alpha",
    password,
    clock,
  });
  folder = new AuthorityFolder(own, clock);
  const certificate = await root.run(act, (open) =>
    issueAuthority(open, rootSigner, csr, { organization: "alpha", days: 2_000 }),
  );
  const accepted = { certificate, root: rootCertificate, publicKey: csr.subjectKey };
  await acceptCertificate(folder, accepted);
  signer = await unlockAuthority(folder, password);
  const rate = { perSecond: 1_000, burst: 1_000 };
  const options = { host: "127.0.0.1", port: 0, days: 90, rate };
  service = await startService(options, { folder, signer, clock, logger });
}, 120_000);
afterAll(async () => {
  await service.close();
  rmSync(base, { recursive: true });
});

describe("renewal over the CA service", () => {
  test("S-8.4-9, S-9.4-6: a holder with a code gets a certificate on a fresh key, once", async () => {
    const node = await holder("node-1");
    const { code } = await codeFor("node-1");
    const fresh = await renew(node, ` ${code.toLowerCase().replaceAll("-", " ")} `);
    expect(fresh.subject).toEqual(node.certificate.subject);
    expect(fresh.notAfterMs).toBeGreaterThan(node.certificate.notAfterMs);
    expect(await codeOf(renew(node, code))).toBe("CA_CODE_REQUIRED");
    await codeFor("node-1");
    expect(await codeOf(renew(node, code))).toBe("CA_CODE_WRONG");
  });

  test("the same request again gets the same certificate, without another code", async () => {
    const node = await holder("node-2");
    const { code } = await codeFor("node-2");
    const key = newSigner();
    const first = await renew(node, code, key);
    expect((await renew(node, code, key)).serialNumber).toBe(first.serialNumber);
  });

  test("S-9.4-6: a code is for one name, ends, and is dead after five wrong proofs", async () => {
    const node = await holder("node-3");
    const other = await holder("node-4");
    const { code } = await codeFor("node-3");
    expect(await codeOf(renew(other, code))).toBe("CA_CODE_REQUIRED");
    for (let attempt = 0; attempt < MAX_CODE_ATTEMPTS; attempt++) {
      expect(await codeOf(renew(node, "WRONG-WRONG-WRONG-WRONG"))).toBe("CA_CODE_WRONG");
    }
    expect(await codeOf(renew(node, code))).toBe("CA_CODE_REQUIRED");
    const short = await codeFor("node-4", 1_000);
    ahead += 1_001;
    expect(await codeOf(renew(other, short.code))).toBe("CA_CODE_REQUIRED");
    for (const validMs of [0, 999, 90 * 86_400_000 + 1]) {
      expect(await codeOf(codeFor("node-4", validMs))).toBe("CA_CODE_VALIDITY");
    }
    expect(await codeOf(codeFor("nobody"))).toBe("CA_SERIAL_UNKNOWN");
  }, 120_000);

  test("S-9.4-6: neither database, audit file nor wire holds the code or a private key", async () => {
    const node = await holder("node-5");
    const { code } = await codeFor("node-5");
    const body = await bodyOf(node, code);
    const plain = code.replaceAll("-", "");
    const answer = await post("/v1/renew", body);
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.json)).toEqual(["certificate"]);
    const { issuance, audit } = folder.paths;
    const texts = [issuance, audit].map((path) => readFileSync(path, "latin1"));
    for (const text of [...texts, JSON.stringify(body), JSON.stringify(answer.json)]) {
      expect(text).not.toContain(plain);
      expect(text).not.toContain(code);
      expect(text).not.toContain(toHex(codeKey("node-5", code)));
      expect(text).not.toContain("PRIVATE KEY");
    }
  });

  test("whatever is altered on the way is refused, and burns no attempt of the code", async () => {
    const node = await holder("node-6");
    const other = await holder("node-7");
    const { code } = await codeFor("node-6");
    const foreign = (await bodyOf(other, code)).request;
    const spoils: readonly ((body: Awaited<ReturnType<typeof bodyOf>>) => object)[] = [
      (body) => ({ ...body, request: foreign }),
      (body) => ({ ...body, codeProof: "00".repeat(32) }),
      (body) => ({ ...body, signature: "11".repeat(64) }),
      (body) => ({ ...body, certificate: Buffer.from(other.certificate.der).toString("base64") }),
    ];
    for (const spoil of spoils) {
      const answer = await post("/v1/renew", spoil(await bodyOf(node, code)));
      expect([answer.status, answer.code]).toEqual([401, "CA_CALLER_UNKNOWN"]);
    }
    const notice = await post("/v1/renew", await bodyOf(node, code, "another notice"));
    expect(notice.code).toBe("CA_CALLER_UNKNOWN");
    const state = await folder.read((open) => open.state.openCode("node-6")?.failures);
    expect(state).toBe(0);
  });

  test("a nonce is good for one answer, for a minute", async () => {
    const node = await holder("node-8");
    const { code } = await codeFor("node-8");
    const body = await bodyOf(node, code);
    const late = await bodyOf(node, code);
    const spoilt = await post("/v1/renew", { ...body, signature: "11".repeat(64) });
    expect(spoilt.code).toBe("CA_CALLER_UNKNOWN");
    expect((await post("/v1/renew", body)).code).toBe("CA_NONCE_UNKNOWN");
    ahead += 60_000;
    expect((await post("/v1/renew", late)).code).toBe("CA_NONCE_UNKNOWN");
    const strange = { ...body, nonce: "ab".repeat(32) };
    expect((await post("/v1/renew", strange)).code).toBe("CA_NONCE_UNKNOWN");
  });

  test("who is revoked, or certified by another CA, is nobody", async () => {
    const node = await holder("node-9");
    const { code } = await codeFor("node-9");
    const { serialNumber } = node.certificate;
    await folder.run(act, (open) => revokeCertificate(open, serialNumber, "keyCompromise"));
    expect(await codeOf(renew(node, code))).toBe("CA_CALLER_UNKNOWN");
    const authority = await root.read((open) => open.state.issued()[0]?.certificate);
    if (authority === undefined) throw new Error("no CA");
    expect(await codeOf(renew({ certificate: authority, signer }, code))).toBe("CA_CALLER_UNKNOWN");
  });

  test("bodies that are no renewal, too large, or to no path are refused, each with its code", async () => {
    const codes = async (path: string, body: unknown) => {
      const { status, code } = await post(path, body);
      return [status, code];
    };
    expect(await codes("/v1/renew", {})).toEqual([400, "CA_CALL_MALFORMED"]);
    expect(await codes("/v1/renew", "{")).toEqual([400, "CA_CALL_MALFORMED"]);
    const large = `{"nonce":"${"a".repeat(MAX_RENEWAL_BODY_BYTES)}"}`;
    expect(await codes("/v1/renew", large)).toEqual([413, "CA_CALL_TOO_LARGE"]);
    expect(await codes("/v1/keys", {})).toEqual([404, "CA_CALL_MALFORMED"]);
  });

  test("serves the newest list and its metrics; a root serves nobody", async () => {
    expect((await fetch(`${service.url}/v1/crl`)).status).toBe(409);
    const made = await folder.run(act, (open) => issueList(open, signer, 7));
    const response = await fetch(`${service.url}/v1/crl`);
    const list = parseRevocationList(new Uint8Array(await response.arrayBuffer()));
    expect(list).toMatchObject({ ok: true, value: { number: made.number } });
    const page = await (await fetch(`${service.url}/metrics`)).text();
    expect(page).toMatch(/credlink_ca_calls_total\{route="renew",outcome="CA_CODE_WRONG"\} [1-9]/);
    expect(page).toMatch(/credlink_ca_list_due_seconds 60\d{4}/);
    const asRoot = startService(
      { host: "127.0.0.1", port: 0, days: 90 },
      { folder: root, signer: rootSigner, clock, logger },
    );
    expect(await codeOf(asRoot)).toBe("CA_KIND_WRONG");
  });

  test("an address that calls too often waits, and is told how long", async () => {
    const rate = { perSecond: 0.5, burst: 2 };
    const options = { host: "127.0.0.1", port: 0, days: 90, rate };
    const slow = await startService(options, { folder, signer, clock, logger });
    try {
      const ask = () =>
        fetch(`${slow.url}/v1/challenge`, {
          method: "POST",
          body: "{}",
          headers: { "content-type": "application/json" },
        });
      expect([(await ask()).status, (await ask()).status]).toEqual([200, 200]);
      const refused = await ask();
      expect(refused.status).toBe(429);
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
      ahead += 2_000;
      expect((await ask()).status).toBe(200);
    } finally {
      await slow.close();
    }
  });
});
