import { ROLES, type Role } from "@credlink/crypto";
import { amountPaths } from "./amounts.ts";
import {
  type CredentialRelation,
  type CredentialType,
  credentialTypes,
  familyOf,
} from "./credential-types.ts";
import { publicTypes } from "./schema-registry.ts";

/*
 * The contract's tables as data: `pnpm contracts:build` writes them into its source, the manifest
 * takes the roles of its methods from here, and the documents and tests their tables.
 */

/** What a parent is used up for, once. */
export const parentUses = ["accept", "settle", "pay", "invoice", "tax", "appeal"] as const;
export type ParentUse = (typeof parentUses)[number];

/** One line of the table of references. */
export interface ReferenceRule {
  readonly child: CredentialType;
  readonly relation: CredentialRelation;
  readonly parents: readonly CredentialType[];
  readonly fewest: number;
  readonly most: number;
  readonly use: ParentUse | null;
}

/** Identities, contracts, transactions and bills: what business is made of. */
export const businessTypes: readonly CredentialType[] = credentialTypes.filter((type) =>
  ["identity", "contract", "transaction", "bill"].includes(familyOf(type)),
);
/** What a case may be about. */
export const disputableTypes: readonly CredentialType[] = credentialTypes.filter(
  (type) => familyOf(type) !== "arbitration",
);

function rule(
  child: CredentialType,
  relation: CredentialRelation,
  parents: readonly CredentialType[],
  [fewest, most]: readonly [number, number],
  use: ParentUse | null = null,
): ReferenceRule {
  return { child, relation, parents, fewest, most, use };
}

const one = [1, 1] as const;

/** Which parents a type may have, in which relation, how many. */
export const referenceRules: readonly ReferenceRule[] = [
  rule("identity.enterprise", "attestedBy", ["identity.institution"], one),
  rule("identity.individual", "attestedBy", ["identity.institution"], one),
  rule("contract.framework", "party", ["identity.enterprise"], one),
  rule("contract.framework", "party", ["identity.institution"], one),
  rule("contract.service", "party", ["identity.individual"], one),
  rule("contract.service", "party", ["identity.institution"], one),
  rule("contract.service", "underContract", ["contract.framework"], one),
  rule("transaction.task", "underContract", ["contract.service"], one),
  rule("transaction.acceptance", "accepts", ["transaction.task"], [1, 16], "accept"),
  rule("transaction.settlement", "settles", ["transaction.acceptance"], [1, 16], "settle"),
  rule("transaction.payment", "pays", ["transaction.settlement"], one, "pay"),
  rule("bill.invoice", "invoices", ["transaction.settlement"], [1, 32], "invoice"),
  rule("bill.red-invoice", "reverses", ["bill.invoice"], one),
  rule("bill.tax", "withholds", ["transaction.payment"], [1, 32], "tax"),
  rule("bill.insurance", "underContract", ["contract.service"], one),
  rule("risk.assessment", "assesses", businessTypes, [1, 8]),
  rule("risk.assessment", "holds", businessTypes, [0, 8]),
  rule("risk.assessment", "evidence", credentialTypes, [0, 16]),
  rule("risk.alert", "assesses", businessTypes, [1, 8]),
  rule("risk.alert", "evidence", credentialTypes, [0, 16]),
  rule("risk.action", "holds", businessTypes, [0, 8]),
  rule("risk.action", "releases", businessTypes, [0, 8]),
  rule("risk.action", "evidence", credentialTypes, [0, 16]),
  rule("risk.report", "assesses", businessTypes, [1, 8]),
  rule("risk.report", "evidence", credentialTypes, [0, 16]),
  rule("arbitration.case", "concerns", disputableTypes, [1, 16]),
  rule("arbitration.case", "appeals", ["arbitration.case"], [0, 1], "appeal"),
  rule("arbitration.case", "evidence", credentialTypes, [0, 15]),
  rule("arbitration.verdict", "decides", ["arbitration.case"], one),
  rule("arbitration.verdict", "revokes", disputableTypes, [0, 16]),
  rule("arbitration.verdict", "amends", disputableTypes, [0, 16]),
  rule("arbitration.verdict", "holds", disputableTypes, [0, 16]),
  rule("grant.access", "grants", businessTypes, [1, 16]),
];

