import { isCreditCode, isIdentityNumber, passportNumber } from "@credlink/contracts";
import { parseCertificate, randomBytes } from "@credlink/crypto";
import {
  type ApplyArgs,
  applyArgsCodec,
  BUILT_IN_VERSION,
  EVIDENCE_SALT_BYTES,
  type IdentityEvidence,
  type IdentityEvidenceKind,
  identityCodec,
  identityEvidenceDigest,
  identityKey,
  listMembersArgsCodec,
  MAX_LISTED_MEMBERS,
  MEMBERS_CONTRACT,
  type Member,
  memberListCodec,
  verifyMemberArgsCodec,
} from "@credlink/ledger";
import {
  type Address,
  type Digest,
  encode,
  equalBytes,
  fromHex,
  toHex,
} from "@credlink/primitives";
import type { Client } from "./client.ts";
import { clientError } from "./errors.ts";
import { decodeClaim } from "./header-claims.ts";
import type { Call } from "./transactions.ts";

/** What a verifier keeps of what it saw: with it, and nothing else, the digest on chain opens. */
export interface SeenEvidence {
  readonly kind: IdentityEvidenceKind;
  /** In its normal form: upper case, without fillers; a certificate's SM3 in hexadecimal. */
  readonly value: string;
  /** 32 random bytes, hexadecimal. */
  readonly salt: string;
}

/**
 * Reads what was shown by the rules of its kind: length, alphabet and check digits (GB 11643, GB
 * 32100, ICAO 9303), or an X.509 certificate in its validity (PEM).
 *
 * @param nowMs when a certificate must be valid.
 * @returns the value in its normal form.
 * @throws ClientError CLIENT_EVIDENCE_INVALID, which does not tell the value.
 */
export function readEvidence(kind: IdentityEvidenceKind, shown: string, nowMs: number): string {
  const text = shown.trim();
  const upper = text.toUpperCase();
  switch (kind) {
    case "identity-card":
      return isIdentityNumber(upper) ? upper : refuse(kind);
    case "credit-code":
      return isCreditCode(upper) ? upper : refuse(kind);
    case "passport":
      return passportNumber(upper) ?? refuse(kind);
    case "certificate": {
      const parsed = parseCertificate(text);
      if (!parsed.ok) return refuse(`${kind} (${parsed.code})`);
      const { notBeforeMs, notAfterMs, fingerprint } = parsed.value;
      if (nowMs < notBeforeMs || nowMs >= notAfterMs + 1_000) return refuse("valid certificate");
      return toHex(fingerprint);
    }
  }
}

function refuse(what: string): never {
  throw clientError("CLIENT_EVIDENCE_INVALID", `no ${what}`);
}

/** Reads what was shown, and salts it. @throws ClientError CLIENT_EVIDENCE_INVALID */
export function seeEvidence(
  kind: IdentityEvidenceKind,
  shown: string,
  nowMs: number,
): SeenEvidence {
  const salt = toHex(randomBytes(EVIDENCE_SALT_BYTES));
  return { kind, value: readEvidence(kind, shown, nowMs), salt };
}

/** What goes on chain for it. */
export function evidenceDigest(seen: SeenEvidence): Digest {
  return identityEvidenceDigest(seen, fromHex(seen.salt));
}

function membersCall(method: string, args: Uint8Array): Call {
  const gasLimit = 2_000_000;
  return { contract: MEMBERS_CONTRACT, version: BUILT_IN_VERSION, method, args, gasLimit };
}

/** Brings an application; its key was proven by `proveKey` at place 0. */
export function applyCall(application: ApplyArgs): Call {
  return membersCall("apply", encode(applyArgsCodec, application));
}

/** Records that the sender saw this of a member. */
export function verifyMemberCall(address: Address, seen: readonly SeenEvidence[]): Call {
  const evidence = seen.map((each) => ({ kind: each.kind, digest: evidenceDigest(each) }));
  return membersCall("verify", encode(verifyMemberArgsCodec, { address, evidence }));
}

/** What a member's identity rests on, proven: also that it rests on nothing. */
export async function getIdentity(
  client: Client,
  address: Address,
): Promise<readonly IdentityEvidence[]> {
  const { value } = await client.getState(MEMBERS_CONTRACT, identityKey(address));
  return value === null ? [] : decodeClaim(identityCodec, value, "identity");
}

/** The piece of evidence on chain that what a verifier kept opens, or null. */
export function findEvidence(
  onChain: readonly IdentityEvidence[],
  seen: SeenEvidence,
): IdentityEvidence | null {
  const digest = evidenceDigest(seen);
  return onChain.find((each) => each.kind === seen.kind && equalBytes(each.digest, digest)) ?? null;
}

/**
 * Members in the order of their addresses, each with its last key alone; the node's word.
 *
 * @param after the last address of the page before, null for the first page.
 */
export async function listMembers(
  client: Client,
  after: Address | null = null,
): Promise<readonly Member[]> {
  const args = encode(listMembersArgsCodec, { from: after, limit: MAX_LISTED_MEMBERS });
  const query = { contract: MEMBERS_CONTRACT, method: "list", args };
  const { returnValue } = await client.queryContract(query);
  const page = decodeClaim(memberListCodec, returnValue, "members");
  return page.filter(({ address }) => after === null || !equalBytes(address, after));
}
