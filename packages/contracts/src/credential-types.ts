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
] as const;
export type CredentialRelation = (typeof credentialRelations)[number];

/** Status of a stored credential; expiry shows in its validity, not here. */
export const credentialStatuses = ["active", "on-hold", "revoked", "corrected"] as const;
export type CredentialStatus = (typeof credentialStatuses)[number];

/** The five families, as tables and metrics group by them. */
export const credentialFamilies = ["identity", "contract", "transaction", "bill", "risk"] as const;
export type CredentialFamily = (typeof credentialFamilies)[number];

/** The family of a type: what stands before its dot. */
export function familyOf(type: CredentialType): CredentialFamily {
  const name = type.slice(0, type.indexOf("."));
  for (const family of credentialFamilies) if (family === name) return family;
  throw new RangeError(`no family of ${type}`);
}
