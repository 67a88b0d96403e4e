import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Certificate,
  certificateToPem,
  createCertificate,
  createSm2Signer,
  generateKeyPair,
  loadKeyFile,
  parseCertificate,
} from "@credlink/crypto";
import { invariant, type Signer } from "@credlink/primitives";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { credlinkJson } from "./support/command.ts";
import { isLarge } from "./support/large.ts";
import { Load, relationKeyCall } from "./support/load.ts";
import { TestNetwork } from "./support/network.ts";

const DAY_MS = 86_400_000;
const all = ["node-1", "node-2", "node-3", "node-4"];
let network: TestNetwork;
let load: Load;
/** Org-1's next CA. */
let authority: Certificate;
let signer: Signer;

const file = (name: string) => join(network.folder.path, name);
function certificateOf(path: string): Certificate {
  const parsed = parseCertificate(readFileSync(join(network.dir, path), "utf8"));
  invariant(parsed.ok, path);
  return parsed.value;
}
function keep(name: string, certificate: Certificate): string {
  writeFileSync(file(name), certificateToPem(certificate));
  return file(name);
}
const times = () => ({ notBeforeMs: Date.now() - DAY_MS, notAfterMs: Date.now() + 300 * DAY_MS });

/** The same subject and key, certified by the next CA. */
async function certifiedAgain(name: string, path: string): Promise<string> {
  const { subject, subjectKey } = certificateOf(path);
  return keep(
    name,
    await createCertificate({ subject, subjectKey, ...times(), issuer: authority, signer }),
  );
}

async function as(member: string, node: string, ...command: readonly string[]) {
  return credlinkJson(...command, "--network", network.dir, "--as", member, "--node", node);
}

beforeAll(async () => {
  if (!isLarge) return;
  network = await TestNetwork.run({ validators: 4 });
  const password = readFileSync(join(network.dir, "authority/root.password"), "utf8").trimEnd();
  const rootKey = await loadKeyFile(join(network.dir, "authority/root.key"), { password });
  const pair = generateKeyPair();
  signer = createSm2Signer(pair.privateKey);
  authority = await createCertificate({
    subject: { commonName: "org-1 CA", organization: "org-1", organizationalUnit: "ca" },
    subjectKey: pair.publicKey,
    ...times(),
    authority: { pathLength: 0 },
    issuer: certificateOf("authority/root.crt"),
    signer: createSm2Signer(rootKey),
  });
  const made = await credlinkJson(
    ...["member", "create", "--network", network.dir, "--organization", "org-2"],
    ...["--name", "centre", "--role", "institution"],
  );
  invariant(made.code === 0, made.stderr);
  const client = await network.client("node-2", "org-2/centre");
  load = new Load([client], () => client.build(relationKeyCall()), 250);
}, 240_000);
afterAll(() => network?.close());

describe.runIf(isLarge)("an organisation's CA key leaks", { timeout: 240_000 }, () => {
  it("its CA is replaced at once by three of four organisations while blocks go on", async () => {
    const carried = [
      await certifiedAgain("admin.crt", "organizations/org-1/admin.crt"),
      await certifiedAgain("node-1.crt", "nodes/node-1/node.crt"),
    ];
    const decided = await as(
      ...(["org-1/admin", "node-1", "gov", "replace-ca", "org-1", "--at-once"] as const),
      ...["--certificate", keep("ca.crt", authority)],
      ...carried.flatMap((path) => ["--carry", path]),
      ...["--co-sign", "org-2/admin", "--co-sign", "org-3/admin"],
    );
    expect(decided.code, decided.stderr).toBe(0);
    const number = String(decided.value.at("number").number);
    const shown = await as("org-4/admin", "node-4", "gov", "show", number);
    expect(shown.value.value).toMatchObject({ state: "executed", decision: "constitutional" });
  });

  it("the leaked CA makes no member any more, the next one does, and all nodes agree", async () => {
    const refused = await credlinkJson(
      ...["member", "create", "--network", network.dir, "--organization", "org-1"],
      ...["--name", "thief", "--role", "enterprise"],
    );
    expect(refused.code).not.toBe(0);
    expect(refused.value.at("error", "message").text).toContain("MEMBERS_CERTIFICATE_");
    const fresh = await createCertificate({
      subject: { commonName: "fresh", organization: "org-1", organizationalUnit: "enterprise" },
      subjectKey: generateKeyPair().publicKey,
      ...{ ...times(), issuer: authority, signer },
    });
    const path = keep("fresh.crt", fresh);
    const enrolled = await as("org-1/admin", "node-1", "member", "enroll", path);
    expect(enrolled.code, enrolled.stderr).toBe(0);
    await load.stop();
    for (const name of all) {
      const { peers } = await (await network.client(name)).status();
      expect(peers.length, name).toBe(3);
    }
    const { height } = await (await network.client("node-3")).status();
    await network.agree(all, height);
  });
});
