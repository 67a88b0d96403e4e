import { controlRequestCodec, receiptStatementCodec, signedReceiptCodec } from "@credlink/api";
import {
  checkReceiptContent,
  controlNode,
  createClient,
  createIdentity,
  type KeptReceipt,
  readReceiptLine,
  verifyReceipt,
  writeReceiptLine,
} from "@credlink/client";
import { createRevocationList, createSm2Signer, parseCertificate } from "@credlink/crypto";
import { enrollArgsCodec, genesisCodec, transactionId } from "@credlink/ledger";
import { decode, encode, equalBytes, toHex } from "@credlink/primitives";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningNode, startNode } from "../../src/node.ts";
import { enrolment } from "../support/admin-calls.ts";
import { createCredential } from "../support/consortium.ts";
import { createNodeFolders, type NodeFolders } from "../support/nodes.ts";

let made: NodeFolders;
let node: RunningNode;
let genesis: Uint8Array;
let kept: KeptReceipt[] = [];

const own = () => {
  const [first] = made.nodes;
  if (first === undefined) throw new Error("no node");
  return first;
};

const clientOf = (onReceipt?: (receipt: KeptReceipt) => void) =>
  createClient({
    url: node.addresses.rpc,
    genesis,
    identity: createIdentity(createSm2Signer(made.admin.privateKey)),
    timeoutMs: 20_000,
    ...(onReceipt === undefined ? {} : { onReceipt }),
  });

