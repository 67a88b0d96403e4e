import {
  type CommitCertificate,
  createValidatorSet,
  type Validator,
} from "@credlink/consensus-pbft";
import { addressFromPublicKey, publicKeyFromPrivate, sm2Sign, sm2Verify } from "@credlink/crypto";
import {
  type Address,
  bytesUpTo,
  type Digest,
  decode,
  encode,
  type Height,
  height,
  invariant,
  nullable,
  struct,
  text,
  utf8,
  validatorIndex,
  view,
} from "@credlink/primitives";
import {
  type BlockReference,
  createLedger,
  createMemoryStore,
  type DecodedTransaction,
  decodeSignedTransaction,
  defaultGovernance,
  type Executor,
  evidenceWrites,
  type Genesis,
  type KeyValueStore,
  type Ledger,
  MEMBERS_CONTRACT,
  type Member,
  memberCodec,
  memberKey,
  NeedsRange,
  type Receipt,
  type SealedBlock,
  type SealedCandidate,
  type StateWrite,
  SUCCESS,
  signedTransactionCodec,
  type Transaction,
  transactionCodec,
  transactionSigningMessage,
  VALIDATORS_CONTRACT,
  type VerifySignatures,
} from "../src/index.ts";

/** A fixed SM2 key pair per number: tests and vectors are the same on every run. */
export function keyOf(seed: number): TestKey {
  const known = keys.get(seed) ?? makeKey(seed);
  keys.set(seed, known);
  return known;
}

interface TestKey {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly address: Address;
}

const keys = new Map<number, TestKey>();

function makeKey(seed: number): TestKey {
  const privateKey = new Uint8Array(32);
  new DataView(privateKey.buffer).setUint32(0, 0x1000_0000 + seed);
  privateKey[31] = 1;
  const publicKey = publicKeyFromPrivate(privateKey);
  return { privateKey, publicKey, address: addressFromPublicKey(publicKey) };
}

export const senders = [1, 2, 3].map(keyOf);

export function validatorOf(seed: number): Validator {
  return { nodeId: `node${seed}`, publicKey: keyOf(100 + seed).publicKey, peerId: `peer${seed}` };
}

export const FAR_FUTURE_MS = 4_000_000_000_000;

export function memberOf(address: Address, publicKey: Uint8Array, changes: Partial<Member> = {}) {
  const member: Member = {
    address,
    organization: "org1",
    role: "institution",
    status: "active",
    keys: [{ fromHeight: height(0), publicKey }],
    certificateDigest: null,
    enrolledBy: null,
    validFromMs: 0,
    validToMs: FAR_FUTURE_MS,
    ...changes,
  };
  return member;
}

export const testGenesis: Genesis = {
  version: 1,
  chainId: "test-chain",
  timestampMs: 1_700_000_000_000,
  production: false,
  allowNonByzantine: false,
  consensus: "pbft",
  roots: [],
  organizations: [],
  members: [],
  validators: [0, 1, 2, 3].map(validatorOf),
  parameters: {
    blockGasLimit: 10_000_000,
    transactionGasLimit: 1_000_000,
    maxBlockTransactions: 2_000,
    maxBlockBytes: 4 * 1024 * 1024,
    minBlockIntervalMs: 20,
    emptyBlockIntervalMs: 0,
    precisionMs: 500,
    messageDelayMs: 500,
    contractStateEntries: 1_000_000,
    contractStateBytes: 1_000_000_000,
  },
  governance: defaultGovernance([]),
  contracts: [],
};

/** Arguments of the test contract's `put` (value null: delete) and `count` (of keys from … to). */
export const putArgsCodec = struct<{ key: Uint8Array; value: Uint8Array | null }>({
  key: bytesUpTo(128),
  value: nullable(bytesUpTo(1024)),
});
export const countArgsCodec = struct<{ from: Uint8Array; to: Uint8Array }>({
  from: bytesUpTo(128),
  to: bytesUpTo(128),
});
const joinArgsCodec = struct<{ nodeId: string }>({ nodeId: text(64) });

