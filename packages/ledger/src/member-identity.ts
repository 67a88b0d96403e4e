import { taggedSm3 } from "@credlink/crypto";
import {
  type Address,
  addressCodec,
  bytes,
  type Codec,
  type Digest,
  digestCodec,
  encode,
  list,
  nullable,
  oneOf,
  struct,
  text,
  u32,
  u53,
} from "@credlink/primitives";
import { type Member, type MemberRole, memberCodec, memberRoles } from "./member.ts";
import type { ProvenKey } from "./member-calls.ts";

/** What a person or an enterprise shows of itself. */
export const identityEvidenceKinds = [
  "identity-card",
  "credit-code",
  "passport",
  "certificate",
] as const;
export type IdentityEvidenceKind = (typeof identityEvidenceKinds)[number];

/** Bytes of the salt that keeps a short number from being guessed by its digest. */
export const EVIDENCE_SALT_BYTES = 32;
/** Most pieces of evidence in a member's record. */
export const MAX_IDENTITY_EVIDENCE = 8;

const shownCodec: Codec<{ readonly kind: IdentityEvidenceKind; readonly value: string }> = struct({
  kind: oneOf(...identityEvidenceKinds),
  value: text(256),
});

/**
 * What stands on chain for a value that was shown: SM3 over a fresh salt of 32 random bytes, the
 * kind and the value. The salt and the value stay with the verifier.
 */
export function identityEvidenceDigest(
  shown: { readonly kind: IdentityEvidenceKind; readonly value: string },
  salt: Uint8Array,
): Digest {
  return taggedSm3("credlink/identity-evidence/1", salt, encode(shownCodec, shown));
}

/** One piece of evidence: what was shown, as a digest, and who looked at it when. */
export interface IdentityEvidence {
  readonly kind: IdentityEvidenceKind;
  readonly digest: Digest;
  readonly verifier: Address;
  /** Time of the block, milliseconds. */
  readonly verifiedAtMs: number;
}
export const identityCodec: Codec<readonly IdentityEvidence[]> = list(
  struct({
    kind: oneOf(...identityEvidenceKinds),
    digest: digestCodec,
    verifier: addressCodec,
    verifiedAtMs: u53,
  }),
  MAX_IDENTITY_EVIDENCE,
);

/**
 * `members.apply`, by an admin or an institution: a person or an enterprise wants to become a member
 * under a key of its own. `role` is `enterprise` or `individual`.
 */
export interface ApplyArgs extends ProvenKey {
  readonly role: MemberRole;
  readonly validFromMs: number;
  readonly validToMs: number;
}
export const applyArgsCodec: Codec<ApplyArgs> = struct({
  publicKey: bytes(65),
  possession: bytes(64),
  role: oneOf(...memberRoles),
  validFromMs: u53,
  validToMs: u53,
});

/** `members.verify`: what its verifier saw of an applicant, or sees again of a member. */
export interface VerifyMemberArgs {
  readonly address: Address;
  readonly evidence: readonly Pick<IdentityEvidence, "kind" | "digest">[];
}
export const verifyMemberArgsCodec: Codec<VerifyMemberArgs> = struct({
  address: addressCodec,
  evidence: list(
    struct({ kind: oneOf(...identityEvidenceKinds), digest: digestCodec }),
    MAX_IDENTITY_EVIDENCE,
  ),
});

/** Most members on a page of `members.list`. */
export const MAX_LISTED_MEMBERS = 32;

/** `members.list`, read-only: members by ascending address, from one on. */
export interface ListMembersArgs {
  /** First address; null: from the beginning. */
  readonly from: Address | null;
  /** 1 to `MAX_LISTED_MEMBERS`. */
  readonly limit: number;
}
export const listMembersArgsCodec: Codec<ListMembersArgs> = struct({
  from: nullable(addressCodec),
  limit: u32,
});

/** A page of members, each with its last key alone. */
export const memberListCodec: Codec<readonly Member[]> = list(memberCodec, MAX_LISTED_MEMBERS);