const verify = ({ receipt }: KeptReceipt) => verifyReceipt(genesis, receipt);
const codeOf = (work: () => unknown): string => {
  try {
    work();
    return "done";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
};

/** A receipt with one of its fields changed. */
function change({ receipt }: KeptReceipt, changed: object): Uint8Array {
  return encode(signedReceiptCodec, { ...decode(signedReceiptCodec, receipt), ...changed });
}

beforeAll(async () => {
  made = await createNodeFolders(1);
  genesis = encode(genesisCodec, made.genesis);
  node = await startNode(own().config());
});
afterAll(async () => {
  await node?.stop();
  await made?.remove();
});

describe("S-9.5-1d: a node signs for what it took and did", () => {
  test("a transaction has a receipt when it is taken and one when it is decided", async () => {
    kept = [];
    const client = clientOf((receipt) => void kept.push(receipt));
    const worker = await createCredential(made.authority, "worker", "individual");
    const args = encode(enrollArgsCodec, { certificates: [worker.certificate.der] });
    const call = { contract: "members", version: "1.0.0", method: "enroll", args };
    const committed = await client.execute(call);
    expect(kept).toHaveLength(2);
    for (const each of kept) {
      const { statement, signer, chainId } = verify(each);
      expect(chainId).toBe("node-test");
      expect(signer.certified).toEqual({
        ...{ name: "node1", organization: "Org One", role: "validator" },
      });
      expect(statement).toMatchObject({ action: "add", content: committed.id });
      expect(equalBytes(statement.actor, committed.transaction.sender)).toBe(true);
      if (each.content === null) throw new Error("the transaction is kept with its receipt");
      expect(toHex(transactionId(each.content))).toBe(toHex(committed.id));
      expect(readReceiptLine(writeReceiptLine(each))).toEqual(each);
    }
    const last = kept[1];
    expect(last && verify(last).statement).toMatchObject({
      ...{ type: "decided", height: committed.header.height, block: committed.header.digest },
      ...{ index: committed.index, status: "SUCCESS" },
    });
    const types = kept.map((each) => verify(each).statement.type);
    expect(["taken", "decided"]).toContain(types[0]);
  });

  test("a transaction that waits is taken, and one that nobody sent has no receipt", async () => {
    const client = clientOf();
    const transaction = toHex(await enrolment(made, "never-sent"));
    const asked = client.call("transaction.receipt", { transaction });
    await expect(asked).rejects.toMatchObject({ code: "API_RECEIPT_NONE" });
    const broken = client.call("transaction.receipt", { transaction: `${transaction}00` });
    await expect(broken).rejects.toMatchObject({ code: "API_PARAMS_INVALID" });
  });

  test("a request that changes the node has a receipt that names the entry of its log", async () => {
    const requests: KeptReceipt[] = [];
    const client = clientOf((receipt) => void requests.push(receipt));
    const asked = { node: own().peerId, action: "config.set", key: "log.level", value: '"error"' };
    const { sequence } = await controlNode(client, { ...asked, action: "config.set" });
    const [receipt] = requests;
    if (receipt?.content === null || receipt === undefined) throw new Error("no receipt");
    const { statement } = verify(receipt);
    expect(statement).toMatchObject({ type: "configured", action: "configure", sequence });
    expect(decode(controlRequestCodec, receipt.content)).toMatchObject(asked);
    checkReceiptContent(statement, receipt.content);
    const { entries } = await client.call("node.audit", { from: sequence, limit: 1 });
    expect(entries[0]?.request).toBe(toHex(receipt.content));
  });
});

describe("S-9.5-1d: what was altered is found by whoever has the genesis", () => {
  const first = () => {
    const [receipt] = kept;
    if (receipt === undefined) throw new Error("the tests before keep receipts");
    return receipt;
  };

  test("another statement, another key, another type's domain, another chain", async () => {
    const receipt = decode(signedReceiptCodec, first().receipt);
    const statement = decode(receiptStatementCodec, receipt.statement);
    const altered = encode(receiptStatementCodec, { ...statement, atMs: statement.atMs + 1 });
    const judge = (changed: object) =>
      codeOf(() => verifyReceipt(genesis, change(first(), changed)));
    expect(judge({})).toBe("done");
    expect(judge({ statement: altered })).toBe("CLIENT_RECEIPT_SIGNATURE");
    expect(judge({ signature: new Uint8Array(64).fill(1) })).toBe("CLIENT_RECEIPT_SIGNATURE");
    expect(judge({ publicKey: made.admin.publicKey })).toBe("CLIENT_RECEIPT_SIGNATURE");
    expect(judge({ certificates: [] })).toBe("CLIENT_RECEIPT_SIGNER");
    expect(judge({ certificates: [made.admin.certificate.der] })).toBe("CLIENT_RECEIPT_SIGNER");
    expect(judge({ statement: new Uint8Array([0x90]) })).toBe("CLIENT_RECEIPT_MALFORMED");
    expect(codeOf(() => verifyReceipt(genesis, first().receipt.subarray(1)))).toBe(
      "CLIENT_RECEIPT_MALFORMED",
    );
    const other = encode(genesisCodec, { ...made.genesis, chainId: "another" });
    expect(codeOf(() => verifyReceipt(other, first().receipt))).toBe("CLIENT_RECEIPT_OTHER_CHAIN");
  });

  test("every byte counts", () => {
    const { receipt } = first();
    for (let at = 0; at < receipt.length; at += 7) {
      const flipped = Uint8Array.from(receipt);
      flipped[at] = (flipped[at] ?? 0) ^ 0x01;
      expect(
        codeOf(() => verifyReceipt(genesis, flipped)),
        `byte ${at}`,
      ).not.toBe("done");
    }
  });

  test("a receipt by a member in place of a node, and of another transaction", async () => {
    const { statement } = verify(first());
    const other = await enrolment(made, "another");
    expect(codeOf(() => checkReceiptContent(statement, other))).toBe("CLIENT_RECEIPT_CONTENT");
    expect(
      codeOf(() => checkReceiptContent({ ...statement, action: "send" }, first().content ?? other)),
    ).toBe("CLIENT_RECEIPT_CONTENT");
  });

  test("a node whose certificate a list names", async () => {
    const leaf = parseCertificate(own().credential.certificate.der);
    if (!leaf.ok) throw new Error(leaf.code);
    const list = await createRevocationList({
      issuer: made.authority.certificate,
      signer: made.authority.signer,
      thisUpdateMs: Date.now() - 120_000,
      nextUpdateMs: Date.now() + 86_400_000,
      number: 1,
      revoked: [
        {
          serialNumber: leaf.value.serialNumber,
          revokedAtMs: Date.now() - 120_000,
          reason: "keyCompromise",
        },
      ],
    });
    expect(codeOf(() => verifyReceipt(genesis, first().receipt, [list]))).toBe(
      "CLIENT_RECEIPT_SIGNER",
    );
  });
});
