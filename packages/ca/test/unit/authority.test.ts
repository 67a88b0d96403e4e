import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  type Certificate,
  createSigningRequest,
  createSm2Signer,
  generateKeyPair,
  type Role,
  verifyCertificateChain,
} from "@credlink/crypto";
import { systemClock } from "@credlink/node/service";
import { equalBytes, type Signer, toHex } from "@credlink/primitives";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Act,
  AuthorityFolder,
  acceptCertificate,
  acknowledgeCustody,
  checkAcknowledgement,
  checkAuthority,
  createMemberRequest,
  createOrganizationAuthority,
  createRootAuthority,
  issueAuthority,
  issueList,
  issueMember,
  renewCertificate,
  revokeCertificate,
  unlockAuthority,
} from "../../src/index.ts";

const DAY_MS = 86_400_000;
const password = "for-tests-only";
let base: string;
let root: AuthorityFolder;
let rootCertificate: Certificate;
let rootSigner: Signer;
let folder: AuthorityFolder;
let signer: Signer;

const act = <T>(action: (act: Act) => Promise<T>, of = folder): Promise<T> =>
  of.run({ act: "test", actor: "tester" }, action);
const codeOf = (failing: Promise<unknown>): Promise<string> =>
  failing.then(
    () => "nothing",
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), "credlink-ca-"));
  const dir = join(base, "root");
  const clock = systemClock;
  rootCertificate = await createRootAuthority({
    dir,
    organization: "gig",
    password,
    clock,
    days: 400,
  });
  root = new AuthorityFolder(dir);
  rootSigner = await unlockAuthority(root, password);
  const own = join(base, "alpha");
  const request = await createOrganizationAuthority({
    dir: own,
    organization: "alpha",
    password,
    clock,
  });
  folder = new AuthorityFolder(own);
  expect(await codeOf(unlockAuthority(folder, password))).toBe("CA_NOT_ACCEPTED");
  const certificate = await act(
    (open) => issueAuthority(open, rootSigner, request, { organization: "alpha", days: 390 }),
    root,
  );
  const accepted = { certificate, root: rootCertificate, publicKey: request.subjectKey };
  await acceptCertificate(folder, accepted);
  expect(await codeOf(acceptCertificate(folder, accepted))).toBe("CA_ALREADY_ACCEPTED");
  signer = await unlockAuthority(folder, password);
});
afterAll(() => rmSync(base, { recursive: true }));

async function request(commonName: string, role: string, organization = "alpha", key?: Signer) {
  const own = key ?? createSm2Signer(generateKeyPair().privateKey);
  const subject = { commonName, organization, organizationalUnit: role };
  return createSigningRequest({ subject, signer: own });
}

async function issue(name: string, role: Role = "validator", days = 90): Promise<Certificate> {
  const csr = await request(name, role);
  return act((open) => issueMember(open, signer, csr, { name, role, days }));
}

