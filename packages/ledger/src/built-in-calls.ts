import {
  type Address,
  addressCodec,
  bytes,
  bytesUpTo,
  type Codec,
  concatBytes,
  type Digest,
  digestCodec,
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
import { type Misbehaviour, misbehaviourCodec } from "./evidence.ts";
import { type Parameters, parametersCodec } from "./genesis.ts";
import { type MemberRole, type MemberStatus, memberRoles, memberStatuses } from "./member.ts";

/** Most certificates or keys that one enrolment carries. */
export const MAX_ENROLMENTS = 64;

/** `members.enroll`: members by certificate of a registered organisation CA. */
export interface EnrollArgs {
  readonly certificates: readonly Uint8Array[];
}
export const enrollArgsCodec: Codec<EnrollArgs> = struct({
  certificates: list(bytesUpTo(4 * 1024), MAX_ENROLMENTS),
});

/**
 * A fresh key for one member in one framework or service contract: nobody outside the relation
 * learns whose it is. `role` is `enterprise` or `individual`.
 */
export interface RelationKey {
  readonly publicKey: Uint8Array;
  readonly role: MemberRole;
  readonly validFromMs: number;
  readonly validToMs: number;
}

/** `members.registerRelationKeys`, by an institution. */
export interface RegisterRelationKeysArgs {
  readonly keys: readonly RelationKey[];
}
export const registerRelationKeysArgsCodec: Codec<RegisterRelationKeysArgs> = struct({
  keys: list(
    struct({
      publicKey: bytes(65),
      role: oneOf(...memberRoles),
      validFromMs: u53,
      validToMs: u53,
    }),
    MAX_ENROLMENTS,
  ),
});

/** `members.setStatus`: suspend, reactivate, let go or revoke one member. */
export interface SetMemberStatusArgs {
  readonly address: Address;
  readonly status: MemberStatus;
}
export const setMemberStatusArgsCodec: Codec<SetMemberStatusArgs> = struct({
  address: addressCodec,
  status: oneOf(...memberStatuses),
});

/** `members.registerRevocationList`: makes an organisation CA's CRL (DER) count on chain. */
export interface RegisterRevocationListArgs {
  readonly revocationList: Uint8Array;
}
export const registerRevocationListArgsCodec: Codec<RegisterRevocationListArgs> = struct({
  revocationList: bytesUpTo(128 * 1024),
});

/** `members.get`: returns `memberCodec`. */
export interface GetMemberArgs {
  readonly address: Address;
}
export const getMemberArgsCodec: Codec<GetMemberArgs> = struct({ address: addressCodec });

/**
 * `validators.change`: signed by admins of more than half of the organisations. Takes effect two
 * heights later; at most max(1, f) changes a block. Who is added is a member and said `ready`.
 */
export interface ChangeValidatorsArgs {
  readonly add: readonly {
    readonly nodeId: string;
    readonly peerId: string;
    /** DER of the node's certificate, role `validator`. */
    readonly certificate: Uint8Array;
  }[];
  /** Node ids. */
  readonly remove: readonly string[];
}
export const changeValidatorsArgsCodec: Codec<ChangeValidatorsArgs> = struct({
  add: list(struct({ nodeId: text(64), peerId: text(128), certificate: bytesUpTo(4 * 1024) }), 16),
  remove: list(text(64), 16),
});

/**
 * `validators.recover`, by a validator's own key: puts a nonce on chain that the validator made after
 * it had lost its vote log. What it forgot is older than the block.
 */
export interface RecoverArgs {
  /** 32 random bytes, made anew at every start in abstention and never written to disk. */
  readonly nonce: Uint8Array;
}
export const recoverArgsCodec: Codec<RecoverArgs> = struct({ nonce: bytes(32) });

/** Topic of the event of `validators.recover`; data: `recoveredCodec`. */
export const VALIDATOR_RECOVERED_TOPIC = "recovered";
export const recoveredCodec: Codec<{ readonly nodeId: string; readonly nonce: Uint8Array }> =
  struct({ nodeId: text(128), nonce: bytes(32) });

/** Records in one answer of `validators.evidence`. */
export const MAX_LISTED_EVIDENCE = 16;
/** Most records that it leaves out; no height has as many. */
export const MAX_SKIPPED_EVIDENCE = 240;

/** `validators.evidence`, read-only: recorded misbehaviour from a height on, ascending. */
export interface ListEvidenceArgs {
  readonly fromHeight: Height;
  /** Records to leave out, at most `MAX_SKIPPED_EVIDENCE`: who reads on begins at the last height. */
  readonly skip: number;
}
export const listEvidenceArgsCodec: Codec<ListEvidenceArgs> = struct({
  fromHeight: heightCodec,
  skip: u32,
});

/** What `validators.evidence` returns. */
export const misbehaviourListCodec: Codec<readonly Misbehaviour[]> = list(
  misbehaviourCodec,
  MAX_LISTED_EVIDENCE,
);

/**
 * `validators.ready`, by a node's own key: it has followed the chain up to this block. A node is
 * only added while its word is at most `ANCESTOR_WINDOW` blocks old.
 */
export interface ReadyArgs {
  readonly height: Height;
  readonly digest: Digest;
}
/** Where `VALIDATORS_CONTRACT` keeps the highest height that a node said: "ready/" and its address. */
export function readyKey(address: Address): Uint8Array {
  return concatBytes(READY_PREFIX, address);
}

const READY_PREFIX = utf8("ready/");

export const readyArgsCodec: Codec<ReadyArgs> = struct({
  height: heightCodec,
  digest: digestCodec,
});

/** `parameters.set`: signed by admins of more than half of the organisations. */
export interface SetParametersArgs {
  readonly parameters: Parameters;
}
export const setParametersArgsCodec: Codec<SetParametersArgs> = struct({
  parameters: parametersCodec,
});

/** What the scan of a contract came to, as an organisation declares it when it signs. */
export interface ScanDeclaration {
  /** Digest of the rules by which it was judged. */
  readonly ruleSet: Digest;
  /** SM3 of the report, which stays with the organisation. */
  readonly report: Digest;
  /** Findings of high severity in it. */
  readonly high: number;
}
export const scanDeclarationCodec: Codec<ScanDeclaration> = struct({
  ruleSet: digestCodec,
  report: digestCodec,
  high: u32,
});

/** A module and its manifest under (name, version). */
export interface ContractDeployment {
  readonly name: string;
  readonly version: string;
  readonly code: Uint8Array;
  readonly manifest: Uint8Array;
}

/** `contracts.install`: puts code and manifest on chain, not yet callable. */
export interface InstallContractArgs extends ContractDeployment {
  readonly scan: ScanDeclaration;
}
export const installContractArgsCodec: Codec<InstallContractArgs> = struct({
  name: text(64),
  version: text(32),
  code: bytesUpTo(200 * 1024),
  manifest: bytesUpTo(32 * 1024),
  scan: scanDeclarationCodec,
});

/** `contracts.approve`: of one installed version, by its code's digest. */
export interface ApproveContractArgs extends ContractVersionArgs {
  readonly scan: ScanDeclaration;
}

/** `contracts.start`, `.stop`: of one installed version, by its code's digest. */
export interface ContractVersionArgs {
  readonly name: string;
  readonly version: string;
  readonly codeDigest: Digest;
}
export const contractVersionArgsCodec: Codec<ContractVersionArgs> = struct({
  name: text(64),
  version: text(32),
  codeDigest: digestCodec,
});

export const approveContractArgsCodec: Codec<ApproveContractArgs> = struct({
  name: text(64),
  version: text(32),
  codeDigest: digestCodec,
  scan: scanDeclarationCodec,
});

/** Keys, and bytes of keys and values, of one contract's state: held, or permitted. */
export interface StateUsage {
  readonly entries: number;
  readonly bytes: number;
}
export const stateUsageCodec: Codec<StateUsage> = struct({ entries: u53, bytes: u53 });

/**
 * `contracts.setQuota`: signed by admins of more than half of the organisations. From the next
 * block on the contract may hold that much; null: as much as the parameters say again.
 */
export interface SetQuotaArgs {
  readonly name: string;
  readonly quota: StateUsage | null;
}
export const setQuotaArgsCodec: Codec<SetQuotaArgs> = struct({
  name: text(64),
  quota: nullable(stateUsageCodec),
});

/** `contracts.usage`, read-only: what a contract held before this block, and may hold. */
export interface ContractUsageArgs {
  readonly name: string;
}
export const contractUsageArgsCodec: Codec<ContractUsageArgs> = struct({ name: text(64) });

export interface ContractUsage {
  readonly used: StateUsage;
  readonly quota: StateUsage;
}
export const contractUsageCodec: Codec<ContractUsage> = struct({
  used: stateUsageCodec,
  quota: stateUsageCodec,
});
