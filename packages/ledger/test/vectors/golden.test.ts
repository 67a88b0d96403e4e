import { readFileSync } from "node:fs";
import { type Codec, decode, digest, encode, height, toHex, utf8, validatorIndex, view } from
  "@credlink/primitives";
import { describe, expect, it } from "vitest";
import {
  accountAddress,
  accountCodec,
  blockCodec,
  type ConsensusHistory,
  bodyCodec,
  consensusHistoryCodec,
  createMerkleProof,
  endorsementMessage,
  envelopeCodec,
  eventCodec,
  evidenceKey,
  genesisCodec,
  genesisDigest,
  type Header,
  headerCodec,
  headerDigest,
  historyRecordCodec,
  historyRoot,
  memberCodec,
  merkleProofCodec,
  merkleRoot,
  misbehaviourCodec,
  receiptCodec,
  recoveryCodec,
  recoveryEventCodec,
  signedTransactionCodec,
  statePath,
  stateProofCodec,
  stateValueDigest,
  transactionCodec,
  transactionId,
  transactionSigningMessage,
} from "../../src/index.ts";
import { encodeHistoryRow } from "../../src/consensus-history.ts";
import { decodeBlockRow, encodeBlockRow, genesisCertificate, headOperation } from
  "../../src/rows.ts";
import { decodePage, encodePage, type Page } from "../../src/state-page.ts";
import { createStateProof, pageKey, updateTree } from "../../src/state-tree.ts";
import { certificateFor, memberOf, testGenesis } from "../support.ts";

/** Bytes that this version of the formats must make and read, for ever. */
const golden: Record<string, string> = JSON.parse(
  readFileSync(new URL("./golden.json", import.meta.url), "utf8"),
);

const fill = (byte: number) => digest(new Uint8Array(32).fill(byte));
const sender = fill(0x5e) as unknown as Parameters<typeof memberOf>[0];

const transaction = {
  version: 1,
  chainId: "golden",
  sender,
  nonce: new Uint8Array(16).fill(7),
  expiryHeight: height(1_000),
  contract: "credentials",
  contractVersion: "1.0.0",
  method: "submit",
  args: Uint8Array.of(0x91, 0x01),
  gasLimit: 1_000_000,
};
const signedTransaction = {
  transaction: encode(transactionCodec, transaction),
  signatures: [
    { address: sender, signature: new Uint8Array(64).fill(1) },
    { address: fill(0x60) as unknown as typeof sender, signature: new Uint8Array(64).fill(2) },
  ],
};
const accountTransaction = {
  version: 2 as const,
  transaction: encode(transactionCodec, { ...transaction, version: 2 }),
  signatures: [0x60, 0x61].map((byte) => ({
    address: sender,
    signer: fill(byte) as unknown as typeof sender,
    signature: new Uint8Array(64).fill(byte),
  })),
};
const accountSigners = { threshold: 2, signers: accountTransaction.signatures.map((one) => one.signer) };
const recovery = {
  address: sender,
  publicKey: new Uint8Array(65).fill(4),
  possession: new Uint8Array(64).fill(5),
  certificate: utf8("der"),
  proposedBy: accountTransaction.signatures.map((one) => one.signer)[0] ?? null,
  fromMs: 1_700_000_000_000,
  untilMs: 1_800_000_000_000,
};
const event = { contract: "credentials", topic: "issued", data: utf8("data") };
const receipt = {
  transactionId: transactionId(encode(signedTransactionCodec, signedTransaction)),
  status: "SUCCESS",
  gasUsed: 4_242,
  contractVersion: "1.0.0",
  returnValue: Uint8Array.of(0xc0),
  events: [event],
};
const certificate = certificateFor(fill(3), height(5));
const history = encode(historyRecordCodec, { certificate, justification: null });
const body = { transactionIds: [receipt.transactionId, fill(8)], history, evidence: [utf8("e")] };
const header: Header = {
  version: 1,
  chainId: "golden",
  height: height(7),
  parentHash: fill(1),
  timestampMs: 1_700_000_000_123,
  proposer: validatorIndex(3),
  transactionRoot: merkleRoot(body.transactionIds),
  transactionCount: 2,
  gasUsed: 4_242,
  stateRoot: fill(2),
  receiptRoot: merkleRoot([encode(receiptCodec, receipt)]),
  validatorsHash: fill(4),
  nextValidatorsHash: fill(5),
  historyRoot: historyRoot(history),
  evidenceRoot: merkleRoot(body.evidence),
};
const block = { header, body };
const member = memberOf(sender, new Uint8Array(65).fill(4), { certificateDigest: fill(6) });
const misbehaviour = {
  height: height(7),
  nodeId: "node1",
  publicKey: new Uint8Array(65).fill(4),
  evidence: utf8("e"),
  recordedAt: height(8),
};

const leaves = ["a", "b", "c", "d", "e"].map((key) => ({
  path: statePath("c", utf8(key)),
  valueDigest: stateValueDigest(utf8(key)),
}));
const tree = updateTree({ page: missing }, null, 7, leaves);
const pages = new Map(tree.pages.map(({ key, page }) => [toHex(key), page]));
const source = { page: (key: Uint8Array) => pages.get(toHex(key)) ?? missing() };
const [path = fill(0)] = leaves.map((leaf) => leaf.path);
const top = source.page(pageKey(new Uint8Array(0), 0, 7));