describe("an organisation's CA", () => {
  test("S-8.4-7: certifies a key for one node id and role, and the chain leads to the root", async () => {
    const certificate = await issue("node-1");
    const { own } = await folder.read((open) => ({ own: open.state.own }));
    const verified = verifyCertificateChain({
      leaf: certificate,
      intermediates: own === undefined ? [] : [own],
      roots: [rootCertificate],
      revocationLists: [],
      atMs: Date.now(),
    });
    expect(verified).toMatchObject({
      ok: true,
      value: { organization: "alpha", role: "validator" },
    });
    expect(certificate.subject.commonName).toBe("node-1");
  });

  test("S-8.4-7: certifies nobody of another organisation, name or role than was approved", async () => {
    const judge = async (csr: Awaited<ReturnType<typeof request>>, name: string, role: Role) =>
      codeOf(act((open) => issueMember(open, signer, csr, { name, role, days: 9 })));
    const foreign = await request("n", "observer", "beta");
    expect(await judge(foreign, "n", "observer")).toBe("CA_ORGANIZATION_FOREIGN");
    const other = await request("n", "observer");
    expect(await judge(other, "m", "observer")).toBe("CA_REQUEST_DIFFERS");
    expect(await judge(other, "n", "validator")).toBe("CA_REQUEST_DIFFERS");
    const noRole = await request("n", "king");
    expect(await judge(noRole, "n", "observer")).toBe("CA_REQUEST_DIFFERS");
  });

  test("T-4.5-1: a root certifies no member, and an organisation's CA no other CA", async () => {
    const member = await request("n", "observer", "gig");
    const asMember = { name: "n", role: "observer", days: 9 } as const;
    const byRoot = act((open) => issueMember(open, rootSigner, member, asMember), root);
    expect(await codeOf(byRoot)).toBe("CA_KIND_WRONG");
    const authority = await request("beta CA", "ca", "beta");
    const approval = { organization: "beta", days: 9 };
    const byOrganization = act((open) => issueAuthority(open, signer, authority, approval));
    expect(await codeOf(byOrganization)).toBe("CA_KIND_WRONG");
  });

  test("a name in force and a key once certified are not certified again", async () => {
    const key = createSm2Signer(generateKeyPair().privateKey);
    const approval = { name: "node-2", role: "observer", days: 9 } as const;
    const first = await request("node-2", "observer", "alpha", key);
    const { serialNumber } = await act((open) => issueMember(open, signer, first, approval));
    const second = await request("node-2", "observer");
    const again = () => act((open) => issueMember(open, signer, second, approval));
    expect(await codeOf(again())).toBe("CA_NAME_TAKEN");
    await act((open) => revokeCertificate(open, serialNumber, "keyCompromise"));
    expect(await codeOf(act((open) => issueMember(open, signer, first, approval)))).toBe(
      "CA_KEY_REUSED",
    );
    const own = await request("node-3", "observer", "alpha", signer);
    const asThree = { ...approval, name: "node-3" };
    expect(await codeOf(act((open) => issueMember(open, signer, own, asThree)))).toBe(
      "CA_KEY_REUSED",
    );
    expect(await codeOf(again())).toBe("nothing");
  });

  test("S-8.4-9: nothing outlives its issuer, and no member's certificate three years", async () => {
    const longRoot = join(base, "long-root");
    const input = { organization: "gig", password, clock: systemClock };
    await createRootAuthority({ dir: longRoot, ...input, days: 9_000 });
    const above = new AuthorityFolder(longRoot);
    const dir = join(base, "long");
    const csr = await createOrganizationAuthority({ dir, ...input, organization: "long" });
    const key = await unlockAuthority(above, password);
    const days = 4_000;
    const certificate = await act(
      (open) => issueAuthority(open, key, csr, { organization: "long", days }),
      above,
    );
    const long = new AuthorityFolder(dir);
    const longRootCertificate = await above.read((open) => open.state.own);
    if (longRootCertificate === undefined) throw new Error("no root");
    const accepted = { certificate, root: longRootCertificate, publicKey: csr.subjectKey };
    await acceptCertificate(long, accepted);
    const own = await unlockAuthority(long, password);
    const ask = async (name: string, wanted: number) => {
      const member = await request(name, "observer", "long");
      const approval = { name, role: "observer", days: wanted } as const;
      return codeOf(act((open) => issueMember(open, own, member, approval), long));
    };
    expect(await ask("a", 1_096)).toBe("nothing");
    expect(await ask("b", 1_097)).toBe("CRYPTO_CERTIFICATE_VALIDITY_TOO_LONG");
    expect(await ask("b", 0)).toBe("CRYPTO_CERTIFICATE_VALIDITY_TOO_LONG");
    expect(await ask("c", 4_001)).toBe("CA_OUTLIVES_ISSUER");
    const shorter = act(async (open) => {
      const member = await request("d", "observer");
      return issueMember(open, signer, member, { name: "d", role: "observer", days: 391 });
    });
    expect(await codeOf(shorter)).toBe("CA_OUTLIVES_ISSUER");
  });

  test("S-9.4-8: a key is replaced by renewal, once, and the old certificate stays verifiable", async () => {
    const old = await issue("node-4");
    const csr = await request("node-4", "validator");
    const { serialNumber } = old;
    const renew = (days: number, by = csr) =>
      act((open) => renewCertificate(open, signer, by, { serialNumber, days }));
    const wrong = await request("node-5", "validator");
    expect(await codeOf(renew(9, wrong))).toBe("CA_REQUEST_DIFFERS");
    const fresh = await renew(100);
    expect(fresh.subject).toEqual(old.subject);
    expect(equalBytes(fresh.subjectKey, old.subjectKey)).toBe(false);
    expect(await codeOf(renew(100, await request("node-4", "validator")))).toBe(
      "CA_ALREADY_RENEWED",
    );
    await folder.read((open) => {
      const issued = open.state.find(serialNumber);
      expect(issued && open.state.statusOf(issued, Date.now())).toBe("valid");
      expect(open.state.inForce("node-4", Date.now())?.certificate).toEqual(fresh);
    });
  });

  test("a revoked certificate is revoked once, cannot be renewed, and stands in the next list", async () => {
    const { serialNumber } = await issue("node-6");
    const revoke = () => act((open) => revokeCertificate(open, serialNumber, "keyCompromise"));
    await revoke();
    expect(await codeOf(revoke())).toBe("CA_ALREADY_REVOKED");
    const unknown = act((open) => revokeCertificate(open, "abcdef", "superseded"));
    expect(await codeOf(unknown)).toBe("CA_SERIAL_UNKNOWN");
    const csr = await request("node-6", "validator");
    const renewal = act((open) => renewCertificate(open, signer, csr, { serialNumber, days: 9 }));
    expect(await codeOf(renewal)).toBe("CA_ALREADY_REVOKED");
    const first = await act((open) => issueList(open, signer, 7));
    const second = await act((open) => issueList(open, signer, 7));
    expect(first.revoked.get(serialNumber)?.reason).toBe("keyCompromise");
    expect(second.number).toBe((first.number ?? 0) + 1);
    expect(second.thisUpdateMs).toBeGreaterThan(first.thisUpdateMs);
    expect(second.nextUpdateMs).toBe(second.thisUpdateMs + 7 * DAY_MS);
    expect(await folder.read(checkAuthority)).toMatchObject({ list: second.number });
  });

  test("serial numbers differ, are long, and none follows from another", async () => {
    const serials = await folder.read((open) =>
      open.state.issued().map(({ certificate }) => certificate.serialNumber),
    );
    expect(serials.length).toBeGreaterThan(4);
    expect(new Set(serials.map((serial) => serial.slice(0, 8))).size).toBe(serials.length);
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9a-f]{31}$/);
  });
});

