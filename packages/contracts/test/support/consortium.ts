import { createExecutor } from "@credlink/contracts-vm";
import {
  addressFromPublicKey,
  createCertificate,
  createSelfSignedCertificate,
  createSm2Signer,
  publicKeyFromPrivate,
  sm3,
} from "@credlink/crypto";
import { defaultGovernance, type Genesis, type MemberRole } from "@credlink/ledger";
import { type Address, utf8 } from "@credlink/primitives";
import { loadCredentialContract } from "../../src/index.ts";

/** 2026-11-21: the chain begins after the month that it is given. */
export const GENESIS_MS = Date.UTC(2026, 10, 21);
export const DAY_MS = 86_400_000;

export interface TestKey {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly address: Address;
}

/** The key pair of a name: the same on every run. */
export function keyOf(name: string): TestKey {
  const privateKey = sm3(utf8(`credlink/test-key/${name}`));
  // Below the group order for certain.
  privateKey[0] = 0x11;
  const publicKey = publicKeyFromPrivate(privateKey);
  return { privateKey, publicKey, address: addressFromPublicKey(publicKey) };
}

/** A source of keys in a fixed order. */
export function keySource(name: string): () => TestKey {
  let count = 0;
  return () => keyOf(`${name}/${count++}`);
}

const members = {
  admin: "admin",
  institution: "institution",
  otherInstitution: "institution",
  thirdInstitution: "institution",
  regulator: "regulator",
  otherRegulator: "regulator",
  auditor: "auditor",
  node: "validator",
  observer: "observer",
  regulatorNode: "regulator-node",
  enterprise: "enterprise",
  individual: "individual",
} as const satisfies Record<string, MemberRole>;
export type TestMember = keyof typeof members;

/** The key of a member that stands in genesis. */
export function memberKeyOf(name: TestMember): TestKey {
  return keyOf(`member/${name}`);
}

/** One organisation, one node, and members of every role, with the credential contract. */
export async function createGenesis(): Promise<Genesis> {
  const root = createSm2Signer(keyOf("root").privateKey);
  const authority = keyOf("authority");
  const validity = { notBeforeMs: GENESIS_MS - DAY_MS, notAfterMs: GENESIS_MS + 3_650 * DAY_MS };
  const rootCertificate = await createSelfSignedCertificate({
    ...validity,
    subject: { commonName: "root", organization: "consortium", organizationalUnit: "ca" },
    authority: { pathLength: 1 },
    signer: root,
  });
  const authorityCertificate = await createCertificate({
    ...validity,
    subject: { commonName: "alpha CA", organization: "alpha", organizationalUnit: "ca" },
    subjectKey: authority.publicKey,
    authority: { pathLength: 0 },
    issuer: rootCertificate,
    signer: root,
  });
  const certificates = await Promise.all(
    Object.entries(members).map(([name, role]) =>
      createCertificate({
        subject: { commonName: name, organization: "alpha", organizationalUnit: role },
        subjectKey: keyOf(`member/${name}`).publicKey,
        notBeforeMs: validity.notBeforeMs,
        notAfterMs: GENESIS_MS + 700 * DAY_MS,
        issuer: authorityCertificate,
        signer: createSm2Signer(authority.privateKey),
      }),
    ),
  );
  const { name, version, code, manifest } = loadCredentialContract();
  return {
    version: 1,
    chainId: "test-chain",
    timestampMs: GENESIS_MS,
    production: false,
    allowNonByzantine: true,
    consensus: "pbft",
    roots: [rootCertificate.der],
    organizations: [{ name: "alpha", authorityCertificate: authorityCertificate.der }],
    members: certificates.map(({ der }) => ({ certificate: der })),
    validators: [{ nodeId: "node", publicKey: memberKeyOf("node").publicKey, peerId: "peer" }],
    parameters: {
      blockGasLimit: 10_000_000_000,
      transactionGasLimit: 50_000_000,
      maxBlockTransactions: 2_000,
      maxBlockBytes: 4 * 1024 * 1024,
      minBlockIntervalMs: 20,
      emptyBlockIntervalMs: 0,
      precisionMs: 500,
      messageDelayMs: 500,
      contractStateEntries: 1_000_000,
      contractStateBytes: 1_000_000_000,
    },
    governance: defaultGovernance(["alpha"]),
    contracts: [{ name, version, code, manifest }],
  };
}

/** An executor of its own, so that nothing is shared between two chains. */
export const freshExecutor = createExecutor;