function missing(): Page {
  throw new Error("a page that is not there");
}

const place = { height: height(5), view: view(0), sender: validatorIndex(2) };
const consensusHistory: ConsensusHistory = {
  height: height(5),
  digest: fill(3),
  proposer: validatorIndex(1),
  certificate,
  statements: [
    { type: "prepare", ...place, digest: fill(3), signature: new Uint8Array(64).fill(4) },
    { type: "wish", ...place, view: view(1), signature: new Uint8Array(64).fill(5) },
  ],
  dropped: 2,
};

const formats: Readonly<Record<string, () => Uint8Array>> = {
  transaction: codec(transactionCodec, transaction),
  signedTransaction: codec(signedTransactionCodec, signedTransaction),
  accountTransaction: codec(envelopeCodec, accountTransaction),
  event: codec(eventCodec, event),
  receipt: codec(receiptCodec, receipt),
  header: codec(headerCodec, header),
  body: codec(bodyCodec, body),
  block: codec(blockCodec, block),
  historyRecord: codec(historyRecordCodec, { certificate, justification: null }),
  member: codec(memberCodec, member),
  account: codec(accountCodec, { policies: [{ fromHeight: height(4), ...accountSigners }] }),
  accountAddress: () =>
    accountAddress(fill(9), sender, { salt: new Uint8Array(16).fill(3), ...accountSigners }),
  recovery: codec(recoveryCodec, recovery),
  recoveryEvent: codec(recoveryEventCodec, {
    ...{ step: "proposed" as const, address: sender, publicKey: recovery.publicKey },
    ...{ proposedBy: null, fromMs: recovery.fromMs, untilMs: recovery.untilMs },
  }),
  misbehaviour: codec(misbehaviourCodec, misbehaviour),
  evidenceKey: () => evidenceKey(misbehaviour.height, misbehaviour.publicKey),
  genesis: codec(genesisCodec, {
    ...testGenesis,
    validators: [0, 1].map((i) => ({
      nodeId: `node${i}`,
      publicKey: new Uint8Array(65).fill(i),
      peerId: `peer${i}`,
    })),
  }),
  genesisWithTransport: codec(genesisCodec, {
    ...testGenesis,
    version: 2,
    transport: "gm",
    validators: [],
  }),
  merkleProof: codec(merkleProofCodec, createMerkleProof(leaves.map((leaf) => leaf.path), 4)),
  stateProofPresent: codec(stateProofCodec, createStateProof(source, 7, path)),
  stateProofAbsent: codec(stateProofCodec, createStateProof(source, 7, statePath("c", utf8("z")))),
  page: () => {
    expect(encodePage(decodePage(encodePage(top)))).toEqual(encodePage(top));
    return encodePage(top);
  },
  blockRow: () => {
    const row = encodeBlockRow({ block, certificate, justification: null });
    expect(decodeBlockRow(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 7), row).block).toEqual(block);
    return row;
  },
  headRow: () => {
    const operation = headOperation({ height: height(7), digest: fill(9) });
    return operation.type === "put" ? operation.value : missingBytes();
  },
  transactionId: () => receipt.transactionId,
  signingMessage: () => transactionSigningMessage(fill(9), signedTransaction.transaction),
  endorsementMessage: () => endorsementMessage(fill(9), sender, accountTransaction.transaction),
  headerDigest: () => headerDigest(header),
  genesisDigest: () => genesisDigest({ ...testGenesis, validators: [] }),
  emptyMerkleRoot: () => merkleRoot([]),
  merkleRoot: () => merkleRoot(leaves.map((leaf) => leaf.path)),
  statePath: () => path,
  stateRoot: () => tree.root,
  pageKey: () => pageKey(path, 12, 7),
  genesisCertificate: () => genesisCertificate(fill(1)).digest,
  consensusHistory: codec(consensusHistoryCodec, consensusHistory),
  historyRow: () => encodeHistoryRow(fill(9), consensusHistory).row,
};

function missingBytes(): never {
  throw new Error("a row");
}

function codec<T>(of: Codec<T>, value: T): () => Uint8Array {
  return () => {
    const bytes = encode(of, value);
    expect(decode(of, bytes)).toEqual(value);
    return bytes;
  };
}

describe("golden bytes: the formats of version 1", () => {
  it.each(Object.keys(formats))("%s", (name) => {
    expect({ [name]: toHex(formats[name]?.() ?? missingBytes()) }).toEqual({ [name]: golden[name] });
  });

  it("none is left over", () => {
    expect(Object.keys(golden)).toEqual(Object.keys(formats));
  });

  it("T-4.6.1-3: every digest is SM3 in full, 256 bits", () => {
    const digests = ["transactionId", "headerDigest", "genesisDigest", "merkleRoot", "stateRoot"];
    for (const name of digests) expect(golden[name]?.length).toBe(64);
    // SM3 of nothing, by GB/T 32905-2016's algorithm: the root of an empty list.
    expect(golden.emptyMerkleRoot).toBe(
      "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b",
    );
  });
});
