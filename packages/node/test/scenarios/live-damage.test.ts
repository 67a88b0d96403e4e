import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { addressFromPublicKey, formatAddress } from "@credlink/crypto";
import {
  type KeyValueStore,
  MEMBERS_CONTRACT,
  memberKey,
  type Space,
  setMemberStatusArgsCodec,
  spaces,
  transactionId,
} from "@credlink/ledger";
import { address, encode, equalBytes, toHex } from "@credlink/primitives";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type RunningNode, startNode } from "../../src/node.ts";
import { readMark } from "../../src/self-check/mark.ts";
import { repairNode } from "../../src/self-check/repair-node.ts";
import { openLevelStore } from "../../src/storage/level-store.ts";
import { enrolment, logIn, signedCall } from "../support/admin-calls.ts";
import { createNodeFolders, type NodeFolders } from "../support/nodes.ts";
import { createRecordingLogger } from "../support/recording.ts";

const BLOCKS = 5;
/** Enrolments that are sent at once before the others, so that bodies fill several table blocks. */
const AT_ONCE = 24;
/** So little that the check at the start sees the head and genesis, and a row of one contract. */
const LITTLE = { heights: 1, stateRows: 1, intervalMs: 3_600_000 };

let made: NodeFolders;
let node: RunningNode | undefined;
let faults: Error[];
let logger: ReturnType<typeof createRecordingLogger>;

const only = () => {
  const [first] = made.nodes;
  if (first === undefined) throw new Error("no node");
  return first;
};
const databasePath = () => join(only().config().dataDir, "db");

async function start(): Promise<RunningNode> {
  logger = createRecordingLogger();
  const config = only().config({ selfCheck: LITTLE });
  node = await startNode(config, { logger, onFatal: (error) => faults.push(error) });
  return node;
}

async function stop(): Promise<void> {
  await node?.stop();
  node = undefined;
}

/** Commits one transaction and returns its height. */
async function commit(transaction: Uint8Array): Promise<number> {
  if (node === undefined) throw new Error("no node");
  const caller = await logIn(made, node.addresses.rpc);
  await caller.call("transaction.submit", { transaction: toHex(transaction) });
  const id = toHex(transactionId(transaction));
  const { result } = await caller.call("transaction.wait", { id, timeoutMs: 10_000 });
  expect(result).toMatchObject({ status: "committed" });
  return Number(result?.height);
}

/** Works on the stopped node's database. */
async function inDatabase(work: (store: KeyValueStore) => Promise<void>): Promise<void> {
  const store = await openLevelStore(databasePath(), { create: false });
  try {
    await work(store);
  } finally {
    await store.close();
  }
}

/** Flips a bit in the middle of the row that a rule picks. */
async function flip(space: Space, isWanted: (key: Uint8Array) => boolean): Promise<void> {
  await inDatabase(async (store) => {
    const row = (await store.range(space, {})).find(([key]) => isWanted(key));
    if (row === undefined) throw new Error(`no such row of ${space}`);
    const value = row[1].slice();
    value[value.length >> 1] = (value[value.length >> 1] ?? 0) ^ 1;
    await store.write([{ type: "put", space, key: row[0], value }], { sync: true });
  });
}

/** Waits until the node has cut itself off; it must still answer its operator. */
async function expectIsolated(fault: object): Promise<void> {
  if (node === undefined) throw new Error("no node");
  const ready = await fetch(node.addresses.rpc.replace(/\/rpc$/, "/readyz"));
  expect(ready.status).toBe(503);
  expect(await ready.text()).toContain("NODE_DATA_POLLUTED");
  const metrics = await (await fetch(node.addresses.metrics)).text();
  expect(metrics).toMatch(/^credlink_node_polluted_state 1$/m);
  expect(logger.entries.map(({ message }) => message)).toContain("own data polluted");
  expect((await node.engine.submit(new Uint8Array(1))).ok).toBe(false);
  // Stopping waits for the mark, which then outlives the process.
  await stop();
  const mark = await readMark(only().config().dataDir);
  expect(mark?.findings).toMatchObject([fault]);
  expect(faults).toEqual([]);
}

/** What was committed, with its height, in order. */
let committed: { readonly transaction: Uint8Array; readonly height: number }[];

beforeEach(async () => {
  made = await createNodeFolders(1);
  faults = [];
  await start();
  committed = [];
  const enrol = async (name: string): Promise<void> => {
    const transaction = await enrolment(made, name);
    committed.push({ transaction, height: await commit(transaction) });
  };
  await Promise.all(Array.from({ length: AT_ONCE }, (_, at) => enrol(`worker-${at}`)));
  for (let at = 1; at <= BLOCKS; at++) await enrol(`late-${at}`);
  await stop();
});
afterEach(async () => {
  await stop();
  await made.remove();
});

/** One call whose answer must be that the data are polluted: it is the one that found out. */
async function callPolluted(method: string, params: object): Promise<void> {
  if (node === undefined) throw new Error("no node");
  const caller = await logIn(made, node.addresses.rpc);
  const { error } = await caller.call(method, params);
  expect(error?.data.code).toBe("NODE_DATA_POLLUTED");
}

const isOfHeight = (at: number) => (key: Uint8Array) => key.length === 8 && key[7] === at;