describe("an authority's folder", () => {
  test("S-8.4-10, S-10.2-6b: is its owner's alone, and holds no key in clear", async () => {
    expect(statSync(folder.paths.dir).mode & 0o777).toBe(0o700);
    expect(statSync(folder.paths.key).mode & 0o777).toBe(0o600);
    const names = readdirSync(folder.paths.dir, { recursive: true, encoding: "utf8" });
    const texts = names
      .map((name) => join(folder.paths.dir, name))
      .filter((path) => statSync(path).isFile())
      .map((path) => readFileSync(path, "latin1"));
    expect(texts.length).toBeGreaterThan(5);
    for (const text of texts) {
      expect(text).not.toContain("-----BEGIN PRIVATE KEY");
      expect(text).not.toContain(password);
    }
    chmodSync(folder.paths.dir, 0o750);
    expect(await codeOf(folder.read(() => undefined))).toBe("CA_FOLDER_OPEN");
    chmodSync(folder.paths.dir, 0o700);
    chmodSync(folder.paths.key, 0o640);
    expect(await codeOf(unlockAuthority(folder, password))).toBe("CRYPTO_KEY_FILE_MODE");
    chmodSync(folder.paths.key, 0o600);
    expect(await codeOf(unlockAuthority(folder, "wrong"))).toBe("CRYPTO_KEY_PASSWORD_WRONG");
  });

  test("T-4.5-1: what the member's side makes and sends holds no private key", async () => {
    const keyFile = join(base, "member.key");
    const subject = { commonName: "m", organization: "alpha", organizationalUnit: "enterprise" };
    const options = { keyFile, password, subject, nowMs: Date.now() };
    const { request: csr, acknowledgement } = await createMemberRequest(options);
    expect(readFileSync(keyFile, "latin1")).toContain("ENCRYPTED PRIVATE KEY");
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    expect(Object.keys(acknowledgement)).toEqual(["notice", "publicKey", "at", "signature"]);
    expect(toHex(csr.subjectKey)).toBe(acknowledgement.publicKey);
  });

  test("S-9.4-8: an acknowledgement of custody is of its key's holder, for this notice alone", async () => {
    const holder = createSm2Signer(generateKeyPair().privateKey);
    const made = await acknowledgeCustody(holder, Date.now());
    expect(checkAcknowledgement(JSON.stringify(made), holder.publicKey)).toEqual(made);
    const other = createSm2Signer(generateKeyPair().privateKey).publicKey;
    const bad: readonly (readonly [object | string, Uint8Array])[] = [
      [made, other],
      [{ ...made, at: new Date(0).toISOString() }, holder.publicKey],
      [{ ...made, notice: "credlink/custody-notice/0" }, holder.publicKey],
      [{ ...made, signature: "00".repeat(64) }, holder.publicKey],
      ["no json", holder.publicKey],
    ];
    for (const [value, key] of bad) {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      expect(() => checkAcknowledgement(text, key)).toThrow();
    }
  });

  test("notes every act, also those that it refuses", async () => {
    const lines = readFileSync(folder.paths.audit, "utf8").trimEnd().split("\n");
    const outcomes = lines.map((line) => JSON.parse(line.slice(65)).entry.outcome);
    for (const outcome of ["ok", "CA_NAME_TAKEN", "CA_KEY_REUSED", "CA_ALREADY_REVOKED"]) {
      expect(outcomes).toContain(outcome);
    }
    expect(lines.join("\n")).not.toContain(password);
  });

  test("processes take turns: two issue at once, and nothing is lost", async () => {
    const before = await folder.read((open) => open.state.issued().length);
    const child = join(import.meta.dirname, "../support/issue-child.ts");
    const run = promisify(execFile);
    const node = process.execPath;
    await Promise.all(
      [1, 2].map((index) =>
        run(node, ["--conditions=source", child, folder.paths.dir, password, `p${index}`, "2"]),
      ),
    );
    await folder.read((open) => {
      expect(open.state.issued().length).toBe(before + 4);
      expect(open.state.inForce("p2-1", Date.now())).toBeDefined();
    });
    expect((await new AuthorityFolder(folder.paths.dir).read(checkAuthority)).certificates).toBe(
      before + 4,
    );
  }, 120_000);

  test("acts before the last one's time are refused: a clock was set back", async () => {
    const behind = { ...systemClock, nowMs: () => Date.now() - 60_000 };
    const other = new AuthorityFolder(folder.paths.dir, behind);
    expect(await codeOf(act(async () => undefined, other))).toBe("CA_CLOCK_BEHIND");
  });
});