/** What is demanded of a record by its type alone. */
export interface FormRule {
  /** Roles that may issue the type. */
  readonly issuers: readonly Role[];
  readonly fewestIndexes: number;
  readonly mostIndexes: number;
  readonly amounts: number;
}

const institutions: readonly Role[] = ["institution"];
const overseers: readonly Role[] = ["institution", "regulator"];
const parties: readonly Role[] = ["institution", "enterprise", "individual"];
/** Roles of which arbitrators are: who may put a verdict on chain. */
export const arbitratorRoles: readonly Role[] = ["institution", "regulator", "auditor"];

function form(
  type: CredentialType,
  issuers: readonly Role[],
  [fewestIndexes, mostIndexes]: readonly [number, number] = [0, 0],
): FormRule {
  return { issuers, fewestIndexes, mostIndexes, amounts: amountPaths[type].length };
}

/** Who may issue a type, with how many identifiers and amounts. */
export const formRules: Readonly<Record<CredentialType, FormRule>> = {
  "identity.institution": form("identity.institution", institutions, [1, 1]),
  "identity.enterprise": form("identity.enterprise", institutions, [1, 1]),
  "identity.individual": form("identity.individual", institutions, [1, 2]),
  "contract.framework": form("contract.framework", institutions),
  "contract.service": form("contract.service", institutions),
  "transaction.task": form("transaction.task", institutions),
  "transaction.acceptance": form("transaction.acceptance", institutions),
  "transaction.settlement": form("transaction.settlement", institutions),
  "transaction.payment": form("transaction.payment", institutions, [0, 1]),
  "bill.invoice": form("bill.invoice", institutions, [1, 1]),
  "bill.red-invoice": form("bill.red-invoice", institutions, [1, 1]),
  "bill.tax": form("bill.tax", institutions),
  "bill.insurance": form("bill.insurance", institutions),
  "risk.assessment": form("risk.assessment", overseers),
  "risk.alert": form("risk.alert", overseers),
  "risk.action": form("risk.action", overseers),
  "risk.report": form("risk.report", institutions),
  "arbitration.case": form("arbitration.case", parties),
  "arbitration.verdict": form("arbitration.verdict", arbitratorRoles),
  "grant.access": form("grant.access", parties),
};

const everybody: readonly Role[] = [...ROLES];

/** The roles of several rules, in the network's order of roles. */
function union(roles: readonly Role[]): readonly Role[] {
  return ROLES.filter((role) => roles.includes(role));
}

/** Every role that may issue some type, and so send `submit`, `submitAll`, `propose` and `sign`. */
const issuing: readonly Role[] = union(Object.values(formRules).flatMap(({ issuers }) => issuers));

/** One method of the contract: what the node demands of the caller's role before it runs. */
export interface MethodRule {
  readonly name: string;
  readonly readOnly: boolean;
  readonly roles: readonly Role[];
}

function writing(name: string, roles: readonly Role[]): MethodRule {
  return { name, readOnly: false, roles: union(roles) };
}

function reading(name: string, roles: readonly Role[] = everybody): MethodRule {
  return { name, readOnly: true, roles };
}

/** The contract's methods; its manifest is made of this. */
export const methodRules: readonly MethodRule[] = [
  writing("submit", issuing),
  writing("submitAll", issuing),
  writing("propose", issuing),
  writing("sign", issuing),
  writing("decline", parties),
  writing("withdraw", issuing),
  writing("revoke", [...parties, "regulator"]),
  writing("correct", overseers),
  writing("publish", institutions),
  writing("use", issuing),
  writing("setArbitrators", ["regulator"]),
  writing("registerSchema", ["regulator"]),
  writing("withdrawSchema", ["regulator"]),
  reading("get"),
  reading("status"),
  reading("proposal"),
  reading("trace"),
  reading("uses"),
  reading("arbitrators"),
  reading("schema"),
  reading("publicData"),
  reading("lookup", overseers),
];

