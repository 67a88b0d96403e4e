import { readFile, writeFile } from "node:fs/promises";
import { type Client, controlNode, createClient, createIdentity } from "@credlink/client";
import { createSm2Signer } from "@credlink/crypto";
import { enrollArgsCodec, genesisCodec } from "@credlink/ledger";
import { encode, type Logger, toHex } from "@credlink/primitives";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkNodeAudit, RUN_TIME_SETTINGS } from "../../src/index.ts";
import { createLogger } from "../../src/logger.ts";
import { type RunningNode, startNode } from "../../src/node.ts";
import { enrolment, signedCall } from "../support/admin-calls.ts";
import { type Credential, createCredential } from "../support/consortium.ts";
import { createNodeFolders, type NodeFolders } from "../support/nodes.ts";
import { createRecordingLogger, type LogEntry } from "../support/recording.ts";

let made: NodeFolders;
let node: RunningNode;
let logger: Logger & { readonly entries: LogEntry[] };
let admin: Client;
let regulator: Client;
let enterprise: Client;
const people: { regulator?: Credential; enterprise?: Credential } = {};

function own() {
  const [first] = made.nodes;
  if (first === undefined) throw new Error("no node");
  return first;
}

function clientOf(credential: Credential): Client {
  return createClient({
    url: node.addresses.rpc,
    genesis: encode(genesisCodec, made.genesis),
    identity: createIdentity(createSm2Signer(credential.privateKey)),
    attempts: 1,
    timeoutMs: 20_000,
  });
}

async function start(): Promise<void> {
  logger = createRecordingLogger();
  node = await startNode(own().config({ log: { level: "info" } }), { logger });
  admin = clientOf(made.admin);
  if (people.regulator !== undefined) regulator = clientOf(people.regulator);
  if (people.enterprise !== undefined) enterprise = clientOf(people.enterprise);
}

const ask = (action: Parameters<typeof controlNode>[1]["action"], key = "", value = "") =>
  controlNode(admin, { node: own().peerId, action, key, value });
const set = (key: string, value: unknown) => ask("config.set", key, JSON.stringify(value));

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "done";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

