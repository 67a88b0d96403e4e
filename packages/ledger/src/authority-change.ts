/** CAs of organisations that follow one another, and how long what the earlier ones certified counts. */
import {
  type Address,
  bool,
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
  struct,
  text,
  u32,
  u53,
  utf8,
} from "@credlink/primitives";
import type { Member } from "./member.ts";

/** Most CAs of one organisation that another one followed, in the life of a chain. */
export const MAX_FORMER_AUTHORITIES = 16;
/** Most members whose certificates a replacement brings along. */
export const MAX_CARRIED_CERTIFICATES = 32;
/** Longest time for which certificates of a former CA count on: as long as any of them lasts. */
export const MAX_AUTHORITY_KEEP_MS = 1_096 * 86_400_000;

/** `members.replaceAuthority`, a constitutional decision: another CA for an organisation. */
export interface ReplaceAuthorityArgs {
  readonly organization: string;
  /** DER of the CA's certificate, issued by a root of genesis. */
  readonly authorityCertificate: Uint8Array;
  /**
   * Block time from which certificates of the CA before count no more; now or earlier: at once. Null,
   * and only then, when the key stays: it is the same CA, and what it certified stays.
   */
  readonly keepUntilMs: number | null;
  /** DER, by the new CA: over keys of members, which get them, or of members to be added. */
  readonly certificates: readonly Uint8Array[];
}
export const replaceAuthorityArgsCodec: Codec<ReplaceAuthorityArgs> = struct({
  organization: text(64),
  authorityCertificate: bytesUpTo(8 * 1024),
  keepUntilMs: nullable(u53),
  certificates: list(bytesUpTo(4 * 1024), MAX_CARRIED_CERTIFICATES),
});

/** A CA that another key followed. */
export interface FormerAuthority {
  /** SM3 of its certificate's DER. */
  readonly certificateDigest: Digest;
  /** 65 bytes, uncompressed: of its revocation lists, which are taken until `untilMs`. */
  readonly publicKey: Uint8Array;
  /** Whether its certificate permits it to sign lists. */
  readonly signsLists: boolean;
  /** When its last registered list was issued, 0 without. */
  readonly revocationListMs: number;
  /** Block time from which its certificates count no more. */
  readonly untilMs: number;
  readonly replacedAt: Height;
}

/** At `formerAuthoritiesKey`: oldest first; absent as long as genesis's CA has its key. */
export const formerAuthoritiesCodec: Codec<readonly FormerAuthority[]> = list(
  struct({
    certificateDigest: digestCodec,
    publicKey: bytes(65),
    signsLists: bool,
    revocationListMs: u53,
    untilMs: u53,
    replacedAt: heightCodec,
  }),
  MAX_FORMER_AUTHORITIES,
);

/** At `certifiedUnderKey`: how many CAs the one that certified a member followed; absent: none. */
export const certifiedUnderCodec: Codec<number> = u32;

/** In its place of a member that an authority outside the consortium certified: no CA of ours ends it. */
export const CERTIFIED_OUTSIDE = 0xffff_ffff;

/** Topic of the event of a replaced CA; data: `authorityChangedCodec`. */
export const AUTHORITY_CHANGED_TOPIC = "authority";
export const authorityChangedCodec: Codec<{
  readonly organization: string;
  readonly certificateDigest: Digest;
  readonly keepUntilMs: number | null;
}> = struct({ organization: text(64), certificateDigest: digestCodec, keepUntilMs: nullable(u53) });

/** State key in `MEMBERS_CONTRACT`: "former-authorities/" and the organisation's name. */
export function formerAuthoritiesKey(organization: string): Uint8Array {
  return concatBytes(utf8("former-authorities/"), utf8(organization));
}

/** State key in `MEMBERS_CONTRACT`: "certified-under/" and the member's address. */
export function certifiedUnderKey(address: Address): Uint8Array {
  return concatBytes(utf8("certified-under/"), address);
}

/** What the state has on the CAs that certified members. */
export interface AuthorityReader {
  formerAuthorities(organization: string): readonly FormerAuthority[] | null;
  certifiedUnder(address: Address): number | null;
}

/**
 * The member with the validity that its CA leaves it: what a former CA certified ends when that CA does.
 * Members without a certificate are attested by their institution, and keep theirs.
 */
export function withinAuthority(member: Member, read: AuthorityReader): Member {
  if (member.certificateDigest === null) return member;
  const former = read.formerAuthorities(member.organization);
  if (former === null) return member;
  const authority = former[read.certifiedUnder(member.address) ?? 0];
  if (authority === undefined || member.validToMs <= authority.untilMs) return member;
  return { ...member, validToMs: authority.untilMs };
}
