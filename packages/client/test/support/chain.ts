import {
  type CommitCertificate,
  certificateClaims,
  commitCertificateCodec,
  createValidatorSet,
  quorum,
  type Validator,
  type ValidatorSet,
} from "@credlink/consensus-pbft/certificates";
import { generateKeyPair, type KeyPair, sm2Sign } from "@credlink/crypto";
import {
  type Block,
  blockCodec,
  createMerkleProof,
  type Genesis,
  genesisCodec,
  genesisDigest,
  type Header,
  headerCodec,
  headerDigest,
  historyRoot,
  merkleProofCodec,
  merkleRoot,
  type Receipt,
  receiptCodec,
  stateLeafHash,
  statePath,
  stateProofCodec,
  stateValueDigest,
  transactionId,
} from "@credlink/ledger";
import {
  type Digest,
  digest,
  encode,
  height,
  toHex,
  utf8,
  validatorIndex,
  view,
} from "@credlink/primitives";

/** Validators with their keys. */
export interface Committee {
  readonly keys: readonly KeyPair[];
  readonly set: ValidatorSet;
}

export function createCommittee(names: readonly string[]): Committee {
  const keys = names.map(() => generateKeyPair());
  const validators: Validator[] = names.map((nodeId, index) => ({
    nodeId,
    publicKey: keys[index]?.publicKey ?? new Uint8Array(65),
    peerId: `peer-${nodeId}`,
  }));
  return { keys, set: createValidatorSet(validators) };
}

export function createTestGenesis(committee: Committee): Genesis {
  return {
    version: 1,
    chainId: "test-chain",
    timestampMs: 1_700_000_000_000,
    production: false,
    allowNonByzantine: false,
    consensus: "pbft",
    roots: [],
    organizations: [],
    members: [],
    validators: committee.set.validators,
    parameters: {
      blockGasLimit: 1_000_000_000,
      transactionGasLimit: 10_000_000,
      maxBlockTransactions: 100,
      maxBlockBytes: 1_000_000,
      minBlockIntervalMs: 20,
      emptyBlockIntervalMs: 0,
      precisionMs: 500,
      messageDelayMs: 1_000,
    },
    contracts: [],
  };
}

/** The one state entry of the test chain: its tree is a single leaf. */
export const STATE_CONTRACT = "credential";
export const STATE_KEY = utf8("key");

export interface TestBlock {
  readonly block: Block;
  readonly digest: Digest;
  readonly certificate: CommitCertificate | null;
  readonly transactions: readonly Uint8Array[];
  readonly receipts: readonly Receipt[];
  readonly value: Uint8Array;
}

/** A chain of real headers, roots and SM2 certificates, without a node. */
export class TestChain {
  readonly genesis: Genesis;
  readonly genesisBytes: Uint8Array;
  readonly genesisDigest: Digest;
  readonly blocks: TestBlock[] = [];
  /** V(height). */
  readonly committees: Committee[] = [];

  constructor(committee: Committee) {
    this.genesis = createTestGenesis(committee);
    this.genesisBytes = encode(genesisCodec, this.genesis);
    this.genesisDigest = genesisDigest(this.genesis);
    this.committees.push(committee, committee);
    this.append([]);
  }

  /** Adds a block; `next` is V(height + 1). */
  append(transactions: readonly Uint8Array[], next?: Committee, value = utf8("value")): TestBlock {
    const at = this.blocks.length;
    const own = this.committees[at] as Committee;
    this.committees[at + 1] = next ?? own;
    const receipts = transactions.map((bytes) => receiptOf(bytes));
    const ids = transactions.map(transactionId);
    const header: Header = {
      version: 1,
      chainId: this.genesis.chainId,
      height: height(at),
      parentHash: this.blocks.at(-1)?.digest ?? this.genesisDigest,
      timestampMs: this.genesis.timestampMs + at * 1_000,
      proposer: validatorIndex(0),
      transactionRoot: merkleRoot(ids),
      transactionCount: ids.length,
      gasUsed: 0,
      stateRoot: stateRootOf(value),
      receiptRoot: merkleRoot(receipts.map((each) => encode(receiptCodec, each))),
      validatorsHash: own.set.hash,
      nextValidatorsHash: (next ?? own).set.hash,
      historyRoot: historyRoot(new Uint8Array(0)),
      evidenceRoot: merkleRoot([]),
    };
    const body = { transactionIds: ids, history: new Uint8Array(0), evidence: [] };
    const certificate = at === 0 ? null : this.certify(header, own);
    const sealed = { header, body };
    const made = { block: sealed, digest: headerDigest(header), certificate, transactions };
    const whole = { ...made, receipts, value };
    this.blocks.push(whole);
    return whole;
  }

