import { setParametersArgsCodec } from "@credlink/ledger";
import { encode, noLogger, toHex } from "@credlink/primitives";
import { afterEach, expect, test } from "vitest";
import { type RunningNode, startNode } from "../../src/node.ts";
import { enrolment, logIn, signedCall } from "../support/admin-calls.ts";
import { createNodeFolders, type NodeFolders } from "../support/nodes.ts";
import { createRecordingLogger } from "../support/recording.ts";

const running: RunningNode[] = [];
const folders: NodeFolders[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((node) => node.stop()));
  await Promise.all(folders.splice(0).map((each) => each.remove()));
});

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
