import { z } from "zod";

const hex = z.string().regex(/^[0-9a-f]+$/);
const time = z.number().int();

/** Reasons for which an authority revokes; others mean nothing on chain, where it is for good. */
export const REVOCATION_REASONS = [
  "unspecified",
  "keyCompromise",
  "caCompromise",
  "affiliationChanged",
  "superseded",
  "cessationOfOperation",
  "privilegeWithdrawn",
] as const;

export type IssuedRevocationReason = (typeof REVOCATION_REASONS)[number];

/**
 * What stands in `issuance.log`: all that the authority must never forget. Lines are only added;
 * what is the case now follows from them in their order (`IssuanceState`).
 */
export const issuanceRecord = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("created"),
    kind: z.enum(["root", "organization"]),
    organization: z.string(),
    /** DER, base64. */
    certificate: z.string(),
  }),
  z.strictObject({
    type: z.literal("issued"),
    /** DER, base64. */
    certificate: z.string(),
    /** Serial number of the certificate that this one takes the place of. */
    replaces: hex.nullable(),
    /** Id of the one-time code that approved it. */
    code: hex.nullable(),
  }),
  z.strictObject({
    type: z.literal("revoked"),
    serialNumber: hex,
    reason: z.enum(REVOCATION_REASONS),
    atMs: time,
  }),
  z.strictObject({
    type: z.literal("code"),
    id: hex,
    /** Common name of the certificate that it may renew. */
    for: z.string(),
    /** Checks proofs of the code; the code itself is nowhere. */
    stored: hex,
    endsMs: time,
  }),
  z.strictObject({ type: z.literal("code-failed"), id: hex }),
  z.strictObject({
    type: z.literal("list"),
    number: z.number().int().min(1),
    thisUpdateMs: time,
    nextUpdateMs: time,
    /** SM3 of the DER in `list-⟨number⟩.crl`. */
    fingerprint: hex,
  }),
]);

export type IssuanceRecord = z.infer<typeof issuanceRecord>;

/** What stands in `audit.log`: every act, also those that were refused. */
export interface AuditEntry {
  readonly act: string;
  /** User of the machine and process that acted, or what a service's caller proved to be. */
  readonly actor: string;
  /** `ok`, or the code of the refusal. */
  readonly outcome: string;
  readonly [detail: string]: string | number | boolean | null;
}
