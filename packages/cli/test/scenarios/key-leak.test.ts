import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Client, createClient, createIdentity, getMember } from "@credlink/client";
import {
  addressFromPublicKey,
  createSm2Signer,
  formatAddress,
  loadKeyFile,
  parseCertificate,
} from "@credlink/crypto";
import { defaultGovernance, genesisCodec } from "@credlink/ledger";
import { type Address, encode } from "@credlink/primitives";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseConfig } from "../../../node/src/index.ts";
import { type RunningNode, startNode } from "../../../node/src/node.ts";
import { generatePeerKey, peerIdOf, savePeerKey } from "../../../node/src/p2p/peer-key.ts";
import { exitCodes, runCommand } from "../../src/index.ts";

const start = process.cwd();
const page = readFileSync(resolve(import.meta.dirname, "../../../../docs/keys.md"), "utf8");
const running: RunningNode[] = [];
const variables = new Map<string, string>();
let dir: string;
let genesis: Uint8Array;
let url: string;
let peers: string;

/** Runs one line as a shell would: variables are replaced, `cp` is the system's. */
async function run(line: string) {
  const whole = line.replaceAll(/\$([A-Z_0-9]+)/g, (_, name) => variables.get(name) ?? "");
  const [program, ...args] = whole.split(" ");
  if (program !== "credlink") {
    execFileSync("sh", ["-c", whole], { stdio: "pipe" });
    return { code: exitCodes.done, err: "", error: undefined };
  }
  let out = "";
  let err = "";
  const code = await runCommand([...args, "--json"], {
    out: (text) => (out += text),
    err: (text) => (err += text),
  });
  const error = out === "" ? undefined : (JSON.parse(out).error?.code as string | undefined);
  return { code, err: `${err}${out}`, error };
}

async function demand(line: string): Promise<void> {
  const { code, err } = await run(line);
  expect(code, `${line}\n${err}`).toBe(exitCodes.done);
}

/** The shell lines below the bold words that a case begins with. */
function stepsOf(title: string): readonly string[] {
  const section = page.slice(page.indexOf("## When a key leaks"));
  const from = section.indexOf(`**${title}`);
  const text = section.slice(from, section.indexOf("\n**", from + 2));
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1] ?? "");
  return blocks.flatMap((block) => block.trimEnd().split("\n"));
}

const certificateOf = (path: string) => {
  const parsed = parseCertificate(readFileSync(join(dir, path), "utf8"));
  if (!parsed.ok) throw new Error(parsed.code);
  return parsed.value;
};
const addressOf = (path: string) => addressFromPublicKey(certificateOf(path).subjectKey);

/** A client under a key file, whoever holds it now. */
async function clientOf(name: string, address?: Address): Promise<Client> {
  const password = readFileSync(join(dir, `${name}.password`), "utf8").trim();
  const privateKey = await loadKeyFile(join(dir, `${name}.key`), { password });
  const identity = createIdentity(createSm2Signer(privateKey), address);
  return createClient({ url, genesis, identity, attempts: 1, timeoutMs: 20_000 });
}

async function certify(folder: string, file: string, name: string, role: string): Promise<void> {
  const own = `--key ${folder}/${file}.key --password-file ${folder}/${file}.password`;
  const subject = `--name ${name} --organization alpha --role ${role}`;
  mkdirSync(join(dir, folder), { recursive: true });
  await demand(
    `credlink ca request ${subject} ${own} --out ${folder}/${file}.csr --acknowledge-custody`,
  );
  const request = `--csr ${folder}/${file}.csr --acknowledgement ${folder}/${file}.csr.ack`;
  const ca = "--dir alpha/ca --password-file alpha/ca.password";
  const out = `--out ${folder}/${file}.crt`;
  await demand(`credlink ca sign-csr ${ca} --name ${name} --role ${role} ${request} ${out}`);
}

async function startIn(folder: string): Promise<RunningNode> {
  await savePeerKey(join(dir, folder, "peer.key"), await generatePeerKey());
  return startAgain(folder);
}

async function startAgain(folder: string): Promise<RunningNode> {
  const identity = {
    ...{ certificate: "node.crt", key: "node.key", keyPasswordFile: "node.password" },
  };
  const config = parseConfig(
    {
      ...{ identity, genesis: join(dir, "genesis.bin"), rpc: { port: 0 } },
      p2p: { listen: ["/ip4/127.0.0.1/tcp/0"], ...(peers === "" ? {} : { peers: [peers] }) },
      ...{ verification: { threads: 0 }, log: { level: "error" } },
    },
    join(dir, folder),
  );
  const node = await startNode(config);
  running.push(node);
  return node;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error("not in time");
    await new Promise((done) => setTimeout(done, 50));
  }
}

