import { ROLES, type Role } from "@credlink/crypto";
import {
  type Address,
  addressCodec,
  bytes,
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
  u53,
  utf8,
} from "@credlink/primitives";

/** Name of the built-in contract whose state is the member registry. */
export const MEMBERS_CONTRACT = "members";
/** Name of the built-in contract whose state is the validator registry. */
export const VALIDATORS_CONTRACT = "validators";
/** Name of the built-in contract whose state is the contract registry. */
export const CONTRACTS_CONTRACT = "contracts";
/** Name of the built-in contract whose state is the consensus-critical parameters. */
export const PARAMETERS_CONTRACT = "parameters";
/** Name of the built-in contract that takes outside data in. */
export const ORACLES_CONTRACT = "oracles";
/** Name of the built-in contract in which the consortium decides. */
export const GOVERNANCE_CONTRACT = "governance";
/** Version of every built-in contract; transactions name it. */
export const BUILT_IN_VERSION = "1.0.0";

const builtInContracts: ReadonlySet<string> = new Set([
  MEMBERS_CONTRACT,
  VALIDATORS_CONTRACT,
  CONTRACTS_CONTRACT,
  PARAMETERS_CONTRACT,
  ORACLES_CONTRACT,
  GOVERNANCE_CONTRACT,
]);

/** Whether the name belongs to the node itself; no deployed contract may take it. */
export function isBuiltInContract(name: string): boolean {
  return builtInContracts.has(name);
}

/** A member has one of the roles that certificates name. */
export const memberRoles = ROLES;
export type MemberRole = Role;

/** Roles of nodes' keys, which may call built-in contracts only. */
export function isNodeRole(role: MemberRole): boolean {
  return role === "validator" || role === "observer" || role === "regulator-node";
}

/** Only an active member transacts; nothing leads out of the last two. */
export const memberStatuses = [
  "applied",
  "verified",
  "active",
  "suspended",
  "left",
  "revoked",
] as const;
export type MemberStatus = (typeof memberStatuses)[number];

/** Most keys that one member has in its life, the first included. */
export const MAX_MEMBER_KEYS = 64;

export interface MemberKey {
  /** First height at which envelopes are judged by this key. */
  readonly fromHeight: Height;
  /** 65 bytes, uncompressed. */
  readonly publicKey: Uint8Array;
}

/** One member as the registry keeps it, at `memberKey(address)` in `MEMBERS_CONTRACT`. */
export interface Member {
  readonly address: Address;
  readonly organization: string;
  readonly role: MemberRole;
  readonly status: MemberStatus;
  /** Ascending by height; the last one at or below the judged height counts. None: nobody signs. */
  readonly keys: readonly MemberKey[];
  /** SM3 of the certificate's DER; null for relation keys, which an institution attests. */
  readonly certificateDigest: Digest | null;
  /** Who enrolled it; null for members of genesis. */
  readonly enrolledBy: Address | null;
  /** Block time must lie in [validFromMs, validToMs). */
  readonly validFromMs: number;
  readonly validToMs: number;
}

export const memberCodec: Codec<Member> = struct({
  address: addressCodec,
  organization: text(64),
  role: oneOf(...memberRoles),
  status: oneOf(...memberStatuses),
  keys: list(struct({ fromHeight: heightCodec, publicKey: bytes(65) }), MAX_MEMBER_KEYS),
  certificateDigest: nullable(digestCodec),
  enrolledBy: nullable(addressCodec),
  validFromMs: u53,
  validToMs: u53,
});

/** State key of a member's record in `MEMBERS_CONTRACT`: "member/" and the address. */
export function memberKey(address: Address): Uint8Array {
  return concatBytes(MEMBER_PREFIX, address);
}

const MEMBER_PREFIX = utf8("member/");

/**
 * State key in `MEMBERS_CONTRACT` that names the owner of a key which does not give its address: "key/"
 * and the address that the key would give. There stands the owner's address.
 */
export function keyOwnerKey(addressOfKey: Address): Uint8Array {
  return concatBytes(KEY_PREFIX, addressOfKey);
}

const KEY_PREFIX = utf8("key/");

/** State key in `MEMBERS_CONTRACT` of what a member's identity rests on: "identity/" and the address. */
export function identityKey(address: Address): Uint8Array {
  return concatBytes(IDENTITY_PREFIX, address);
}

const IDENTITY_PREFIX = utf8("identity/");

/** The key by which a member's envelopes are judged at a height; null when it has none yet. */
export function memberKeyAt({ keys }: Pick<Member, "keys">, at: number): Uint8Array | null {
  return keys.findLast(({ fromHeight }) => fromHeight <= at)?.publicKey ?? null;
}