describe("S-9.2-5: a damaged row that a read meets while the node runs cuts it off at once", () => {
  it("a block's row whose checksum is wrong, asked for by a client", async () => {
    await flip("blocks", isOfHeight(3));
    await start();
    await callPolluted("block.get", { height: 3 });
    await expectIsolated({ code: "LEDGER_STORE_CORRUPT" });
  });

  it("a row of history that no longer links", async () => {
    await flip("history", isOfHeight(4));
    await start();
    await callPolluted("consensus.history", { height: 4 });
    await expectIsolated({ code: "LEDGER_STORE_CORRUPT" });
  });

  it("a member's row that does not decode, met by somebody who wants to log in", async () => {
    const someone = await lastMember();
    await cutShort(someone);
    await start();
    if (node === undefined) throw new Error("no node");
    const caller = await logIn(made, node.addresses.rpc);
    const asked = await caller.call("session.challenge", { address: formatAddress(someone) });
    const { challenge } = asked.result ?? {};
    const login = { address: formatAddress(someone), challenge, signature: "00".repeat(64) };
    const { error } = asked.error === undefined ? await caller.call("session.login", login) : asked;
    expect(error?.data.code).toBe("NODE_DATA_POLLUTED");
    await expectIsolated({ code: "LEDGER_STORE_CORRUPT" });
  });

  it("the same row met by execution: the engine ends, the process stays up for its operator", async () => {
    const someone = await lastMember();
    await cutShort(someone);
    const started = await start();
    const args = encode(setMemberStatusArgsCodec, { address: someone, status: "suspended" });
    const call = signedCall(made, { contract: "members", method: "setStatus", args });
    const caller = await logIn(made, started.addresses.rpc);
    await caller.call("transaction.submit", { transaction: toHex(call) });
    await vi.waitFor(() => expect(logger.entries.some(isolated)).toBe(true), 5_000);
    await expectIsolated({ code: "VM_STATE_CORRUPT" });
  });

  it("a block of LevelDB's own file, and `node repair` cures it", async () => {
    const height = await damageTable();
    await start();
    await callPolluted("block.get", { height, transactions: true });
    await expectIsolated({ code: "NODE_STORAGE_CORRUPT", space: "bodies" });
    const repaired = await repairNode(only().config(), logger);
    expect([repaired.height, repaired.missing]).toEqual([height - 1, height]);
    expect(await readMark(only().config().dataDir)).toBeNull();
  });
});

const isolated = ({ message }: { readonly message: string }) => message.startsWith("node isolated");

/** Address of the member whose row comes last: no sample of one row meets it. */
async function lastMember() {
  let found: Uint8Array | undefined;
  await inDatabase(async (store) => {
    const rows = await store.range("state", {});
    const own = [made.admin, only().credential].map(({ publicKey }) =>
      memberKey(addressFromPublicKey(publicKey)),
    );
    const prefix = memberKey(address(new Uint8Array(32))).length - 32;
    const members = rows
      .map(([key]) => key.subarray(1 + MEMBERS_CONTRACT.length))
      .filter((key) => key.length === prefix + 32)
      .filter((key) => equalBytes(memberKey(address(key.slice(prefix))), key))
      .filter((key) => !own.some((each) => equalBytes(each, key)));
    found = members.at(-1)?.slice(prefix);
  });
  if (found === undefined) throw new Error("a member");
  return address(found);
}

/** Takes the last byte of a member's row away. */
async function cutShort(whose: ReturnType<typeof address>): Promise<void> {
  await inDatabase(async (store) => {
    const own = memberKey(whose);
    const rows = await store.range("state", {});
    const row = rows.find(([key]) => equalBytes(key.subarray(key.length - own.length), own));
    if (row === undefined) throw new Error("the member's row");
    const value = row[1].slice(0, -1);
    await store.write([{ type: "put", space: "state", key: row[0], value }], { sync: true });
  });
}

/**
 * Overwrites a block of LevelDB's table, so that the body of one block is lost and nothing that the
 * node reads at its start. Returns the lowest height whose body cannot be read.
 */
async function damageTable(): Promise<number> {
  // Opening writes what is in LevelDB's log into a table.
  await inDatabase(async () => undefined);
  for (const name of await readdir(databasePath())) {
    if (!/\.(ldb|sst)$/.test(name)) continue;
    const path = join(databasePath(), name);
    const whole = await readFile(path);
    for (const { transaction } of committed) {
      const middle = transaction.length >> 1;
      const at = whole.indexOf(transaction.subarray(middle, middle + 16));
      if (at < 0) continue;
      const bytes = Buffer.from(whole);
      bytes.fill(0xff, at - middle, at + middle);
      await writeFile(path, bytes);
      const lost = await lostBodies();
      if (lost.length > 0 && !lost.includes(head())) return Math.min(...lost);
      await writeFile(path, whole);
    }
  }
  throw new Error("no body could be damaged alone");
}

const head = (): number => Math.max(...committed.map(({ height }) => height));

/** Heights of which a body cannot be read; the head's too when something else cannot. */
async function lostBodies(): Promise<readonly number[]> {
  const lost: number[] = [];
  await inDatabase(async (store) => {
    for (const space of spaces) {
      if (space !== "bodies") await store.range(space, {}).catch(() => lost.push(head()));
    }
    for (const { transaction, height } of committed) {
      try {
        store.get("bodies", transactionId(transaction));
      } catch {
        lost.push(height);
      }
    }
  });
  return lost;
}
