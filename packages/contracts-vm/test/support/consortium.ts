import {
  addressFromPublicKey,
  type Certificate,
  createCertificate,
  createRevocationList,
  createSelfSignedCertificate,
  createSm2Signer,
  generateKeyPair,
  type Revocation,
} from "@credlink/crypto";
import {
  defaultGovernance,
  type Genesis,
  type GenesisContract,
  type MemberRole,
  type Parameters,
} from "@credlink/ledger";
import type { Address, Signer } from "@credlink/primitives";
import { withLaterEnd } from "@credlink/testkit";

export const GENESIS_MS = Date.UTC(2026, 10, 21);
export const DAY_MS = 86_400_000;

export interface Holder {
  readonly address: Address;
  readonly publicKey: Uint8Array;
  readonly certificate: Certificate;
}

export interface TestOrganization {
  readonly name: string;
  readonly authority: Certificate;
  readonly signer: Signer;
}

export interface IssueOptions {
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
  readonly publicKey?: Uint8Array;
}

export const testParameters: Parameters = {
  blockGasLimit: 10_000_000_000,
  transactionGasLimit: 100_000_000,
  maxBlockTransactions: 2_000,
  maxBlockBytes: 4 * 1024 * 1024,
  minBlockIntervalMs: 20,
  emptyBlockIntervalMs: 0,
  precisionMs: 500,
  messageDelayMs: 2_000,
  contractStateEntries: 1_000_000,
  contractStateBytes: 1_000_000_000,
};

/** Issues a member's certificate under an organisation's CA. */
export async function issue(
  organization: TestOrganization,
  role: MemberRole | "none",
  commonName: string,
  options: IssueOptions = {},
): Promise<Holder> {
  const publicKey = options.publicKey ?? generateKeyPair().publicKey;
  const certificate = await createCertificate({
    subject: { commonName, organization: organization.name, organizationalUnit: role },
    subjectKey: publicKey,
    notBeforeMs: options.notBeforeMs ?? GENESIS_MS,
    notAfterMs: options.notAfterMs ?? GENESIS_MS + 365 * DAY_MS,
    issuer: organization.authority,
    signer: organization.signer,
  });
  return { address: addressFromPublicKey(publicKey), publicKey, certificate };
}

/** As a CA of other software may: a member's certificate that lasts from genesis for `days`. */
export async function issueFor(organization: TestOrganization, days: number): Promise<Holder> {
  const holder = await issue(organization, "individual", "worker");
  const notAfterMs = GENESIS_MS + days * DAY_MS;
  const certificate = await withLaterEnd(holder.certificate, notAfterMs, organization.signer);
  return { ...holder, certificate };
}

/** Issues an organisation's revocation list. */
export async function issueList(
  organization: TestOrganization,
  revoked: readonly Certificate[],
  options: { readonly thisUpdateMs?: number; readonly nextUpdateMs?: number } = {},
): Promise<Uint8Array> {
  const thisUpdateMs = options.thisUpdateMs ?? GENESIS_MS;
  const entries: readonly Revocation[] = revoked.map(({ serialNumber }) => ({
    serialNumber,
    revokedAtMs: thisUpdateMs,
    reason: "keyCompromise",
  }));
  const list = await createRevocationList({
    thisUpdateMs,
    nextUpdateMs: options.nextUpdateMs ?? thisUpdateMs + 30 * DAY_MS,
    number: 1,
    revoked: entries,
    issuer: organization.authority,
    signer: organization.signer,
  });
  return list.der;
}

export interface Consortium {
  readonly genesis: Genesis;
  readonly root: TestOrganization;
  readonly organizations: readonly TestOrganization[];
  /** One admin per organisation. */
  readonly admins: readonly Holder[];
  readonly validators: readonly Holder[];
  readonly institution: Holder;
  readonly enterprise: Holder;
  readonly regulator: Holder;
}

/** Makes a root certificate of its own. */
export async function createRoot(name: string): Promise<TestOrganization> {
  const signer = createSm2Signer(generateKeyPair().privateKey);
  const authority = await createSelfSignedCertificate({
    subject: { commonName: `${name} root`, organization: name, organizationalUnit: "ca" },
    notBeforeMs: GENESIS_MS - DAY_MS,
    notAfterMs: GENESIS_MS + 3650 * DAY_MS,
    authority: { pathLength: 1 },
    signer,
  });
  return { name, authority, signer };
}

/** Makes an organisation's CA under a root. */
export async function createOrganization(
  root: TestOrganization,
  name: string,
): Promise<TestOrganization> {
  const { privateKey, publicKey } = generateKeyPair();
  const authority = await createCertificate({
    subject: { commonName: `${name} CA`, organization: name, organizationalUnit: "ca" },
    subjectKey: publicKey,
    notBeforeMs: GENESIS_MS - DAY_MS,
    notAfterMs: GENESIS_MS + 3650 * DAY_MS,
    authority: { pathLength: 0 },
    issuer: root.authority,
    signer: root.signer,
  });
  return { name, authority, signer: createSm2Signer(privateKey) };
}

const ORGANIZATIONS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta"] as const;

/** A consortium of as many organisations and validators, and its genesis. */
export async function createConsortium(
  options: {
    readonly validators?: number;
    /** Default 4. */
    readonly organizations?: number;
    readonly contracts?: readonly GenesisContract[];
    readonly allowNonByzantine?: boolean;
  } = {},
): Promise<Consortium> {
  const root = await createRoot("consortium");
  const organizations = await Promise.all(
    ORGANIZATIONS.slice(0, options.organizations ?? 4).map((name) =>
      createOrganization(root, name),
    ),
  );
  const of = (index: number): TestOrganization => {
    const organization = organizations[index % organizations.length];
    if (organization === undefined) throw new Error("no organisation");
    return organization;
  };
  const admins = await Promise.all(
    organizations.map((organization) => issue(organization, "admin", `${organization.name}-admin`)),
  );
  const validators = await Promise.all(
    Array.from({ length: options.validators ?? 4 }, (_, index) =>
      issue(of(index), "validator", `node-${index}`),
    ),
  );
  const institution = await issue(of(0), "institution", "institution");
  const enterprise = await issue(of(1), "enterprise", "enterprise");
  const regulator = await issue(of(3), "regulator", "regulator");
  const members = [...admins, ...validators, institution, enterprise, regulator];
  const genesis: Genesis = {
    version: 1,
    chainId: "test-chain",
    timestampMs: GENESIS_MS,
    production: false,
    allowNonByzantine: options.allowNonByzantine ?? false,
    consensus: "pbft",
    roots: [root.authority.der],
    organizations: organizations.map(({ name, authority }) => ({
      name,
      authorityCertificate: authority.der,
    })),
    members: members.map(({ certificate }) => ({ certificate: certificate.der })),
    validators: validators.map(({ publicKey }, index) => ({
      nodeId: `node-${index}`,
      publicKey,
      peerId: `peer-${index}`,
    })),
    parameters: testParameters,
    governance: defaultGovernance(organizations.map(({ name }) => name)),
    contracts: options.contracts ?? [],
  };
  return { genesis, root, organizations, admins, validators, institution, enterprise, regulator };
}