/** Actions on records of a type, as the access matrix has them. */
export const recordActions = [
  "submit",
  "correct",
  "revoke",
  "sign",
  "decline",
  "withdraw",
  "publish",
  "use",
] as const;
export type RecordAction = (typeof recordActions)[number];

/** Who may do something to records of a type. */
export interface AccessRule {
  readonly action: RecordAction;
  readonly types: readonly CredentialType[];
  readonly roles: readonly Role[];
  /** What ties the member to the record; null: the role alone is enough. */
  readonly relation: string | null;
}

function access(
  action: RecordAction,
  types: readonly CredentialType[],
  roles: readonly Role[],
  relation: string | null = null,
): AccessRule {
  return { action, types, roles, relation };
}

const ofFamily = (...families: readonly string[]): readonly CredentialType[] =>
  credentialTypes.filter((type) => families.includes(familyOf(type)));

/** Types that are corrected by a successor. */
export const correctableTypes: readonly CredentialType[] = credentialTypes.filter(
  (type) =>
    type !== "bill.invoice" &&
    type !== "bill.red-invoice" &&
    !["arbitration", "grant"].includes(familyOf(type)),
);
/** Types that may be revoked at all. */
export const revocableTypes: readonly CredentialType[] = credentialTypes.filter(
  (type) => type !== "bill.red-invoice" && type !== "arbitration.verdict",
);
/** Types with signatures beside the issuer's. */
export const coSignedTypes: readonly CredentialType[] = [
  "identity.enterprise",
  "identity.individual",
  "contract.framework",
  "contract.service",
  "transaction.task",
  "transaction.acceptance",
  "transaction.settlement",
  "arbitration.case",
];

/**
 * The access matrix: whoever is not listed for an action and a type is refused. `submit` stands
 * for `submitAll` and `propose` too. Reading methods open to everybody, and those of no type, stand in
 * `methodRules` alone.
 */
export const accessRules: readonly AccessRule[] = [
  access("submit", ["identity.institution"], institutions, "itself"),
  access(
    "submit",
    ["identity.enterprise", "identity.individual", ...ofFamily("contract")],
    institutions,
    "its own institution identity and frameworks",
  ),
  access("submit", ofFamily("transaction", "bill"), institutions, "issuer of the parents"),
  access("submit", ["risk.assessment"], ["regulator"]),
  access("submit", ["risk.assessment"], institutions, "holds only what it issued"),
  access("submit", ["risk.alert"], overseers),
  access("submit", ["risk.action"], ["regulator"]),
  access("submit", ["risk.action"], institutions, "issuer of the target, or its holder"),
  access("submit", ["risk.report"], institutions),
  access("submit", ["arbitration.case"], parties, "party to the target, or its issuer"),
  access("submit", ["arbitration.verdict"], ["regulator"]),
  access("submit", ["arbitration.verdict"], ["institution", "auditor"], "arbitrator, k of n"),
  access("submit", ["grant.access"], parties, "subject of the target, or its issuer with consent"),
  access("correct", correctableTypes, overseers, "issuer"),
  access("revoke", revocableTypes, ["regulator"]),
  access("revoke", revocableTypes, parties, "issuer"),
  access("revoke", ["grant.access"], parties, "grantor"),
  access("revoke", ["arbitration.case"], parties, "claimant"),
  access("sign", coSignedTypes, parties, "party whose signature the type demands"),
  access("sign", ["arbitration.verdict"], arbitratorRoles, "arbitrator"),
  access("decline", coSignedTypes, parties, "party whose signature the type demands"),
  access("withdraw", credentialTypes, issuing, "issuer"),
  access("publish", publicTypes, institutions, "issuer"),
  access("use", ["grant.access"], issuing, "grantee"),
];
