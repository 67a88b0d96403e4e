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
  type ConsensusHistory,
  consensusHistoryCodec,
  createMerkleProof,
  defaultGovernance,
  evidenceRoot,
  type Genesis,
  genesisCodec,
  genesisDigest,
  type Header,
  headerCodec,
  headerDigest,
  historyLink,
  historyRecordCodec,
  historyRoot,
  merkleProofCodec,
  merkleRoot,
  type Receipt,
  receiptCodec,
  stateProofCodec,
  transactionId,
} from "@credlink/ledger";
import {
  type Digest,
  encode,
  height,
  toHex,
  utf8,
  validatorIndex,
  view,
} from "@credlink/primitives";
import { proveState, type StateEntry, stateRootOf } from "./state.ts";

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
      contractStateEntries: 1_000_000,
      contractStateBytes: 1_000_000_000,
    },
    governance: defaultGovernance([]),
    contracts: [],
  };
}

/** The one state entry of a test block that is given no others. */
export const STATE_CONTRACT = "credential";
export const STATE_KEY = utf8("key");

export interface TestBlock {
  readonly block: Block;
  readonly digest: Digest;
  readonly certificate: CommitCertificate | null;
  readonly transactions: readonly Uint8Array[];
  readonly receipts: readonly Receipt[];
  readonly state: readonly StateEntry[];
  /** How it was decided, as the test node saw it; null for the genesis block. */
  readonly history: ConsensusHistory | null;
  /** The node's link of that history. */
  readonly link: Digest;
}

/** What a block has beside its transactions. */
export interface BlockOptions {
  /** V(height + 1); default: the same validators. */
  readonly next?: Committee;
  readonly state?: readonly StateEntry[];
  readonly evidence?: readonly Uint8Array[];
}

const DEFAULT_STATE: readonly StateEntry[] = [
  { contract: STATE_CONTRACT, key: STATE_KEY, value: utf8("value") },
];

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

  append(transactions: readonly Uint8Array[], options: BlockOptions = {}): TestBlock {
    const at = this.blocks.length;
    const own = this.committees[at] as Committee;
    const { next = own, state = DEFAULT_STATE, evidence = [] } = options;
    this.committees[at + 1] = next;
    const receipts = transactions.map((bytes) => receiptOf(bytes));
    const ids = transactions.map(transactionId);
    const history = this.#recordOf(at - 2);
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
      stateRoot: stateRootOf(state),
      receiptRoot: merkleRoot(receipts.map((each) => encode(receiptCodec, each))),
      validatorsHash: own.set.hash,
      nextValidatorsHash: next.set.hash,
      historyRoot: historyRoot(history),
      evidenceRoot: evidenceRoot(evidence),
    };
    const body = { transactionIds: ids, history, evidence };
    const certificate = at === 0 ? null : this.certify(header, own);
    const whole = {
      block: { header, body },
      digest: headerDigest(header),
      certificate,
      transactions,
      receipts,
      state,
      ...this.#historyOf(header, certificate),
    };
    this.blocks.push(whole);
    return whole;
  }

  /** What the body two heights on says of a block. */
  #recordOf(at: number): Uint8Array {
    const certificate = this.blocks[at]?.certificate ?? null;
    if (certificate === null) return new Uint8Array(0);
    return encode(historyRecordCodec, { certificate, justification: null });
  }

  #historyOf(header: Header, certificate: CommitCertificate | null) {
    const below = this.blocks.at(-1)?.link ?? this.genesisDigest;
    if (certificate === null) return { history: null, link: below };
    const { height: at, digest: decided } = certificate;
    const history: ConsensusHistory = {
      height: at,
      digest: decided,
      proposer: header.proposer,
      certificate,
      statements: certificate.signatures.map(({ index, signature }) => {
        const vote = { height: at, view: certificate.view, digest: decided };
        return { type: "commit", ...vote, sender: index, signature };
      }),
      dropped: 0,
    };
    return { history, link: historyLink(below, encode(consensusHistoryCodec, history)) };
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

  historyAnswer(at: number) {
    const block = this.blocks[at];
    const below = this.blocks[at - 1];
    if (block === undefined || below === undefined || block.history === null) return undefined;
    return {
      height: at,
      history: toHex(encode(consensusHistoryCodec, block.history)),
      below: toHex(below.link),
      link: toHex(block.link),
    };
  }

  info() {
    const at = this.blocks.length - 1;
    const head = this.blocks[at];
    if (head === undefined) throw new Error("there is always the genesis block");
    const { header } = head.block;
    return {
      chainId: this.genesis.chainId,
      genesisDigest: toHex(this.genesisDigest),
      height: at,
      headDigest: toHex(head.digest),
      stateRoot: toHex(header.stateRoot),
      timestampMs: header.timestampMs,
      validators: [],
      parameters: {},
    };
  }

  state(contract: string, key: Uint8Array) {
    const at = this.blocks.length - 1;
    const { value, proof } = proveState(this.blocks[at]?.state ?? [], contract, key);
    return {
      value: value === null ? null : toHex(value),
      proof: toHex(encode(stateProofCodec, proof)),
      header: this.header(at),
    };
  }
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
