import {
  type SkipList,
  skipListCodec,
  type Validator,
  validatorCodec,
} from "@credlink/consensus-pbft";
import {
  type Account,
  accountCodec,
  accountKey,
  CONTRACTS_CONTRACT,
  CONTRIBUTIONS_KEY,
  type ConsensusMode,
  type Contribution,
  consensusModes,
  contributionsCodec,
  delegatesCodec,
  type Event,
  GOVERNANCE_CONTRACT,
  GOVERNANCE_RULES_KEY,
  type GovernanceRules,
  governanceRulesCodec,
  type IdentityEvidence,
  identityCodec,
  identityKey,
  keyOwnerKey,
  MAX_PROPOSAL_BYTES,
  MEMBERS_CONTRACT,
  type Member,
  memberCodec,
  memberKey,
  type Observation,
  ORACLES_CONTRACT,
  type OracleFeed,
  observationCodec,
  oracleFeedCodec,
  type Parameters,
  type Proposal,
  parametersCodec,
  proposalArgsKey,
  proposalCodec,
  proposalEventsCodec,
  proposalEventsKey,
  proposalKey,
  type Recovery,
  readyKey,
  recoveryCodec,
  recoveryKey,
  type ScanDeclaration,
  type StateUsage,
  stateUsageCodec,
  VALIDATORS_CONTRACT,
} from "@credlink/ledger";
import {
  type Address,
  addressCodec,
  bool,
  bytesUpTo,
  type Codec,
  concatBytes,
  type Digest,
  digestCodec,
  encode,
  fromHex,
  type Height,
  heightCodec,
  list,
  nullable,
  oneOf,
  struct,
  text,
  u32,
  u53,
  utf8,
} from "@credlink/primitives";
import type { Row } from "./row.ts";

/** Name of the built-in contract that keeps the consensus-critical parameters. */
export const PARAMETERS_CONTRACT = "parameters";

/** Most organisations, validators, contracts, and versions of one contract. */
export const MAX_ORGANIZATIONS = 256;
export const MAX_VALIDATORS = 128;
export const MAX_CONTRACTS = 1_024;
export const MAX_VERSIONS = 256;
/** Most proposals that are undecided or wait for execution, whatever the rules say. */
export const MAX_OPEN_PROPOSALS = 256;
/** Most emergency restrictions, those that ended lately included. */
export const MAX_RESTRICTIONS = 64;
/** Most feeds of outside data. */
export const MAX_FEEDS = 256;
/** Bytes of code in one row. */
export const CODE_CHUNK_BYTES = 128 * 1024;

/** An organisation of the consortium. */
export interface Organization {
  readonly name: string;
  /** DER of its CA's certificate. */
  readonly authorityCertificate: Uint8Array;
  /** SM3 of that certificate. */
  readonly certificateDigest: Digest;
  /** When the registered revocation list was issued, 0 without. */
  readonly revocationListMs: number;
}

export const organizationCodec: Codec<Organization> = struct({
  name: text(64),
  authorityCertificate: bytesUpTo(8 * 1024),
  certificateDigest: digestCodec,
  revocationListMs: u53,
});

/** Names of all organisations, in genesis's order. */
export const organizationNamesCodec: Codec<readonly string[]> = list(text(64), MAX_ORGANIZATIONS);

/** Whose a certificate of an organisation's CA is. */
export interface CertificateHolder {
  readonly address: Address;
  /** SM3 of its DER: only while it is the member's own does revoking it revoke the member. */
  readonly certificateDigest: Digest;
}
export const certificateHolderCodec: Codec<CertificateHolder> = struct({
  address: addressCodec,
  certificateDigest: digestCodec,
});

/** The validator registry. */
export interface ValidatorRegistry {
  readonly validators: readonly Validator[];
  /** Genesis's own: whether fewer than four validators are permitted. */
  readonly allowNonByzantine: boolean;
  /** Genesis's own: the list of a solo chain never changes. */
  readonly consensus: ConsensusMode;
  /** Block of the last change, and how many more it admits: counted from the list before it. */
  readonly changedAt: Height;
  readonly changesLeft: number;
}

export const validatorListCodec: Codec<readonly Validator[]> = list(validatorCodec, MAX_VALIDATORS);
const validatorRegistryCodec: Codec<ValidatorRegistry> = struct({
  validators: validatorListCodec,
  allowNonByzantine: bool,
  consensus: oneOf(...consensusModes),
  changedAt: heightCodec,
  changesLeft: u32,
});

