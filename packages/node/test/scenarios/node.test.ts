import { addressFromPublicKey, sm2Sign, taggedSm3 } from "@credlink/crypto";
import {
  enrollArgsCodec,
  setParametersArgsCodec,
  signedTransactionCodec,
  type Transaction,
  transactionCodec,
  transactionSigningMessage,
} from "@credlink/ledger";
import { encode, fromHex, height, noLogger, toHex } from "@credlink/primitives";
import { afterEach, expect, test } from "vitest";
import { type RunningNode, startNode } from "../../src/node.ts";
import { createCredential } from "../support/consortium.ts";
import { createCaller, createNodeFolders, type NodeFolders } from "../support/nodes.ts";
import { createRecordingLogger } from "../support/recording.ts";

const running: RunningNode[] = [];
const folders: NodeFolders[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((node) => node.stop()));
  await Promise.all(folders.splice(0).map((each) => each.remove()));
});

async function logIn(made: NodeFolders, url: string) {
  const caller = createCaller(url);
  const address = made.adminAddress;
  const asked = await caller.call("session.challenge", { address });
  const challenge = String(asked.result?.challenge);
  const message = taggedSm3(
    "credlink/session/1",
    made.digest,
    fromHex(challenge),
    addressFromPublicKey(made.admin.publicKey),
  );
  const signature = toHex(sm2Sign(made.admin.privateKey, message));
  const login = await caller.call("session.login", { address, challenge, signature });
  caller.token = String(login.result?.token);
  return caller;
}

/** A call by the consortium's admin, signed. */
function signedCall(
  made: NodeFolders,
  call: Pick<Transaction, "contract" | "method" | "args">,
): Uint8Array {
  const sender = addressFromPublicKey(made.admin.publicKey);
  const transaction = encode(transactionCodec, {
    version: 1,
    chainId: made.genesis.chainId,
    sender,
    nonce: crypto.getRandomValues(new Uint8Array(16)),
    expiryHeight: height(100),
    contractVersion: "1.0.0",
    gasLimit: 10_000_000,
    ...call,
  });
  const message = transactionSigningMessage(made.digest, transaction);
  const signature = sm2Sign(made.admin.privateKey, message);
  return encode(signedTransactionCodec, {
    transaction,
    signatures: [{ address: sender, signature }],
  });
}

async function enrolment(made: NodeFolders, name = "someone"): Promise<Uint8Array> {
  const worker = await createCredential(made.authority, name, "enterprise");
  const args = encode(enrollArgsCodec, { certificates: [worker.certificate.der] });
  return signedCall(made, { contract: "members", method: "enroll", args });
}

test("one validator commits a transaction that came over HTTP, and finds it again after a restart", async () => {
  const made = await createNodeFolders(1);
  folders.push(made);
  const [first] = made.nodes;
  if (first === undefined) throw new Error("no node");
  const logger = createRecordingLogger();
  const node = await startNode(first.config(), { logger });
  running.push(node);
  const caller = await logIn(made, node.addresses.rpc);
  const submitted = await caller.call("transaction.submit", {
    transaction: toHex(await enrolment(made)),
  });
  expect(submitted.error).toBeUndefined();
  const id = String(submitted.result?.id);
  const outcome = await caller.call("transaction.wait", { id, timeoutMs: 10_000 });
  expect(outcome.result).toMatchObject({ status: "committed", height: 1, index: 0 });
  const info = await caller.call("chain.info");
  expect(info.result).toMatchObject({ height: 1, chainId: "node-test" });
  await node.stop();
  running.splice(0);
  const again = await startNode(first.config(), { logger });
  running.push(again);
  const later = await logIn(made, again.addresses.rpc);
  const found = await later.call("transaction.get", { id });
  expect(found.result).toMatchObject({ status: "committed", height: 1 });
});