async function writeGenesis(peerId: string): Promise<void> {
  const members = ["node-1/node", "node-2/node", "admin/admin", "ada/ada", "bob/bob"];
  const validator = certificateOf("node-1/node.crt");
  genesis = encode(genesisCodec, {
    ...{ version: 1, chainId: "leak", timestampMs: Date.now(), production: false },
    ...{ allowNonByzantine: true, consensus: "pbft" },
    roots: [certificateOf("root/ca/root.crt").der],
    organizations: [{ name: "alpha", authorityCertificate: certificateOf("alpha/alpha.crt").der }],
    members: members.map((name) => ({ certificate: certificateOf(`${name}.crt`).der })),
    validators: [{ nodeId: "node-1", publicKey: validator.subjectKey, peerId }],
    parameters: {
      ...{ blockGasLimit: 1_000_000_000, transactionGasLimit: 100_000_000 },
      ...{ maxBlockTransactions: 2_000, maxBlockBytes: 4 * 1024 * 1024, minBlockIntervalMs: 20 },
      ...{ emptyBlockIntervalMs: 0, precisionMs: 5_000, messageDelayMs: 5_000 },
      ...{ contractStateEntries: 1_000_000, contractStateBytes: 1_000_000_000 },
    },
    governance: defaultGovernance(["alpha"]),
    contracts: [],
  });
  writeFileSync(join(dir, "genesis.bin"), genesis);
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "credlink-leak-"));
  process.chdir(dir);
  peers = "";
  for (const line of [
    "mkdir root alpha",
    "credlink ca init --root all --dir root/ca --password-file root/password --acknowledge-custody",
    "credlink ca init --organization alpha --dir alpha/ca --password-file alpha/ca.password --acknowledge-custody",
    "credlink ca issue-org --dir root/ca --password-file root/password --organization alpha --csr alpha/ca/ca.csr --out alpha/alpha.crt --acknowledge-custody",
    "credlink ca accept --dir alpha/ca --certificate alpha/alpha.crt --root root/ca/root.crt",
  ]) {
    await demand(line);
  }
  await certify("node-1", "node", "node-1", "validator");
  await certify("node-2", "node", "node-2", "observer");
  await certify("admin", "admin", "admin", "admin");
  await certify("ada", "ada", "ada", "enterprise");
  await certify("bob", "bob", "bob", "individual");
  const peerKey = await generatePeerKey();
  await savePeerKey(join(dir, "node-1/peer.key"), peerKey);
  await writeGenesis(peerIdOf(peerKey));
  const first = await startAgain("node-1");
  url = first.addresses.rpc;
  peers = String(first.addresses.p2p[0]);
  const chain = `--rpc ${url} --genesis genesis.bin`;
  variables.set("NODE", chain);
  variables.set("ADMIN", `${chain} --key admin/admin.key --password-file admin/admin.password`);
  variables.set("ADA", formatAddress(addressOf("ada/ada.crt")));
  variables.set("BOB", formatAddress(addressOf("bob/bob.crt")));
  variables.set("NODE_2", formatAddress(addressOf("node-2/node.crt")));
  // What is read with proof rests on block 1: a chain in use has it.
  await demand("credlink member suspend $ADMIN $BOB");
  await demand("credlink member resume $ADMIN $BOB");
}, 120_000);
afterAll(async () => {
  for (const node of running.reverse()) await node.stop();
  process.chdir(start);
  rmSync(dir, { recursive: true, force: true });
});

