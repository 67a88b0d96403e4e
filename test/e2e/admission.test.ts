import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  certifyKey,
  createOrganizationAuthority,
  createRoot,
  loadAuthority,
  loadNetwork,
} from "@credlink/cli";
import { proposeCall, setMemberStatusCall } from "@credlink/client";
import {
  addressFromPublicKey,
  type Certificate,
  certificateToPem,
  createCertificate,
  generateKeyPair,
  parseCertificate,
  saveKeyFile,
} from "@credlink/crypto";
import { setMemberStatusArgsCodec } from "@credlink/ledger";
import { generatePeerKey, peerIdOf, savePeerKey } from "@credlink/node";
import { encode, equalBytes, height } from "@credlink/primitives";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "./support/command.ts";
import { TestNetwork } from "./support/network.ts";
import { eventually } from "./support/wait.ts";

const DAY_MS = 86_400_000;

let network: TestNetwork;
const intruders: ChildProcess[] = [];

beforeAll(async () => {
  network = await TestNetwork.run({ validators: 1, observers: 1 });
}, 100_000);
afterAll(async () => {
  await Promise.all(intruders.map(end));
  await network?.close();
});

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((done) => child.once("exit", done));
  child.kill("SIGTERM");
  await ended;
}

/** The CA of one of the network's organisations. */
function authority(name: string) {
  const entry = loadNetwork(network.dir).organizations.find((each) => each.name === name);
  if (entry === undefined) throw new Error(`no organisation ${name}`);
  return loadAuthority(network.dir, entry);
}

interface Intruder {
  readonly child: ChildProcess;
  readonly peerId: string;
  readonly dir: string;
}

/**
 * Starts a real node with the network's genesis and peers, a key of its own, and the certificate
 * that `certify` makes for it.
 */
async function intrude(
  name: string,
  certify: (publicKey: Uint8Array) => Promise<readonly Certificate[]>,
): Promise<Intruder> {
  const dir = join(network.folder.path, name);
  mkdirSync(dir);
  cpSync(join(network.nodeDir("observer-1"), "genesis.bin"), join(dir, "genesis.bin"));
  const config = readFileSync(join(network.nodeDir("observer-1"), "node.yaml"), "utf8");
  writeFileSync(join(dir, "node.yaml"), config);
  const pair = generateKeyPair();
  await saveKeyFile(join(dir, "node.key"), pair.privateKey, { password: "intruder" });
  writeFileSync(join(dir, "node.password"), "intruder\n", { mode: 0o600 });
  const certificates = await certify(pair.publicKey);
  writeFileSync(join(dir, "node.crt"), certificates.map(certificateToPem).join(""));
  const peerKey = await generatePeerKey();
  await savePeerKey(join(dir, "peer.key"), peerKey);
  const log = openSync(join(dir, "node.log"), "a");
  const args = ["--conditions=source", join(root, "packages/cli/src/main.ts"), "node", "start"];
  const settings = ["--rpc.port=0", "--p2p.listen=/ip4/127.0.0.1/tcp/0"];
  const child = spawn(
    process.execPath,
    [...args, "--config", join(dir, "node.yaml"), "--with-parent", "--", ...settings],
    { stdio: ["pipe", log, log] },
  );
  intruders.push(child);
  return { child, peerId: peerIdOf(peerKey), dir };
}

/** Lines of a node's log that name a code. */
function logged(text: string, code: string, peerId: string): readonly string[] {
  return text.split("\n").filter((line) => line.includes(code) && line.includes(peerId));
}

const refusals = "credlink_node_admission_refusals_total";

/** The validator refuses the intruder with this code: in its log, its metrics, and for good. */
async function expectRefusal(intruder: Intruder, code: string): Promise<void> {
  await eventually(`${code} in the log`, () => {
    if (intruder.child.exitCode !== null) {
      throw new Error(readFileSync(join(intruder.dir, "node.log"), "utf8"));
    }
    return logged(network.log("node-1"), code, intruder.peerId).length > 0;
  });
  expect(await network.metric("node-1", refusals, { code, by: "us" })).toBeGreaterThan(0);
  const { peers } = await (await network.client("node-1")).status();
  expect(peers.map((peer) => peer.peerId)).not.toContain(intruder.peerId);
  await end(intruder.child);
  rmSync(join(intruder.dir, "data"), { recursive: true, force: true });
}

const observer = { organization: "org-1", role: "observer", name: "intruder" } as const;