async function commit(transaction: Uint8Array): Promise<string> {
  const params = { transaction: toHex(transaction) };
  const { id } = await admin.call("transaction.submit", params);
  return (await admin.call("transaction.wait", { id, timeoutMs: 15_000 })).status;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 15_000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error("not in time");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

beforeAll(async () => {
  made = await createNodeFolders(1);
  await start();
  people.regulator = await createCredential(made.authority, "regulator", "regulator");
  people.enterprise = await createCredential(made.authority, "enterprise", "enterprise");
  const certificates = [people.regulator, people.enterprise].map(
    ({ certificate }) => certificate.der,
  );
  const args = encode(enrollArgsCodec, { certificates });
  expect(await commit(signedCall(made, { contract: "members", method: "enroll", args }))).toBe(
    "committed",
  );
  regulator = clientOf(people.regulator);
  enterprise = clientOf(people.enterprise);
});
afterAll(async () => {
  await node?.stop();
  await made?.remove();
});

test("S-8.4-0, S-8.4-1: admins and regulators read what a node is and how it fares; others do not", async () => {
  const info = await regulator.call("node.info", {});
  expect(info).toMatchObject({
    ...{ nodeId: "node1", peerId: own().peerId, organization: "Org One", role: "validator" },
    ...{ validating: true, chainId: "node-test" },
    software: { credlink: "0.1.0", node: process.versions.node },
    addresses: { rpc: node.addresses.rpc, p2p: node.addresses.p2p },
  });
  expect(info.certificate.notAfterMs).toBe(own().credential.certificate.notAfterMs);
  const used = await admin.call("node.resources", {});
  expect(used.memory.residentBytes).toBeGreaterThan(10_000_000);
  expect(used.disk.freeBytes).toBeGreaterThan(0);
  expect(used.disk.freeBytes).toBeLessThan(used.disk.totalBytes);
  const status = await admin.status();
  expect(status).toMatchObject({ mode: "running", height: 1 });
  expect(status.certificateEndsAtMs).toBeGreaterThan(Date.now());
  for (const method of ["node.info", "node.resources", "node.peers", "node.events"] as const) {
    expect(await codeOf(enterprise.call(method, {}))).toBe("API_ROLE_FORBIDDEN");
  }
  for (const method of ["node.config", "node.audit"] as const) {
    expect(await codeOf(enterprise.call(method, {}))).toBe("API_ROLE_FORBIDDEN");
    expect(await codeOf(regulator.call(method, {}))).toBe("done");
  }
});

test("S-8.4-2: who may not change the node is refused, and both are in the audit log", async () => {
  const asked = { node: own().peerId, action: "stop" } as const;
  expect(await codeOf(controlNode(regulator, asked))).toBe("NODE_CONTROL_FORBIDDEN");
  expect(await codeOf(controlNode(enterprise, asked))).toBe("NODE_CONTROL_FORBIDDEN");
  expect(await codeOf(controlNode(admin, { ...asked, node: "12D3KooWOther" }))).toBe(
    "NODE_CONTROL_WRONG_NODE",
  );
  const { sequence } = await ask("resume");
  const { entries, head } = await admin.call("node.audit", {});
  expect(entries.map(({ type, code }) => [type, code])).toEqual([
    ["opened", ""],
    ["refused", "NODE_CONTROL_FORBIDDEN"],
    ["refused", "NODE_CONTROL_FORBIDDEN"],
    ["refused", "NODE_CONTROL_WRONG_NODE"],
    ["accepted", ""],
    ["done", ""],
  ]);
  expect(entries[4]).toMatchObject({ sequence, detail: "resume" });
  expect(entries[5]).toMatchObject({ of: sequence });
  expect(head.hash).toBe(entries.at(-1)?.hash);
  expect((await admin.status()).mode).toBe("running");
});

test("S-8.4-2: a drain finishes what was accepted, takes nothing new, and is undone", async () => {
  const waiting = await enrolment(made, "before-the-drain");
  const { id } = await admin.call("transaction.submit", { transaction: toHex(waiting) });
  await ask("drain");
  await until(async () => (await admin.status()).mode === "drained");
  expect((await admin.call("transaction.get", { id })).status).toBe("committed");
  const late = toHex(await enrolment(made, "during-the-drain"));
  const submitted = admin.call("transaction.submit", { transaction: late });
  expect(await codeOf(submitted)).toBe("NODE_DRAINING");
  const readyz = new URL("/readyz", node.addresses.rpc);
  expect((await fetch(readyz)).status).toBe(503);
  // Sessions that are open go on; new ones are for those who look after the node.
  expect(await codeOf(enterprise.call("chain.info", {}))).toBe("done");
  if (people.enterprise === undefined) throw new Error("enrolled above");
  expect(await codeOf(clientOf(people.enterprise).call("chain.info", {}))).toBe("NODE_DRAINING");
  expect(await codeOf(clientOf(made.admin).call("chain.info", {}))).toBe("done");
  await ask("resume");
  expect(await codeOf(admin.call("transaction.submit", { transaction: late }))).toBe("done");
  await until(async () => (await fetch(readyz)).status === 200);
});

test("S-8.4-2: a stopped node keeps its admins' door, stays stopped over a restart, and starts again", async () => {
  await ask("stop");
  expect(await admin.status()).toMatchObject({ mode: "standby", peers: [] });
  const lost = toHex(await enrolment(made, "in-standby"));
  expect(await codeOf(admin.call("transaction.submit", { transaction: lost }))).toBe(
    "NODE_STANDBY",
  );
  expect(await codeOf(ask("drain"))).toBe("NODE_CONTROL_MODE");
  expect(await codeOf(set("log.level", "debug"))).toBe("NODE_CONTROL_MODE");
  await node.stop();
  await start();
  const { height, mode } = await admin.status();
  expect(mode).toBe("standby");
  await ask("start");
  expect(await codeOf(ask("start"))).toBe("NODE_CONTROL_MODE");
  expect(await commit(await enrolment(made, "after-the-start"))).toBe("committed");
  expect((await admin.status()).height).toBeGreaterThan(height);
  // Once more in the same process: nothing of the first life is in the way of the second.
  await ask("stop");
  await ask("start");
  expect(await commit(await enrolment(made, "after-the-second"))).toBe("committed");
  const { events } = await admin.call("node.events", {});
  expect(events.filter(({ type }) => type === "mode").map(({ reason }) => reason)).toEqual([
    ...["running", "standby", "running"],
  ]);
});

test("a request is refused again after a restart: nonces are read back from the audit log", async () => {
  const { entries } = await admin.call("node.audit", {});
  const last = entries.findLast(({ type }) => type === "accepted");
  if (last === undefined) throw new Error("requests were accepted");
  const replay = { request: last.request, signature: last.signature };
  expect(await codeOf(admin.call("node.control", replay))).toBe("NODE_CONTROL_REPLAYED");
  await node.stop();
  await start();
  expect(await codeOf(admin.call("node.control", replay))).toBe("NODE_CONTROL_REPLAYED");
});

test("S-8.4-3: settings that are the chain's, need a start, are unknown or out of range are refused", async () => {
  const refusals = [
    ["maxBlockTransactions", 5, "NODE_SETTING_CONSENSUS"],
    ["parameters.blockGasLimit", 5, "NODE_SETTING_CONSENSUS"],
    ["role", "observer", "NODE_SETTING_CONSENSUS"],
    ["rpc.port", 1, "NODE_SETTING_RESTART"],
    ["p2p.maxConnection", 5, "NODE_CONFIG_UNKNOWN_KEY"],
    ["p2p.maxConnections", 0, "NODE_CONFIG_INVALID"],
    ["log.level", "loud", "NODE_CONFIG_INVALID"],
  ] as const;
  for (const [key, value, code] of refusals) expect(await codeOf(set(key, value)), key).toBe(code);
  const { entries } = await admin.call("node.audit", {});
  expect(
    entries
      .filter(({ type }) => type === "failed")
      .map(({ code }) => code)
      .slice(-7),
  ).toEqual(refusals.map(([, , code]) => code));
});

test("S-8.4-3, T-4.9.3-a: settings hold at once, are kept over a restart, and go back", async () => {
  await set("rpc.maxWaiters", 1);
  await set("engine.mempoolPerSender", 7);
  await node.stop();
  await start();
  const shown = async (key: string) =>
    (await admin.call("node.config", { key })).settings.map(({ value, source }) => [value, source]);
  expect(await shown("rpc.maxWaiters")).toEqual([["1", "run time"]]);
  expect(await shown("engine.mempoolPerSender")).toEqual([["7", "run time"]]);
  const id = "00".repeat(32);
  const first = admin.call("transaction.wait", { id, timeoutMs: 1_000 });
  await new Promise((resolve) => setTimeout(resolve, 100));
  const second = admin.call("transaction.wait", { id, timeoutMs: 1 });
  expect(await codeOf(second)).toBe("API_BUSY");
  await first;
  await ask("config.reset", "rpc.maxWaiters");
  expect(await shown("rpc.maxWaiters")).toEqual([["2000", "start"]]);
  const { settings } = await admin.call("node.config", {});
  expect(
    settings
      .filter(({ changeable }) => changeable)
      .map(({ key }) => key)
      .sort(),
  ).toEqual([...RUN_TIME_SETTINGS].sort());
});

/** Sends calls at once and counts the codes of what is refused. */
async function refusals(client: Client, count: number): Promise<readonly string[]> {
  const calls = Array.from({ length: count }, () => codeOf(client.call("chain.info", {})));
  return (await Promise.all(calls)).filter((code) => code !== "done");
}

/** Asks until the limit that is being tested lets the admin through again. */
async function insist(key: string, value: unknown): Promise<void> {
  await until(async () => {
    const code = await codeOf(set(key, value));
    if (code !== "done" && code !== "API_RATE_LIMITED") throw new Error(`${key}: ${code}`);
    return code === "done";
  });
}

test("S-8.4-3: each limit of the gateway and the mempool takes effect while the node runs", async () => {
  await node.stop();
  await start();
  const calls = [1, 2].map((id) => ({ jsonrpc: "2.0", id, method: "chain.info" }));
  const batch = async (): Promise<number> => {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify(calls);
    return (await fetch(node.addresses.rpc, { method: "POST", headers, body })).status;
  };
  expect(await batch()).toBe(401);
  await set("rpc.maxBatch", 1);
  expect(await batch()).toBe(400);
  await set("engine.mempoolBytes", 1);
  const transaction = toHex(await enrolment(made, "no-room"));
  const full = admin.call("transaction.submit", { transaction });
  expect(await codeOf(full)).toBe("NODE_MEMPOOL_FULL");
  expect(await refusals(regulator, 8)).toEqual([]);
  await set("rpc.memberRequestsPerSecond", 1);
  await set("rpc.memberBurst", 2);
  expect(await refusals(regulator, 8)).toContain("API_RATE_LIMITED");
  await insist("rpc.memberBurst", 8_000);
  await insist("rpc.memberRequestsPerSecond", 2_000);
  await insist("rpc.addressRequestsPerSecond", 1);
  await insist("rpc.addressBurst", 2);
  expect(await refusals(enterprise, 8)).toContain("API_RATE_LIMITED");
  await insist("rpc.addressBurst", 20_000);
  await insist("rpc.addressRequestsPerSecond", 5_000);
  await set("rpc.loginsPerSecond", 1);
  await set("rpc.loginBurst", 1);
  expect(await codeOf(clientOf(made.admin).info())).toBe("API_RATE_LIMITED");
  await set("rpc.loginBurst", 1_000);
  await set("rpc.loginsPerSecond", 100);
  await set("rpc.maxSessions", 1);
  const [first, second] = [clientOf(made.admin), clientOf(made.admin)];
  // What a raised limit allows comes by and by.
  for (const each of [first, second]) {
    await until(async () => (await codeOf(each.info())) === "done");
  }
  // Its session made room for the later one.
  expect(await codeOf(first.info())).toBe("API_SESSION_ENDED");
  // A client that tries nothing again brings another token with its next call.
  await until(async () => (await codeOf(first.info())) === "done");
  admin = second;
  for (const key of ["rpc.maxSessions", "rpc.maxBatch", "engine.mempoolBytes"]) {
    await until(async () => (await codeOf(ask("config.reset", key))) === "done");
  }
});

test("what environment or flags fix is not changed at run time", async () => {
  await node.stop();
  logger = createRecordingLogger();
  const fixedSettings = new Set(["log.level"]);
  node = await startNode(own().config(), { logger, fixedSettings });
  admin = clientOf(made.admin);
  expect(await codeOf(set("log.level", "debug"))).toBe("NODE_SETTING_FIXED");
});

test("more requests than a member may make are turned away unread, and the log says how many", async () => {
  const asked = { request: "00", signature: "00" };
  const enterpriseAgain = clientOf(people.enterprise ?? made.admin);
  await enterpriseAgain.status();
  const { head } = await admin.call("node.audit", {});
  const codes = await Promise.all(
    Array.from({ length: 40 }, () => codeOf(enterpriseAgain.call("node.control", asked))),
  );
  const read = codes.filter((code) => code === "NODE_CONTROL_MALFORMED").length;
  expect(read).toBeGreaterThan(0);
  expect(codes).toContain("API_RATE_LIMITED");
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  expect(await codeOf(enterpriseAgain.call("node.control", asked))).toBe("NODE_CONTROL_MALFORMED");
  // Each stands in the entry of the next one that was read, and none is lost between two of them.
  const { entries } = await admin.call("node.audit", { from: head.sequence + 1 });
  expect(entries).toHaveLength(read + 1);
  const turnedAway = entries.reduce((sum, { suppressed }) => sum + suppressed, 0);
  expect(turnedAway).toBe(codes.length - read);
});

test("the files hold every entry, whole, for whoever checks them without the node", async () => {
  const folder = own().folder;
  const identity = { certificate: "node.crt", key: "node.key", keyPasswordFile: "node.password" };
  await writeFile(`${folder}/node.yaml`, JSON.stringify({ identity }));
  const { head } = await admin.call("node.audit", {});
  expect(await checkNodeAudit(folder)).toMatchObject({ faults: [], entries: head.sequence + 1 });
});

test("the log's level follows its setting", async () => {
  await node.stop();
  const file = `${own().folder}/node.log`;
  const nodeLogger = createLogger({ level: "warn", file });
  node = await startNode(own().config(), { logger: nodeLogger });
  admin = clientOf(made.admin);
  await set("log.level", "info");
  await ask("drain");
  await ask("resume");
  await set("log.level", "warn");
  await ask("drain");
  const changes = (await readFile(file, "utf8"))
    .split("\n")
    .filter((line) => line.includes("mode changed"));
  expect(changes.length).toBeGreaterThanOrEqual(2);
  const modes = changes.map((line) => (JSON.parse(line) as { mode: string }).mode);
  expect(modes[0]).toBe("draining");
  // The last drain was asked for when nothing of this level was written any more.
  expect(modes.at(-1)).toBe("running");
});