/** All versions of one contract. */
export interface ContractVersions {
  /** In order of installation. */
  readonly versions: readonly string[];
  /** The version that may be called, null when none is. */
  readonly started: string | null;
}

export const contractVersionsCodec: Codec<ContractVersions> = struct({
  versions: list(text(32), MAX_VERSIONS),
  started: nullable(text(32)),
});

/** Names of all contracts, in order of installation. */
export const contractNamesCodec: Codec<readonly string[]> = list(text(64), MAX_CONTRACTS);

/**
 * Where a version stands in its life. One that was started and is followed by another is superseded:
 * transactions no longer reach it, queries by its name still do.
 */
export const contractStates = ["installed", "started", "superseded", "stopped", "frozen"] as const;
export type ContractState = (typeof contractStates)[number];

/** One installed version. */
export interface InstalledContract {
  readonly name: string;
  readonly version: string;
  /** SM3 of the code. */
  readonly codeDigest: Digest;
  readonly codeBytes: number;
  /** SM3 of the manifest. */
  readonly manifestDigest: Digest;
  /** Version of the gas schedule under which it was validated. */
  readonly gasSchedule: number;
  readonly state: ContractState;
  /** Organisations whose admins approved it; none any more once it was superseded or stopped. */
  readonly approvals: readonly string[];
  /** Organisations whose admins want it stopped, while it is started. */
  readonly stopVotes: readonly string[];
  /** Null for contracts of genesis. */
  readonly installedBy: Address | null;
  readonly installedAt: Height;
}

export const installedContractCodec: Codec<InstalledContract> = struct({
  name: text(64),
  version: text(32),
  codeDigest: digestCodec,
  codeBytes: u32,
  manifestDigest: digestCodec,
  gasSchedule: u32,
  state: oneOf(...contractStates),
  approvals: organizationNamesCodec,
  stopVotes: organizationNamesCodec,
  installedBy: nullable(addressCodec),
  installedAt: heightCodec,
});

export const MAX_MANIFEST_BYTES = 64 * 1024;

/** A proposal that is undecided or waits for its execution. */
export interface OpenProposal {
  readonly number: number;
  readonly organization: string;
  readonly isPassed: boolean;
  /** Block time at which voting ends or, once passed, before which it is not executed. */
  readonly atMs: number;
  readonly executeAt: Height;
}

/** What an organisation's scan of a contract's version came to, by its own word. */
export interface DeclaredScan extends ScanDeclaration {
  readonly organization: string;
}
export const declaredScansCodec: Codec<readonly DeclaredScan[]> = list(
  struct({ organization: text(64), ruleSet: digestCodec, report: digestCodec, high: u32 }),
  MAX_ORGANIZATIONS,
);

/** An emergency restriction: of a member's address, or of a contract's name in UTF-8. */
export interface Restriction {
  readonly kind: "member" | "contract";
  readonly target: Uint8Array;
  /** Whether it ended without a decision; it stands on until `forgottenMs`, and is not renewed. */
  readonly isLifted: boolean;
  readonly untilMs: number;
  readonly forgottenMs: number;
}

const restrictionsCodec: Codec<readonly Restriction[]> = list(
  struct({
    kind: oneOf("member", "contract"),
    target: bytesUpTo(64),
    isLifted: bool,
    untilMs: u53,
    forgottenMs: u53,
  }),
  MAX_RESTRICTIONS,
);

/** All open proposals, ascending, and the number that the next one gets. */
export interface OpenProposals {
  readonly next: number;
  readonly open: readonly OpenProposal[];
}

const openProposalsCodec: Codec<OpenProposals> = struct({
  next: u53,
  open: list(
    struct({
      number: u53,
      organization: text(64),
      isPassed: bool,
      atMs: u53,
      executeAt: heightCodec,
    }),
    MAX_OPEN_PROPOSALS,
  ),
});

/** Data of an event about a member: its record with its last key alone, so that it always fits. */
export function memberEvent(member: Member): Uint8Array {
  return encode(memberCodec, { ...member, keys: member.keys.slice(-1) });
}

/** A row's key: what kind it is of, and the rest. */
export function key(prefix: string, ...parts: readonly Uint8Array[]): Uint8Array {
  return concatBytes(utf8(prefix), ...parts);
}

const ZERO = Uint8Array.of(0);