describe("T-4.9.7-c1, S-9.4-8: when a key leaks, docs/keys.md is what to do", () => {
  it("a member's: the thief's copy is refused from the next block on, the member goes on", async () => {
    const thief = await clientOf("ada/ada");
    await thief.info();
    const steps = stepsOf("A member's key, while");
    expect(steps).toHaveLength(9);
    for (const line of steps.slice(0, 2)) await demand(line);
    await expect(thief.info()).rejects.toMatchObject({ details: { httpStatus: 401 } });
    const again = await clientOf("ada/ada", addressOf("ada/ada.crt"));
    await expect(again.info()).rejects.toMatchObject({ code: "API_SIGNATURE_INVALID" });
    for (const line of steps.slice(2)) await demand(line);
    const member = await clientOf("ada/ada.2", addressOf("ada/ada.crt"));
    await member.info();
    const admin = await clientOf("admin/admin");
    const shown = await getMember(admin, addressOf("ada/ada.crt"));
    expect(shown).toMatchObject({ status: "active" });
    expect(shown?.keys).toHaveLength(2);
    expect(shown?.certificateDigest).toEqual(certificateOf("alpha/ada.2.crt").fingerprint);
  }, 90_000);

  it("a member's that is lost: its address is held and ended, the person comes back", async () => {
    const steps = stepsOf("A member's key that is lost");
    expect(steps).toHaveLength(7);
    const thief = await clientOf("bob/bob");
    await thief.info();
    await demand(steps[0] ?? "");
    await expect(thief.info()).rejects.toMatchObject({ code: "API_MEMBER_INACTIVE" });
    for (const line of steps.slice(1)) await demand(line);
    const admin = await clientOf("admin/admin");
    expect(await getMember(admin, addressOf("bob/bob.crt"))).toMatchObject({ status: "revoked" });
    await (await clientOf("bob/bob-2")).info();
  }, 90_000);

  it("a node's: every peer cuts it, it never comes back, the machine does as another node", async () => {
    const leaked = await startIn("node-2");
    const admin = await clientOf("admin/admin");
    const peersNow = async () => (await admin.status()).peers.map(({ nodeId }) => nodeId);
    await until(async () => (await peersNow()).includes("node-2"));
    const steps = stepsOf("A node's key");
    expect(steps).toHaveLength(10);
    const info = await admin.call("node.peers", {});
    const peer = info.peers.find(({ nodeId }) => nodeId === "node-2")?.peerId ?? "";
    variables.set("PEER", peer);
    const admins = variables.get("ADMIN") ?? "";
    variables.set("THERE", admins.replace(/--rpc \S+/, `--rpc ${leaked.addresses.rpc}`));
    await demand(steps[0] ?? "");
    // Before it is stopped: a thief's node is stopped by nobody, and what others do must be enough.
    await until(async () => !(await peersNow()).includes("node-2"));
    for (const line of steps.slice(1, 5)) await demand(line);
    expect(await getMember(admin, addressOf("node-2/node.crt"))).toMatchObject({
      status: "revoked",
    });
    for (const line of steps.slice(5)) await demand(line);
    const back = await startIn("node-3");
    await until(async () => (await peersNow()).includes("node-3"));
    expect(await peersNow()).not.toContain("node-2");
    const seen = createClient({ url: back.addresses.rpc, genesis, identity: identityOf(admin) });
    await until(async () => (await seen.info()).height === (await admin.info()).height);
  }, 90_000);
});

describe("S-9.5-1a, S-9.5-2b, S-8.4-10: what all of that left on the disks", () => {
  it("S-9.5-1a: holds no private key in clear, and no password outside its own file", async () => {
    const names = readdirSync(dir, { recursive: true, encoding: "utf8" });
    const files = names.filter((name) => statSync(join(dir, name)).isFile());
    const keys = files.filter((name) => name.endsWith(".key") && !name.endsWith("peer.key"));
    expect(keys.length).toBeGreaterThanOrEqual(9);
    const secrets: { of: string; bytes: Buffer }[] = [];
    for (const name of keys) {
      const file = name.startsWith("alpha/ca") ? "alpha/ca.password" : passwordOf(name);
      const password = readFileSync(join(dir, file), "utf8").trim();
      const key = Buffer.from(await loadKeyFile(join(dir, name), { password }));
      for (const form of ["hex", "base64", "base64url"] as const) {
        // A text may begin inside a group of base64, so three bytes are left off at either end.
        secrets.push({ of: name, bytes: Buffer.from(key.subarray(3, 30).toString(form)) });
      }
      secrets.push({ of: name, bytes: key }, { of: file, bytes: Buffer.from(password) });
    }
    for (const name of files) {
      const content = readFileSync(join(dir, name));
      const found = secrets.filter(({ of, bytes }) => of !== name && content.includes(bytes));
      expect(
        found.map(({ of }) => of),
        name,
      ).toEqual([]);
    }
  });
});

const passwordOf = (key: string): string =>
  key.startsWith("root/ca") ? "root/password" : key.replace(/\.key$/, ".password");

function identityOf({ identity }: Client) {
  if (identity === undefined) throw new Error("no identity");
  return identity;
}