/**
 * A small real executor: contract `kv` puts, deletes and counts keys; `validators.join` appends a
 * validator; any other call fails with a receipt. One gas a call and one a byte of arguments.
 */
export function createKeyValueExecutor(members: readonly Member[] = defaultMembers()): Executor {
  const listKey = utf8("list");
  const validatorsIn = (stored: Uint8Array | null) => {
    const count = stored?.[0] ?? 0;
    return Array.from({ length: count }, (_, i) => validatorOf(i));
  };
  return {
    judgeCall: () => null,
    genesis: (genesis) => [
      ...members.map((member) => ({
        contract: MEMBERS_CONTRACT,
        key: memberKey(member.address),
        value: encode(memberCodec, member),
      })),
      {
        contract: VALIDATORS_CONTRACT,
        key: listKey,
        value: Uint8Array.of(genesis.validators.length),
      },
      { contract: "chain", key: utf8("id"), value: utf8(genesis.chainId) },
    ],
    async execute(parent, context, transactions) {
      const writes = new Map<string, StateWrite>();
      const read = (contract: string, key: Uint8Array) => {
        const write = writes.get(`${contract}|${key}`);
        return write === undefined ? parent.get(contract, key) : write.value;
      };
      const write = (contract: string, key: Uint8Array, value: Uint8Array | null) =>
        writes.set(`${contract}|${key}`, { contract, key, value });
      const receipts: Receipt[] = [];
      for (const transaction of transactions) {
        const { contract, method, args } = transaction;
        let status = SUCCESS;
        let returnValue: Uint8Array = new Uint8Array(0);
        if (contract === "kv" && method === "put") {
          const { key, value } = decode(putArgsCodec, args);
          write("kv", key, value);
        } else if (contract === "kv" && method === "count") {
          const { from, to } = decode(countArgsCodec, args);
          const range = { contract: "kv", from, to, limit: 256 };
          returnValue = utf8(`${(await loaded(parent, range)).length}`);
        } else if (contract === VALIDATORS_CONTRACT && method === "join") {
          decode(joinArgsCodec, args);
          const count = read(VALIDATORS_CONTRACT, listKey)?.[0] ?? 0;
          write(VALIDATORS_CONTRACT, listKey, Uint8Array.of(count + 1));
        } else {
          status = "VM_METHOD_UNKNOWN";
        }
        receipts.push({
          transactionId: transaction.id,
          status,
          gasUsed: 1 + args.length,
          contractVersion: transaction.contractVersion,
          returnValue,
          events: status === SUCCESS ? [{ contract, topic: method, data: args.slice(0, 8) }] : [],
        });
      }
      const gasUsed = receipts.reduce((sum, receipt) => sum + receipt.gasUsed, 0);
      return { receipts, gasUsed, writes: [...writes.values(), ...evidenceWrites(context)] };
    },
    query: () => Promise.reject(new Error("the test contract has no queries")),
    skipped: () => [],
    validators: (state) =>
      createValidatorSet(validatorsIn(state.get(VALIDATORS_CONTRACT, listKey))),
    parameters: () => testGenesis.parameters,
  };
}

async function loaded(parent: Parameters<Executor["execute"]>[0], range: NeedsRange["range"]) {
  for (;;) {
    try {
      return parent.range(range);
    } catch (error) {
      if (!(error instanceof NeedsRange)) throw error;
      await parent.loadRange(error.range);
    }
  }
}

export function defaultMembers(): readonly Member[] {
  return senders.map(({ address, publicKey }) => memberOf(address, publicKey));
}

let nonces = 0;

/** A nonce never used before in this process. */
export function freshNonce(): Uint8Array {
  const nonce = new Uint8Array(16);
  new DataView(nonce.buffer).setUint32(0, ++nonces);
  return nonce;
}

export interface SigningKey {
  readonly privateKey: Uint8Array;
  readonly address: Address;
}