describe("T-4.2.2-b, S-8.4-11: a node is refused before any other protocol opens", () => {
  it("with a certificate of another root: NODE_ADMISSION_UNKNOWN_ROOT", async () => {
    const intruder = await intrude("other-root", async (key) => {
      const nowMs = Date.now();
      const folder = join(network.folder.path, "other-root-ca");
      const foreign = await createRoot(join(folder, "root"), "elsewhere", nowMs);
      const ca = await createOrganizationAuthority(join(folder, "org"), "org-1", foreign, nowMs);
      return [await certifyKey(ca, key, { ...observer, days: 30, nowMs }), ca.certificate];
    });
    await expectRefusal(intruder, "NODE_ADMISSION_UNKNOWN_ROOT");
  });

  it("with an expired certificate: NODE_ADMISSION_EXPIRED", async () => {
    const intruder = await intrude("expired", async (key) => {
      const nowMs = Date.now() - 2 * DAY_MS;
      return [await certifyKey(await authority("org-1"), key, { ...observer, days: 1, nowMs })];
    });
    await expectRefusal(intruder, "NODE_ADMISSION_EXPIRED");
  });

  it("with a certificate without a role: NODE_ADMISSION_ROLE_MISSING", async () => {
    const intruder = await intrude("role-less", async (subjectKey) => {
      const { certificate, signer } = await authority("org-1");
      const leaf = await createCertificate({
        subject: { commonName: "intruder", organization: "org-1", organizationalUnit: "nobody" },
        subjectKey,
        notBeforeMs: Date.now() - DAY_MS,
        notAfterMs: Date.now() + DAY_MS,
        issuer: certificate,
        signer,
      });
      return [leaf];
    });
    await expectRefusal(intruder, "NODE_ADMISSION_ROLE_MISSING");
  });

  it("with a user's role: NODE_ADMISSION_ROLE_REFUSED", async () => {
    const intruder = await intrude("user", async (key) => {
      const request = { ...observer, role: "enterprise", days: 30, nowMs: Date.now() } as const;
      return [await certifyKey(await authority("org-1"), key, request)];
    });
    await expectRefusal(intruder, "NODE_ADMISSION_ROLE_REFUSED");
  });

  it("certified but never registered on chain: NODE_ADMISSION_NOT_REGISTERED", async () => {
    const intruder = await intrude("stranger", async (key) => {
      const request = { ...observer, days: 30, nowMs: Date.now() };
      return [await certifyKey(await authority("org-1"), key, request)];
    });
    await expectRefusal(intruder, "NODE_ADMISSION_NOT_REGISTERED");
  });

  it("S-8.4-5: suspended by a decision: cut at the commit, and let in again by another", async () => {
    const pem = readFileSync(join(network.nodeDir("observer-1"), "node.crt"), "utf8");
    const certificate = parseCertificate(pem);
    if (!certificate.ok) throw new Error(certificate.code);
    const address = addressFromPublicKey(certificate.value.subjectKey);
    const client = await network.client("node-1");
    const { organizations } = loadNetwork(network.dir);
    const admins = await Promise.all(
      organizations.map(({ name }) => network.identity(`${name}/admin`)),
    );
    const own = client.identity?.address ?? address;
    const coSigners = admins.filter((admin) => !equalBytes(admin.address, own));
    const decide = async (status: "suspended" | "active") => {
      const args = encode(setMemberStatusArgsCodec, { address, status });
      const call = { contract: "governance", method: "setMemberStatus", args };
      await client.execute(proposeCall({ ...call, executeAt: height(0) }, coSigners));
    };
    const isConnected = async () =>
      (await client.status()).peers.some(({ nodeId }) => nodeId === "observer-1");
    await decide("suspended");
    await eventually("the observer is cut", async () => !(await isConnected()));
    await decide("active");
    await eventually("the observer is let in again", isConnected, 60_000);
  });

  it("revoked on chain: cut at the commit, and refused from then on", async () => {
    const before = await (await network.client("node-1")).status();
    expect(before.peers.map((peer) => peer.nodeId)).toContain("observer-1");
    const pem = readFileSync(join(network.nodeDir("observer-1"), "node.crt"), "utf8");
    const certificate = parseCertificate(pem);
    if (!certificate.ok) throw new Error(certificate.code);
    const address = addressFromPublicKey(certificate.value.subjectKey);
    const owner = certificate.value.subject.organization;
    const admin = await network.client("node-1", `${owner}/admin`);
    await admin.execute(setMemberStatusCall(address, "revoked"));
    await eventually("the observer is cut", async () => {
      const { peers } = await (await network.client("node-1")).status();
      return peers.every((peer) => peer.nodeId !== "observer-1");
    });
    await eventually(
      "its return is refused",
      async () =>
        (await network.metric("node-1", refusals, { code: "NODE_ADMISSION_REVOKED", by: "us" })) >
        1,
    );
    expect(network.log("node-1")).toContain("NODE_ADMISSION_REVOKED");
  });
});
