import type { CredentialRefusalCode } from "../../src/index.ts";

/**
 * Which suite meets which refusals, beside those of refusals.test.ts: each suite proves its own
 * list, and refusals.test.ts that no code is left over.
 */
export const codesBySuite = {
  amounts: ["CREDENTIAL_SUM_MISMATCH"],
  proposals: [
    "CREDENTIAL_ALREADY_SIGNED",
    "CREDENTIAL_PARENT_PROPOSED",
    "CREDENTIAL_PROPOSAL_CLOSED",
    "CREDENTIAL_PROPOSAL_DIGEST",
    "CREDENTIAL_PROPOSAL_LAPSED",
    "CREDENTIAL_PROPOSAL_TERM",
    "CREDENTIAL_SIGNER_INACTIVE",
    "CREDENTIAL_SIGNER_NOT_WANTED",
  ],
  arbitration: [
    "CREDENTIAL_ALREADY_APPEALED",
    "CREDENTIAL_ARBITRATORS_INVALID",
    "CREDENTIAL_CASE_CLOSED",
    "CREDENTIAL_CASE_OPEN",
    "CREDENTIAL_CASE_TARGET",
    "CREDENTIAL_VERDICT_ACT",
  ],
  schemas: [
    "CREDENTIAL_SCHEMA_EXISTS",
    "CREDENTIAL_SCHEMA_INCOMPATIBLE",
    "CREDENTIAL_SCHEMA_WITHDRAWN",
  ],
  public: ["CREDENTIAL_PUBLIC_LEVEL", "CREDENTIAL_PUBLIC_MISMATCH", "CREDENTIAL_PUBLIC_TOO_LARGE"],
  grants: [
    "CREDENTIAL_CONSENT_MISSING",
    "CREDENTIAL_GRANT_ACTION",
    "CREDENTIAL_GRANT_EXHAUSTED",
    "CREDENTIAL_GRANT_FOREIGN",
    "CREDENTIAL_GRANT_PURPOSE",
    "CREDENTIAL_GRANT_TARGET",
    "CREDENTIAL_GRANT_TERM",
  ],
} as const satisfies Record<string, readonly CredentialRefusalCode[]>;

/** Codes of a suite's list that it did not meet. */
export function missingCodes(
  suite: keyof typeof codesBySuite,
  seen: ReadonlySet<string>,
): readonly string[] {
  return codesBySuite[suite].filter((code) => !seen.has(code));
}