/** Signed bytes of a transaction; fields not given are those of a good `kv.put`. */
export function signTransaction(
  genesisDigest: Digest,
  changes: Partial<Transaction> = {},
  signers: readonly SigningKey[] = senders.slice(0, 1),
): Uint8Array {
  const [first] = signers;
  invariant(first !== undefined, "a signer");
  const transaction: Transaction = {
    version: 1,
    chainId: testGenesis.chainId,
    sender: first.address,
    nonce: freshNonce(),
    expiryHeight: height(900),
    contract: "kv",
    contractVersion: "1.0.0",
    method: "put",
    args: encode(putArgsCodec, { key: utf8("key"), value: utf8("value") }),
    gasLimit: 1_000,
    ...changes,
  };
  const bytes = encode(transactionCodec, transaction);
  const message = transactionSigningMessage(genesisDigest, bytes);
  return encode(signedTransactionCodec, {
    transaction: bytes,
    signatures: signers.map(({ address, privateKey }) => ({
      address,
      signature: sm2Sign(privateKey, message),
    })),
  });
}

export function decoded(bytes: Uint8Array): DecodedTransaction {
  const result = decodeSignedTransaction(bytes);
  invariant(result.ok, "a transaction that decodes");
  return result.value;
}

/** A put (value null: a delete), decoded. */
export function putTransaction(
  ledger: Ledger,
  key: string,
  value: string | null,
): DecodedTransaction {
  const args = encode(putArgsCodec, {
    key: utf8(key),
    value: value === null ? null : utf8(value),
  });
  return decoded(signTransaction(ledger.genesisDigest, { args }));
}

export const verifyReally: VerifySignatures = async (claims) =>
  claims.map(({ publicKey, message, signature }) => sm2Verify(publicKey, message, signature));

/** A certificate that stands for a decision; its signatures are the digest's bytes. */
export function certificateFor(digest: Digest, at: Height): CommitCertificate {
  const signature = new Uint8Array(64);
  signature.set(digest);
  signature.set(digest, 32);
  return {
    height: at,
    view: view(0),
    digest,
    signatures: [0, 1, 2].map((index) => ({ index: validatorIndex(index), signature })),
  };
}

export const verifyHistory = () => true;

export async function openLedger(store: KeyValueStore = createMemoryStore()): Promise<Ledger> {
  return createLedger({ store, executor: createKeyValueExecutor(), genesis: testGenesis });
}

/** Executes transactions on a parent and makes a block of them, 1,000 ms after it. */
export async function buildOn(
  ledger: Ledger,
  parent: BlockReference,
  transactions: readonly DecodedTransaction[],
  evidence: readonly Uint8Array[] = [],
): Promise<SealedCandidate> {
  const at = height(parent.header.height + 1);
  const history = ledger.historyFor(parent.digest, at);
  invariant(history !== null, "the history of a block on this parent");
  const candidate = await ledger.execute({
    parentDigest: parent.digest,
    height: at,
    timestampMs: parent.header.timestampMs + 1_000,
    proposer: validatorIndex(at % 4),
    transactions,
    history,
    evidence,
  });
  return ledger.buildBlock(candidate);
}

export async function commitSealed(ledger: Ledger, candidate: SealedCandidate) {
  const { block, digest } = candidate.sealed;
  return ledger.commit(candidate, block, { certificate: certificateFor(digest, candidate.height) });
}

/** Builds and commits one block on the head. */
export async function commitBlock(
  ledger: Ledger,
  transactions: readonly DecodedTransaction[],
): Promise<SealedCandidate> {
  const candidate = await buildOn(ledger, ledger.head, transactions);
  await commitSealed(ledger, candidate);
  return candidate;
}

/** Checks a block of another node and commits it, as block sync does. */
export async function importBlock(ledger: Ledger, sealed: SealedBlock): Promise<void> {
  const { block, transactions, certificate } = sealed;
  const verdict = await ledger.checkProposal({
    block,
    transactions,
    verifySignatures: verifyReally,
    verifyHistory,
  });
  invariant(verdict.ok, `the block is good: ${verdict.ok ? "" : verdict.code}`);
  await ledger.commit(verdict.value, block, { certificate });
}
