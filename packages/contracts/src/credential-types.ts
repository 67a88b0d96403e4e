/** Every type of credential that the contract knows, families in order of dependence. */
export const credentialTypes = [
  "identity.institution",
  "identity.enterprise",
  "identity.individual",
  "contract.framework",
  "contract.service",
  "transaction.task",
  "transaction.acceptance",
  "transaction.settlement",
  "transaction.payment",
  "bill.invoice",
  "bill.red-invoice",
  "bill.tax",
  "bill.insurance",
  "risk.assessment",
  "risk.alert",
  "risk.action",
  "risk.report",
  "arbitration.case",
  "arbitration.verdict",
  "grant.access",
] as const;
export type CredentialType = (typeof credentialTypes)[number];

/** How a credential refers to a parent; the table of references says which may. */
export const credentialRelations = [
  "attestedBy",
  "party",
  "underContract",
  "accepts",
  "settles",
  "pays",
  "invoices",
  "reverses",
  "withholds",
  "assesses",
  "holds",
  "releases",
  "evidence",
  "concerns",
  "appeals",
  "decides",
  "revokes",
  "amends",
  "grants",
] as const;
export type CredentialRelation = (typeof credentialRelations)[number];

/** Status of a stored credential; expiry shows in its validity, not here. */
export const credentialStatuses = ["active", "on-hold", "revoked", "corrected", "closed"] as const;
export type CredentialStatus = (typeof credentialStatuses)[number];

/** Status of a proposal, as it is stored; `lapsed` shows only in what `status` answers. */
export const proposalStatuses = ["proposed", "co-signing", "declined", "withdrawn"] as const;
export type ProposalStatus = (typeof proposalStatuses)[number];

/** The five families of business, and the two that are about all of them. */
export const credentialFamilies = [
  "identity",
  "contract",
  "transaction",
  "bill",
  "risk",
  "arbitration",
  "grant",
] as const;
export type CredentialFamily = (typeof credentialFamilies)[number];

/** The family of a type: what stands before its dot. */
export function familyOf(type: CredentialType): CredentialFamily {
  const name = type.slice(0, type.indexOf("."));
  for (const family of credentialFamilies) if (family === name) return family;
  throw new RangeError(`no family of ${type}`);
}