/** Every row of the built-in contracts. */
export const rows = {
  /** `member/` ‖ address. */
  member: (address: Address): Row<Member> => ({
    contract: MEMBERS_CONTRACT,
    key: memberKey(address),
    codec: memberCodec,
  }),
  /** `account/` ‖ address: who signs for it. */
  account: (address: Address): Row<Account> => ({
    contract: MEMBERS_CONTRACT,
    key: accountKey(address),
    codec: accountCodec,
  }),
  /** `recovery/` ‖ address: a key that waits to be the member's next one. */
  recovery: (address: Address): Row<Recovery> => ({
    contract: MEMBERS_CONTRACT,
    key: recoveryKey(address),
    codec: recoveryCodec,
  }),
  /** How long a recovery waits, milliseconds; absent: the default. */
  recoveryDelay: {
    contract: MEMBERS_CONTRACT,
    key: utf8("recovery-delay"),
    codec: u53,
  } satisfies Row<number>,
  /** `identity/` ‖ address: what was seen of a member when it was verified. */
  identity: (address: Address): Row<readonly IdentityEvidence[]> => ({
    contract: MEMBERS_CONTRACT,
    key: identityKey(address),
    codec: identityCodec,
  }),
  /** `hold/` ‖ address: the regulator that suspended the member. */
  hold: (address: Address): Row<Address | null> => ({
    contract: MEMBERS_CONTRACT,
    key: key("hold/", address),
    codec: nullable(addressCodec),
  }),
  /** `organization/` ‖ name. */
  organization: (name: string): Row<Organization> => ({
    contract: MEMBERS_CONTRACT,
    key: key("organization/", utf8(name)),
    codec: organizationCodec,
  }),
  organizationNames: {
    contract: MEMBERS_CONTRACT,
    key: utf8("organizations"),
    codec: organizationNamesCodec,
  } satisfies Row<readonly string[]>,
  /** DER of the consortium's roots. */
  roots: {
    contract: MEMBERS_CONTRACT,
    key: utf8("roots"),
    codec: list(bytesUpTo(8 * 1024), 16),
  } satisfies Row<readonly Uint8Array[]>,
  /** `key/` ‖ address that the key would give: whose it is, when that is another one. */
  keyOwner: (addressOfKey: Address): Row<Address> => ({
    contract: MEMBERS_CONTRACT,
    key: keyOwnerKey(addressOfKey),
    codec: addressCodec,
  }),
  /** `serial/` ‖ organisation ‖ 0 ‖ serial number: who holds the certificate. */
  serial: (organization: string, serialNumber: string): Row<CertificateHolder> => ({
    contract: MEMBERS_CONTRACT,
    key: key("serial/", utf8(organization), ZERO, fromHex(serialNumber)),
    codec: certificateHolderCodec,
  }),
  /** `revocation-list/` ‖ organisation: DER of the registered revocation list. */
  revocationList: (organization: string): Row<Uint8Array> => ({
    contract: MEMBERS_CONTRACT,
    key: key("revocation-list/", utf8(organization)),
    codec: bytesUpTo(128 * 1024),
  }),
  validators: {
    contract: VALIDATORS_CONTRACT,
    key: utf8("validators"),
    codec: validatorRegistryCodec,
  } satisfies Row<ValidatorRegistry>,
  /** `ready/` ‖ address of a node: height of the block that it last proved to know. */
  ready: (address: Address): Row<Height> => ({
    contract: VALIDATORS_CONTRACT,
    key: readyKey(address),
    codec: heightCodec,
  }),
  /** Who missed turns as primary, and who is skipped for it; absent until somebody missed one. */
  skipList: {
    contract: VALIDATORS_CONTRACT,
    key: utf8("skip-list"),
    codec: skipListCodec,
  } satisfies Row<SkipList>,
  parameters: {
    contract: PARAMETERS_CONTRACT,
    key: utf8("parameters"),
    codec: parametersCodec,
  } satisfies Row<Parameters>,
  contractNames: {
    contract: CONTRACTS_CONTRACT,
    key: utf8("names"),
    codec: contractNamesCodec,
  } satisfies Row<readonly string[]>,
  /** `versions/` ‖ name. */
  contractVersions: (name: string): Row<ContractVersions> => ({
    contract: CONTRACTS_CONTRACT,
    key: key("versions/", utf8(name)),
    codec: contractVersionsCodec,
  }),
  /** `version/` ‖ name ‖ 0 ‖ version. */
  installed: (name: string, version: string): Row<InstalledContract> => ({
    contract: CONTRACTS_CONTRACT,
    key: key("version/", utf8(name), ZERO, utf8(version)),
    codec: installedContractCodec,
  }),
  /** `usage/` ‖ name: what the contract's state came to after the last block that changed it. */
  usage: (name: string): Row<StateUsage> => ({
    contract: CONTRACTS_CONTRACT,
    key: key("usage/", utf8(name)),
    codec: stateUsageCodec,
  }),
  /** `quota/` ‖ name: what governance permits the contract; absent: what the parameters say. */
  quota: (name: string): Row<StateUsage> => ({
    contract: CONTRACTS_CONTRACT,
    key: key("quota/", utf8(name)),
    codec: stateUsageCodec,
  }),
  governanceRules: {
    contract: GOVERNANCE_CONTRACT,
    key: GOVERNANCE_RULES_KEY,
    codec: governanceRulesCodec,
  } satisfies Row<GovernanceRules>,
  /** Absent until the first proposal. */
  openProposals: {
    contract: GOVERNANCE_CONTRACT,
    key: utf8("open"),
    codec: openProposalsCodec,
  } satisfies Row<OpenProposals>,
  /** Absent until the first emergency. */
  restrictions: {
    contract: GOVERNANCE_CONTRACT,
    key: utf8("restrictions"),
    codec: restrictionsCodec,
  } satisfies Row<readonly Restriction[]>,
  /** Absent until the first contribution. */
  contributions: {
    contract: GOVERNANCE_CONTRACT,
    key: CONTRIBUTIONS_KEY,
    codec: contributionsCodec,
  } satisfies Row<readonly Contribution[]>,
  /** `proposal/` ‖ u64 number. */
  proposal: (number: number): Row<Proposal> => ({
    contract: GOVERNANCE_CONTRACT,
    key: proposalKey(number),
    codec: proposalCodec,
  }),
  /** `args/` ‖ u64 number. */
  proposalArgs: (number: number): Row<Uint8Array> => ({
    contract: GOVERNANCE_CONTRACT,
    key: proposalArgsKey(number),
    codec: bytesUpTo(MAX_PROPOSAL_BYTES),
  }),
  /** `events/` ‖ u64 number: what its execution emitted; absent: nothing. */
  proposalEvents: (number: number): Row<readonly Event[]> => ({
    contract: GOVERNANCE_CONTRACT,
    key: proposalEventsKey(number),
    codec: proposalEventsCodec,
  }),
  /** `delegates/` ‖ organisation. */
  delegates: (organization: string): Row<readonly Address[]> => ({
    contract: GOVERNANCE_CONTRACT,
    key: key("delegates/", utf8(organization)),
    codec: delegatesCodec,
  }),
  /** Names of all feeds of outside data. */
  feedNames: {
    contract: ORACLES_CONTRACT,
    key: utf8("feeds"),
    codec: list(text(64), MAX_FEEDS),
  } satisfies Row<readonly string[]>,
  /** `feed/` ‖ name. */
  feed: (name: string): Row<OracleFeed> => ({
    contract: ORACLES_CONTRACT,
    key: key("feed/", utf8(name)),
    codec: oracleFeedCodec,
  }),
  /** `observation/` ‖ name ‖ 0 ‖ publisher: its last one. */
  observation: (name: string, publisher: Address): Row<Observation> => ({
    contract: ORACLES_CONTRACT,
    key: key("observation/", utf8(name), ZERO, publisher),
    codec: observationCodec,
  }),
  /** `scans/` ‖ name ‖ 0 ‖ version: what each organisation declared when it last approved it. */
  scans: (name: string, version: string): Row<readonly DeclaredScan[]> => ({
    contract: CONTRACTS_CONTRACT,
    key: key("scans/", utf8(name), ZERO, utf8(version)),
    codec: declaredScansCodec,
  }),
  /** `findings/` ‖ digest of the code: organisations that accept what a scan found in it. */
  acceptedFindings: (codeDigest: Digest): Row<readonly string[]> => ({
    contract: CONTRACTS_CONTRACT,
    key: key("findings/", codeDigest),
    codec: organizationNamesCodec,
  }),
  /** `manifest/` ‖ name ‖ 0 ‖ version: canonical bytes of the manifest, as they were deployed. */
  manifest: (name: string, version: string): Row<Uint8Array> => ({
    contract: CONTRACTS_CONTRACT,
    key: key("manifest/", utf8(name), ZERO, utf8(version)),
    codec: bytesUpTo(CODE_CHUNK_BYTES),
  }),
  /** `code/` ‖ digest of the code ‖ index: a piece of it. */
  code: (digest: Digest, index: number): Row<Uint8Array> => ({
    contract: CONTRACTS_CONTRACT,
    key: key("code/", digest, Uint8Array.of(index)),
    codec: bytesUpTo(CODE_CHUNK_BYTES),
  }),
};
