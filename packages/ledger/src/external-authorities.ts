import {
  bytesUpTo,
  type Codec,
  concatBytes,
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

/*
 * Certificate authorities outside the consortium, registered (备案) by its decision: whom they
 * certified becomes a member under that certificate. GB/T standard row S-9.7-2.
 */

/** Roles that a member may have under an outside certificate: nodes and admins have their own CA's. */
export const externalRoles = [
  "enterprise",
  "individual",
  "institution",
  "auditor",
  "regulator",
] as const;
export type ExternalRole = (typeof externalRoles)[number];

/** Most outside authorities, withdrawn ones included. */
export const MAX_EXTERNAL_AUTHORITIES = 16;
/** Most certificates from an outside root to the CA that issues. */
export const MAX_EXTERNAL_CHAIN = 3;
/** Holders of a withdrawn authority that one block revokes. */
export const EXTERNAL_SWEEP = 100;
const MAX_CERTIFICATE_BYTES = 4 * 1024;

/** `members.registerExternalAuthority`, a constitutional decision. */
export interface RegisterExternalAuthorityArgs {
  readonly name: string;
  /** DER: the root first, the CA that issues last; one certificate where the root issues. */
  readonly certificates: readonly Uint8Array[];
  readonly roles: readonly ExternalRole[];
}
const chainCodec = list(bytesUpTo(MAX_CERTIFICATE_BYTES), MAX_EXTERNAL_CHAIN);
const rolesCodec = list(oneOf(...externalRoles), externalRoles.length);
export const registerExternalAuthorityArgsCodec: Codec<RegisterExternalAuthorityArgs> = struct({
  name: text(64),
  certificates: chainCodec,
  roles: rolesCodec,
});

/** `members.withdrawExternalAuthority`, an ordinary decision, and `.externalAuthority`. */
export interface ExternalAuthorityNameArgs {
  readonly name: string;
}
export const externalAuthorityNameArgsCodec: Codec<ExternalAuthorityNameArgs> = struct({
  name: text(64),
});

/** `members.enrollExternal`: by an admin for its organisation, which answers for the role. */
export interface EnrollExternalArgs {
  readonly authority: string;
  readonly role: ExternalRole;
  readonly certificate: Uint8Array;
}
export const enrollExternalArgsCodec: Codec<EnrollExternalArgs> = struct({
  authority: text(64),
  role: oneOf(...externalRoles),
  certificate: bytesUpTo(MAX_CERTIFICATE_BYTES),
});

/** `members.renewExternal`: another certificate of the same authority over the member's last key. */
export interface RenewExternalArgs {
  readonly certificate: Uint8Array;
}
export const renewExternalArgsCodec: Codec<RenewExternalArgs> = struct({
  certificate: bytesUpTo(MAX_CERTIFICATE_BYTES),
});

/** `members.registerExternalList`: makes the authority's CRL (DER) count on chain; by any admin. */
export interface RegisterExternalListArgs {
  readonly authority: string;
  readonly revocationList: Uint8Array;
}
export const registerExternalListArgsCodec: Codec<RegisterExternalListArgs> = struct({
  authority: text(64),
  revocationList: bytesUpTo(128 * 1024),
});

/** An outside authority as the chain knows it. */
export interface ExternalAuthority extends RegisterExternalAuthorityArgs {
  readonly registeredAt: Height;
  /** Block of its withdrawal: nothing of it is taken any more. */
  readonly withdrawnAt: Height | null;
  /** Date of the last list that was registered; 0: none was. */
  readonly revocationListMs: number;
  /** How many certificates of it were ever enrolled. */
  readonly holders: number;
}
export const externalAuthorityCodec: Codec<ExternalAuthority> = struct({
  name: text(64),
  certificates: chainCodec,
  roles: rolesCodec,
  registeredAt: heightCodec,
  withdrawnAt: nullable(heightCodec),
  revocationListMs: u53,
  holders: u32,
});
export const externalNamesCodec: Codec<readonly string[]> = list(
  text(64),
  MAX_EXTERNAL_AUTHORITIES,
);

/** State key, under `members`, of an outside authority. */
export function externalAuthorityKey(name: string): Uint8Array {
  return concatBytes(utf8("external/"), utf8(name));
}

/** State key, under `members`, of the names of all outside authorities. */
export const EXTERNAL_NAMES_KEY: Uint8Array = utf8("external-names");