test("a block size that governance raised holds at once, without a restart", async () => {
  const made = await createNodeFolders(1, { maxBlockTransactions: 1, minBlockIntervalMs: 300 });
  folders.push(made);
  const [first] = made.nodes;
  if (first === undefined) throw new Error("no node");
  const node = await startNode(first.config(), { logger: noLogger });
  running.push(node);
  const caller = await logIn(made, node.addresses.rpc);
  const commit = async (transaction: Uint8Array) => {
    const submitted = await caller.call("transaction.submit", { transaction: toHex(transaction) });
    const id = String(submitted.result?.id);
    return (await caller.call("transaction.wait", { id, timeoutMs: 10_000 })).result;
  };
  const parameters = { ...made.genesis.parameters, maxBlockTransactions: 10 };
  const args = encode(setParametersArgsCodec, { parameters });
  const raised = signedCall(made, { contract: "parameters", method: "set", args });
  expect(await commit(raised)).toMatchObject({ status: "committed", height: 1 });
  const names = ["one", "two", "three", "four"];
  const enrolments = await Promise.all(names.map((name) => enrolment(made, name)));
  const outcomes = await Promise.all(enrolments.map(commit));
  for (const outcome of outcomes) expect(outcome).toMatchObject({ status: "committed" });
  expect(Math.max(...outcomes.map((outcome) => Number(outcome?.index)))).toBeGreaterThan(0);
});

test("four validators admit each other, decide one block, and a fresh one is ready", async () => {
  const made = await createNodeFolders(4);
  folders.push(made);
  const loggers = made.nodes.map(() => createRecordingLogger());
  const peers: string[] = [];
  const nodes: RunningNode[] = [];
  for (const [index, each] of made.nodes.entries()) {
    const p2p = { listen: ["/ip4/127.0.0.1/tcp/0"], peers: [...peers] };
    const node = await startNode(each.config({ p2p }), { logger: loggers[index] ?? noLogger });
    running.push(node);
    nodes.push(node);
    peers.push(...node.addresses.p2p);
  }
  const [first, ...others] = nodes;
  if (first === undefined) throw new Error("no node");
  const health = async (node: RunningNode, path: string): Promise<number> =>
    (await fetch(node.addresses.rpc.replace(/\/rpc$/, path))).status;
  expect(await health(first, "/healthz")).toBe(200);
  await untilAsync(async () => (await health(first, "/readyz")) === 200);
  const caller = await logIn(made, first.addresses.rpc);
  const transaction = toHex(await enrolment(made));
  const { result, error } = await caller.call("transaction.submit", { transaction });
  expect(error).toBeUndefined();
  const id = String(result?.id);
  const outcome = await caller.call("transaction.wait", { id, timeoutMs: 15_000 });
  expect(outcome.result).toMatchObject({ status: "committed", height: 1 });
  const digest = (await caller.call("chain.info")).result?.headDigest;
  for (const other of others) {
    const there = await logIn(made, other.addresses.rpc);
    await untilAsync(async () => (await there.call("chain.info")).result?.headDigest === digest);
  }
  // A block needs three of four: the last connection may still be on its way.
  await untilAsync(async () => {
    const { peers: known } = (await caller.call("node.status")).result ?? {};
    return Array.isArray(known) && known.length === 3;
  });
  const status = (await caller.call("node.status")).result;
  expect(status).toMatchObject({ nodeId: "node1", role: "validator", height: 1, syncing: false });
  expect(status?.peers).toHaveLength(3);
  const page = await (await fetch(first.addresses.metrics)).text();
  expect(page).toContain('credlink_node_peers{standing="full"} 3');
  expect(page).toContain('credlink_node_information{node="node1"');
  // One machine, one clock: what the others answered over real streams is nearly nothing.
  const offset = async () => (await caller.call("node.status")).result?.clockOffsetMs;
  await untilAsync(async () => (await offset()) !== null);
  expect(Math.abs(Number(await offset()))).toBeLessThan(1_000);
});

async function untilAsync(condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 15_000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error("not in time");
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
