import type { Validator } from "@credlink/consensus-pbft";
import { replaceDigest } from "@credlink/crypto/simulation";
import {
  BUILT_IN_VERSION,
  defaultGovernance,
  type Executor,
  type Genesis,
  type Member,
  PARAMETERS_CONTRACT,
  type Parameters,
  parametersCodec,
  signedTransactionCodec,
  TRANSACTION_VERSION,
  type Transaction,
  transactionCodec,
  transactionSigningMessage,
  VALIDATORS_CONTRACT,
} from "@credlink/ledger";
import type { SignatureVerifier } from "@credlink/node/engine";
import {
  type Address,
  address,
  type Digest,
  encode,
  height,
  type Signer,
} from "@credlink/primitives";
import { cutFromSlabs, shareReadings } from "@credlink/primitives/simulation";
import type { SeededRandom } from "@credlink/testkit";
import {
  BOOK_CONTRACT,
  BOOK_VERSION,
  bulkParameters,
  createChainExecutor,
  type ValidatorChange,
  validatorChangeCodec,
} from "./chain-executor.ts";
import { createFakeSigner, fakeSignature, fakeVerifier, verifyFake } from "./fake-signatures.ts";
import { fastDigest } from "./fast-digest.ts";

/**
 * How costly the parts are: bulk runs of the protocol over a hash chain for a ledger, the same with
 * the real ledger, or everything real.
 */
export type ProfileName = "protocol" | "ledger" | "full";

/** What all nodes of a run share, and who calls them. */
export interface Profile {
  readonly name: ProfileName;
  readonly genesis: Genesis;
  readonly createExecutor: () => Executor;
  readonly signers: readonly Signer[];
  /** Address of a node's key in the registry. */
  readonly addressOf: (index: number) => Address;
  readonly verifier: SignatureVerifier;
  /** One signature, for checkers that judge by themselves. */
  readonly verifyOne: (
    publicKey: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array,
  ) => boolean;
  /** A fresh valid transaction of a random client. */
  readonly createTransaction: (genesisDigest: Digest, atHeight: number) => Promise<Uint8Array>;
  /** A transaction that changes the validators, where the profile's executor can; else null. */
  readonly createChange:
    | ((genesisDigest: Digest, atHeight: number, change: ValidatorChange) => Uint8Array)
    | null;
  /** A transaction that sets the chain's parameters, where the profile's executor can; else null. */
  readonly createSetting:
    | ((genesisDigest: Digest, atHeight: number, parameters: Parameters) => Uint8Array)
    | null;
}

/** Heights after which a transaction of a simulated client expires. */
export const LIFETIME_HEIGHTS = 900;
/** Genesis lies this long before the simulation begins, milliseconds. */
export const GENESIS_AGE_MS = 60_000;
const CLIENTS = 6;
const FOREVER_MS = 8_000_000_000_000;

function fakeKey(random: SeededRandom): Uint8Array {
  const key = random.bytes(65);
  key[0] = 4;
  return key;
}

function nth<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`nothing at ${index}`);
  return item;
}

function createMember(
  memberAddress: Address,
  publicKey: Uint8Array,
  role: Member["role"] = "enterprise",
): Member {
  return {
    address: memberAddress,
    organization: "platform",
    role,
    status: "active",
    keys: [{ fromHeight: height(0), publicKey }],
    certificateDigest: null,
    enrolledBy: null,
    validFromMs: 0,
    validToMs: FOREVER_MS,
  };
}

/** The name a validator has on the simulated network and in V(h). */
export function peerName(index: number): string {
  return `node-${index}`;
}

/** Validators of a run by their keys. */
export function validatorsOf(signers: readonly Signer[]): readonly Validator[] {
  return signers.map(({ publicKey }, index) => ({
    nodeId: peerName(index),
    publicKey,
    peerId: peerName(index),
  }));
}

/**
 * Real engine, replica and vote log; a small executor, fast stand-ins for SM2 and SM3, and unless
 * `name` asks for the real ledger one whose state is a hash chain. The digest is the process's: a run of the other profile must not be under way.
 *
 * @param nodeCount nodes with keys, of which the first `validatorCount` (default: all) are V(1);
 *   the others follow until a change makes them validators.
 */
export function createProtocolProfile(
  random: SeededRandom,
  nodeCount: number,
  startMs: number,
  validatorCount: number = nodeCount,
  name: Exclude<ProfileName, "full"> = "protocol",
): Profile {
  replaceDigest(fastDigest);
  shareReadings(true);
  cutFromSlabs(true);
  const signers = Array.from({ length: nodeCount }, () => createFakeSigner(fakeKey(random)));
  const clients = Array.from({ length: CLIENTS }, () => ({
    address: address(random.bytes(32)),
    key: fakeKey(random),
  }));
  const genesis: Genesis = {
    version: 1,
    chainId: "simulation",
    timestampMs: startMs - GENESIS_AGE_MS,
    production: false,
    allowNonByzantine: validatorCount < 4,
    consensus: "pbft",
    roots: [],
    organizations: [],
    members: [],
    validators: validatorsOf(signers).slice(0, validatorCount),
    parameters: bulkParameters,
    governance: defaultGovernance([]),
    contracts: [],
  };
  const addresses = signers.map((_, at) => address(random.fork(`address ${at}`).bytes(32)));
  const members = [
    ...clients.map((client) => createMember(client.address, client.key)),
    ...signers.map(({ publicKey }, at) => createMember(nth(addresses, at), publicKey, "validator")),
  ];
  const sign = (
    genesisDigest: Digest,
    atHeight: number,
    call: Pick<Transaction, "contract" | "contractVersion" | "method" | "args">,
  ): Uint8Array => {
    const client = random.pick(clients);
    const transaction = encode(transactionCodec, {
      version: TRANSACTION_VERSION,
      chainId: genesis.chainId,
      sender: client.address,
      nonce: random.bytes(16),
      expiryHeight: height(atHeight + LIFETIME_HEIGHTS),
      ...call,
      gasLimit: 100,
    });
    const message = transactionSigningMessage(genesisDigest, transaction);
    const signature = fakeSignature(client.key, message);
    const signatures = [{ address: client.address, signature }];
    return encode(signedTransactionCodec, { transaction, signatures });
  };
  return {
    name,
    genesis,
    createExecutor: () => createChainExecutor(members),
    signers,
    addressOf: (index) => nth(addresses, index),
    verifier: fakeVerifier,
    verifyOne: verifyFake,
    async createTransaction(genesisDigest, atHeight) {
      const args = random.bytes(random.integer(64));
      return sign(genesisDigest, atHeight, {
        contract: BOOK_CONTRACT,
        contractVersion: BOOK_VERSION,
        method: "write",
        args,
      });
    },
    createChange: (genesisDigest, atHeight, change) =>
      sign(genesisDigest, atHeight, {
        contract: VALIDATORS_CONTRACT,
        contractVersion: BUILT_IN_VERSION,
        method: "change",
        args: encode(validatorChangeCodec, change),
      }),
    createSetting: (genesisDigest, atHeight, parameters) =>
      sign(genesisDigest, atHeight, {
        contract: PARAMETERS_CONTRACT,
        contractVersion: BUILT_IN_VERSION,
        method: "set",
        args: encode(parametersCodec, parameters),
      }),
  };
}
