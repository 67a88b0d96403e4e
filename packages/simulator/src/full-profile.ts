import {
  CREDENTIAL_CONTRACT,
  CREDENTIAL_CONTRACT_VERSION,
  CREDENTIAL_FORMAT,
  type CredentialParent,
  type CredentialRecord,
  loadCredentialContract,
  submitArgsCodec,
} from "@credlink/contracts";
import { createExecutor } from "@credlink/contracts-vm";
import {
  addressFromPublicKey,
  createCertificate,
  createSelfSignedCertificate,
  createSm2Signer,
  sm2Verify,
} from "@credlink/crypto";
import { replaceDigest } from "@credlink/crypto/simulation";
import {
  defaultGovernance,
  type Genesis,
  signedTransactionCodec,
  TRANSACTION_VERSION,
  transactionCodec,
  transactionSigningMessage,
} from "@credlink/ledger";
import { type Address, digest, encode, height, type Signer } from "@credlink/primitives";
import { cutFromSlabs, shareReadings } from "@credlink/primitives/simulation";
import type { SeededRandom } from "@credlink/testkit";
import { bulkParameters } from "./chain-executor.ts";
import {
  GENESIS_AGE_MS,
  LIFETIME_HEIGHTS,
  type Profile,
  peerName,
  validatorsOf,
} from "./profile.ts";
import { verifyOnce } from "./verify-once.ts";

const DAY_MS = 86_400_000;
const GAS_LIMIT = 50_000_000;
const INSTITUTIONS = 3;

interface Institution {
  readonly signer: Signer;
  readonly address: Address;
}

/** Below the group order for certain, and never zero. */
function createSigner(random: SeededRandom): Signer {
  const privateKey = random.bytes(32);
  privateKey[0] = 0x11;
  return createSm2Signer(privateKey);
}

async function createGenesis(
  random: SeededRandom,
  signers: readonly Signer[],
  institutions: readonly Institution[],
  startMs: number,
): Promise<Genesis> {
  const [root, authority] = [createSigner(random), createSigner(random)];
  const validity = { notBeforeMs: startMs - DAY_MS, notAfterMs: startMs + 700 * DAY_MS };
  const rootCertificate = await createSelfSignedCertificate({
    ...validity,
    subject: { commonName: "root", organization: "consortium", organizationalUnit: "ca" },
    authority: { pathLength: 1 },
    signer: root,
  });
  const authorityCertificate = await createCertificate({
    ...validity,
    subject: { commonName: "platform CA", organization: "platform", organizationalUnit: "ca" },
    subjectKey: authority.publicKey,
    authority: { pathLength: 0 },
    issuer: rootCertificate,
    signer: root,
  });
  const members = [
    ...signers.map((signer, at) => ({ name: peerName(at), role: "validator", signer })),
    ...institutions.map(({ signer }, at) => ({ name: `bank-${at}`, role: "institution", signer })),
  ];
  const certificates = await Promise.all(
    members.map(({ name, role, signer }) =>
      createCertificate({
        ...validity,
        subject: { commonName: name, organization: "platform", organizationalUnit: role },
        subjectKey: signer.publicKey,
        issuer: authorityCertificate,
        signer: authority,
      }),
    ),
  );
  const { name, version, code, manifest } = loadCredentialContract();
  return {
    version: 1,
    chainId: "simulation",
    timestampMs: startMs - GENESIS_AGE_MS,
    production: false,
    allowNonByzantine: signers.length < 4,
    consensus: "pbft",
    roots: [rootCertificate.der],
    organizations: [{ name: "platform", authorityCertificate: authorityCertificate.der }],
    members: certificates.map(({ der }) => ({ certificate: der })),
    validators: validatorsOf(signers),
    parameters: {
      ...bulkParameters,
      blockGasLimit: bulkParameters.maxBlockTransactions * GAS_LIMIT,
      transactionGasLimit: GAS_LIMIT,
      maxBlockBytes: 1024 * 1024,
    },
    governance: defaultGovernance(["platform"]),
    contracts: [{ name, version, code, manifest }],
  };
}

/** An institution's own identity, or an alert about a credential that was submitted before. */
function createRecord(
  random: SeededRandom,
  issuer: Address,
  parent: CredentialParent | null,
  nowMs: number,
): CredentialRecord {
  const type = parent === null ? "identity.institution" : "risk.alert";
  return {
    format: CREDENTIAL_FORMAT,
    id: random.bytes(32),
    type,
    schema: `${type}/1.0`,
    issuer,
    subjects: parent === null ? [issuer] : [],
    parents: parent === null ? [] : [parent],
    commitment: { root: digest(random.bytes(32)), fieldCount: parent === null ? 6 : 5 },
    indexes: parent === null ? [{ keyId: 1, value: random.bytes(32) }] : [],
    amounts: [],
    policyDigest: digest(random.bytes(32)),
    level: parent === null ? 1 : 2,
    validFromMs: nowMs,
    validToMs: null,
    payloadReference: null,
    terms: null,
  };
}

/** Everything real: SM2 keys and certificates, the WebAssembly executor, the credential contract. */
export async function createFullProfile(
  random: SeededRandom,
  validatorCount: number,
  startMs: number,
): Promise<Profile> {
  replaceDigest(null);
  shareReadings(true);
  cutFromSlabs(true);
  const signers = Array.from({ length: validatorCount }, () => createSigner(random));
  const institutions = Array.from({ length: INSTITUTIONS }, () => {
    const signer = createSigner(random);
    return { signer, address: addressFromPublicKey(signer.publicKey) };
  });
  const genesis = await createGenesis(random, signers, institutions, startMs);
  const submitted: Uint8Array[] = [];
  const verify = verifyOnce(sm2Verify);
  return {
    name: "full",
    genesis,
    createExecutor,
    signers,
    addressOf: (index) => {
      const signer = signers[index];
      if (signer === undefined) throw new Error(`no node ${index}`);
      return addressFromPublicKey(signer.publicKey);
    },
    verifier: {
      verify: async (requests) =>
        requests.map(({ publicKey, message, signature }) => verify(publicKey, message, signature)),
    },
    verifyOne: verify,
    createChange: null,
    createSetting: null,
    async createTransaction(genesisDigest, atHeight) {
      const { signer, address } = random.pick(institutions);
      const isAlert = submitted.length > 0 && random.chance(0.4);
      const parent = isAlert
        ? ({ id: random.pick(submitted), relation: "assesses" } as const)
        : null;
      const record = createRecord(random, address, parent, genesis.timestampMs);
      if (parent === null) submitted.push(record.id);
      const transaction = encode(transactionCodec, {
        version: TRANSACTION_VERSION,
        chainId: genesis.chainId,
        sender: address,
        nonce: random.bytes(16),
        expiryHeight: height(atHeight + LIFETIME_HEIGHTS),
        contract: CREDENTIAL_CONTRACT,
        contractVersion: CREDENTIAL_CONTRACT_VERSION,
        method: "submit",
        args: encode(submitArgsCodec, record),
        gasLimit: GAS_LIMIT,
      });
      const signature = await signer.sign(transactionSigningMessage(genesisDigest, transaction));
      return encode(signedTransactionCodec, { transaction, signatures: [{ address, signature }] });
    },
  };
}