  /** COMMITs of a quorum, or of `signers`, over a header. */
  certify(header: Header, committee: Committee, signers?: readonly number[]): CommitCertificate {
    const count = committee.keys.length;
    const indices = signers ?? Array.from({ length: quorum(count) }, (_, index) => index);
    const draft: CommitCertificate = {
      height: header.height,
      view: view(0),
      digest: headerDigest(header),
      signatures: indices.map((index) => ({
        index: validatorIndex(index),
        signature: new Uint8Array(64),
      })),
    };
    const context = {
      chainId: this.genesis.chainId,
      genesisDigest: this.genesisDigest,
      validatorsHash: committee.set.hash,
    };
    const claims = certificateClaims("commit", draft, context);
    return {
      ...draft,
      signatures: claims.map(({ index, message }) => ({
        index,
        signature: sm2Sign(committee.keys[index]?.privateKey ?? new Uint8Array(32), message),
      })),
    };
  }

  header(at: number) {
    const block = this.blocks[at];
    if (block === undefined) return undefined;
    const { certificate } = block;
    return {
      height: at,
      digest: toHex(block.digest),
      header: toHex(encode(headerCodec, block.block.header)),
      certificate: certificate === null ? "" : toHex(encode(commitCertificateCodec, certificate)),
    };
  }

  blockAnswer(at: number) {
    const found = this.blocks[at];
    const header = this.header(at);
    if (found === undefined || header === undefined) return undefined;
    return {
      ...header,
      block: toHex(encode(blockCodec, found.block)),
      transactions: found.transactions.map(toHex),
      receipts: found.receipts.map((receipt) => toHex(encode(receiptCodec, receipt))),
    };
  }

  outcome(id: string) {
    for (const [at, block] of this.blocks.entries()) {
      const index = block.block.body.transactionIds.findIndex((each) => toHex(each) === id);
      const receipt = block.receipts[index];
      if (receipt === undefined) continue;
      const encoded = block.receipts.map((each) => encode(receiptCodec, each));
      const { transactionIds } = block.block.body;
      return {
        status: "committed" as const,
        height: at,
        index,
        transaction: toHex(block.transactions[index] ?? new Uint8Array(0)),
        receipt: toHex(encode(receiptCodec, receipt)),
        transactionProof: toHex(encode(merkleProofCodec, createMerkleProof(transactionIds, index))),
        receiptProof: toHex(encode(merkleProofCodec, createMerkleProof(encoded, index))),
        header: this.header(at),
      };
    }
    return { status: "unknown" as const };
  }

  state(contract: string, key: Uint8Array) {
    const at = this.blocks.length - 1;
    const value = this.blocks[at]?.value ?? new Uint8Array(0);
    const isPresent = contract === STATE_CONTRACT && toHex(key) === toHex(STATE_KEY);
    const path = statePath(STATE_CONTRACT, STATE_KEY);
    const leaf = { path, valueDigest: stateValueDigest(value) };
    return {
      value: isPresent ? toHex(value) : null,
      proof: toHex(encode(stateProofCodec, { siblings: [], leaf })),
      header: this.header(at),
    };
  }
}

function stateRootOf(value: Uint8Array): Digest {
  const path = statePath(STATE_CONTRACT, STATE_KEY);
  return digest(stateLeafHash(path, stateValueDigest(value)));
}

function receiptOf(transaction: Uint8Array): Receipt {
  return {
    transactionId: transactionId(transaction),
    status: "SUCCESS",
    gasUsed: 100,
    contractVersion: "1.0.0",
    returnValue: new Uint8Array(0),
    events: [],
  };
}
