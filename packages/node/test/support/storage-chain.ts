import { createValidatorSet } from "@credlink/consensus-pbft";
import {
  createLedger,
  type DecodedTransaction,
  decodeSignedTransaction,
  defaultGovernance,
  type Executor,
  type Genesis,
  type KeyValueStore,
  type Ledger,
  MEMBERS_CONTRACT,
  type Member,
  memberCodec,
  memberKey,
  signedTransactionCodec,
  transactionCodec,
} from "@credlink/ledger";
import {
  address,
  encode,
  height,
  invariant,
  utf8,
  validatorIndex,
  view,
} from "@credlink/primitives";

const validators = [0, 1, 2, 3].map((i) => ({
  nodeId: `node${i}`,
  publicKey: new Uint8Array(65).fill(i + 1),
  peerId: `peer${i}`,
}));

const parameters = {
  blockGasLimit: 1_000_000_000,
  transactionGasLimit: 1_000_000,
  maxBlockTransactions: 10_000,
  maxBlockBytes: 16 * 1024 * 1024,
  minBlockIntervalMs: 20,
  emptyBlockIntervalMs: 0,
  precisionMs: 500,
  messageDelayMs: 500,
  contractStateEntries: 1_000_000,
  contractStateBytes: 1_000_000_000,
};

export const storageGenesis: Genesis = {
  version: 1,
  chainId: "storage-test",
  timestampMs: 1_700_000_000_000,
  production: false,
  allowNonByzantine: false,
  consensus: "pbft",
  roots: [],
  organizations: [],
  members: [],
  validators,
  parameters,
  governance: defaultGovernance([]),
  contracts: [],
};

const sender = address(new Uint8Array(32).fill(7));
const member: Member = {
  address: sender,
  organization: "org1",
  role: "institution",
  status: "active",
  keys: [{ fromHeight: height(0), publicKey: new Uint8Array(65).fill(4) }],
  certificateDigest: null,
  enrolledBy: null,
  validFromMs: 0,
  validToMs: 4_000_000_000_000,
};

/** Every transaction writes three keys that its arguments name, and counts in a fourth. */
export const storageExecutor: Executor = {
  judgeCall: () => null,
  genesis: () => [
    { contract: "kv", key: utf8("count"), value: utf8("0") },
    { contract: MEMBERS_CONTRACT, key: memberKey(sender), value: encode(memberCodec, member) },
  ],
  async execute(parent, context, transactions) {
    const before = Number(String.fromCharCode(...(parent.get("kv", utf8("count")) ?? [])));
    const writes = transactions.flatMap(({ args }) =>
      ["a/", "b/", "c/"].map((prefix) => ({
        contract: "kv",
        key: Uint8Array.of(...utf8(prefix), ...args),
        value: utf8(`${context.height}${"x".repeat(100)}`),
      })),
    );
    const count = utf8(`${before + transactions.length}`);
    const receipts = transactions.map(({ id, contractVersion }) => ({
      transactionId: id,
      status: "SUCCESS",
      gasUsed: 1,
      contractVersion,
      returnValue: new Uint8Array(0),
      events: [],
    }));
    return {
      receipts,
      gasUsed: transactions.length,
      writes: [...writes, { contract: "kv", key: utf8("count"), value: count }],
    };
  },
  query: () => Promise.reject(new Error("no queries here")),
  skipped: () => [],
  validators: () => createValidatorSet(validators),
  parameters: () => parameters,
};

export function openStorageChain(store: KeyValueStore): Promise<Ledger> {
  return createLedger({ store, executor: storageExecutor, genesis: storageGenesis });
}

/** Transactions that are distinct by height and index; their signatures are not real. */
export function storageTransactions(at: number, count: number): readonly DecodedTransaction[] {
  return Array.from({ length: count }, (_, index) => {
    const nonce = new Uint8Array(16);
    const numbers = new DataView(nonce.buffer);
    numbers.setUint32(0, at);
    numbers.setUint32(4, index);
    const transaction = encode(transactionCodec, {
      version: 1,
      chainId: storageGenesis.chainId,
      sender,
      nonce,
      expiryHeight: height(at + 100),
      contract: "kv",
      contractVersion: "1.0.0",
      method: "put",
      args: nonce,
      gasLimit: 10,
    });
    const signatures = [{ address: sender, signature: new Uint8Array(64).fill(1) }];
    const signed = encode(signedTransactionCodec, { transaction, signatures });
    const decoded = decodeSignedTransaction(signed);
    invariant(decoded.ok, "a transaction that decodes");
    return decoded.value;
  });
}

/** Executes, stores the bodies and commits one block on the head. */
export async function commitNext(
  ledger: Ledger,
  transactions: readonly DecodedTransaction[],
): Promise<void> {
  const { digest: parentDigest, header } = ledger.head;
  const at = height(header.height + 1);
  const timestampMs = header.timestampMs + 1;
  const place = { parentDigest, height: at, timestampMs, proposer: validatorIndex(0) };
  const history = ledger.historyFor(parentDigest, at);
  invariant(history !== null, "the head's history");
  const candidate = await ledger.execute({ ...place, transactions, history });
  const { sealed } = ledger.buildBlock(candidate);
  await ledger.persistBodies(transactions);
  const signatures = [0, 1, 2].map((index) => ({
    index: validatorIndex(index),
    signature: new Uint8Array(64).fill(index + 1),
  }));
  const certificate = { height: at, view: view(0), digest: sealed.digest, signatures };
  await ledger.commit(candidate, sealed.block, { certificate });
}
