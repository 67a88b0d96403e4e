import { addressFromPublicKey, sm2Sign, taggedSm3 } from "@credlink/crypto";
import {
  enrollArgsCodec,
  signedTransactionCodec,
  transactionCodec,
  transactionSigningMessage,
} from "@credlink/ledger";
import { encode, fromHex, height, toHex } from "@credlink/primitives";
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

async function enrolment(made: NodeFolders): Promise<Uint8Array> {
  const worker = await createCredential(made.authority, "someone", "enterprise");
  const sender = addressFromPublicKey(made.admin.publicKey);
  const transaction = encode(transactionCodec, {
    version: 1,
    chainId: made.genesis.chainId,
    sender,
    nonce: crypto.getRandomValues(new Uint8Array(16)),
    expiryHeight: height(100),
    contract: "members",
    contractVersion: "1.0.0",
    method: "enroll",
    args: encode(enrollArgsCodec, { certificates: [worker.certificate.der] }),
    gasLimit: 10_000_000,
  });
  const message = transactionSigningMessage(made.digest, transaction);
  const signature = sm2Sign(made.admin.privateKey, message);
  return encode(signedTransactionCodec, {
    transaction,
    signatures: [{ address: sender, signature }],
  });
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
