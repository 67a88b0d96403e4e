import {
  ACCEPTS,
  AMENDS,
  APPEALS,
  ARBITRATION_CASE,
  ARBITRATION_VERDICT,
  ASSESSES,
  ATTESTED_BY,
  BILL_INSURANCE,
  BILL_INVOICE,
  BILL_RED_INVOICE,
  BILL_TAX,
  CONCERNS,
  CONTRACT_FRAMEWORK,
  CONTRACT_SERVICE,
  DECIDES,
  EVIDENCE,
  GRANT_ACCESS,
  GRANTS,
  HOLDS,
  IDENTITY_ENTERPRISE,
  IDENTITY_INDIVIDUAL,
  IDENTITY_INSTITUTION,
  INVOICES,
  PARTY,
  PAYS,
  RELEASES,
  REVERSES,
  REVOKES,
  ROLE_AUDITOR,
  ROLE_ENTERPRISE,
  ROLE_INDIVIDUAL,
  ROLE_INSTITUTION,
  ROLE_REGULATOR,
  RISK_ACTION,
  RISK_ALERT,
  RISK_ASSESSMENT,
  RISK_REPORT,
  SETTLES,
  TRANSACTION_ACCEPTANCE,
  TRANSACTION_PAYMENT,
  TRANSACTION_SETTLEMENT,
  TRANSACTION_TASK,
  UNDER_CONTRACT,
  WITHHOLDS,
} from "./types";

/*
 * The tables behind the checks: docs/protocol/credentials.md shows them to people. They are
 * constants, so that the module needs no start function.
 */

/** What a parent is used up for; 0 for references that may be repeated. */
export const USE_NONE = 0;
export const USE_ACCEPT = 1;
export const USE_SETTLE = 2;
export const USE_PAY = 3;
export const USE_INVOICE = 4;
export const USE_TAX = 5;
export const USE_APPEAL = 6;

const ANY = 0xfffff;
/** Identities, contracts, transactions and bills. */
const BUSINESS = 0x1fff;
const IDENTITIES = 0x7;
/** What a case may be about: everything but cases and verdicts. */
const DISPUTABLE = 0x9ffff;

const COLUMNS = 6;
/** Rows: child type, relation, mask of parent types, fewest, most, use. */
const REFERENCES: StaticArray<i32> = [
  IDENTITY_ENTERPRISE, ATTESTED_BY, 1 << IDENTITY_INSTITUTION, 1, 1, USE_NONE,
  IDENTITY_INDIVIDUAL, ATTESTED_BY, 1 << IDENTITY_INSTITUTION, 1, 1, USE_NONE,
  CONTRACT_FRAMEWORK, PARTY, 1 << IDENTITY_ENTERPRISE, 1, 1, USE_NONE,
  CONTRACT_FRAMEWORK, PARTY, 1 << IDENTITY_INSTITUTION, 1, 1, USE_NONE,
  CONTRACT_SERVICE, PARTY, 1 << IDENTITY_INDIVIDUAL, 1, 1, USE_NONE,
  CONTRACT_SERVICE, PARTY, 1 << IDENTITY_INSTITUTION, 1, 1, USE_NONE,
  CONTRACT_SERVICE, UNDER_CONTRACT, 1 << CONTRACT_FRAMEWORK, 1, 1, USE_NONE,
  TRANSACTION_TASK, UNDER_CONTRACT, 1 << CONTRACT_SERVICE, 1, 1, USE_NONE,
  TRANSACTION_ACCEPTANCE, ACCEPTS, 1 << TRANSACTION_TASK, 1, 16, USE_ACCEPT,
  TRANSACTION_SETTLEMENT, SETTLES, 1 << TRANSACTION_ACCEPTANCE, 1, 16, USE_SETTLE,
  TRANSACTION_PAYMENT, PAYS, 1 << TRANSACTION_SETTLEMENT, 1, 1, USE_PAY,
  BILL_INVOICE, INVOICES, 1 << TRANSACTION_SETTLEMENT, 1, 32, USE_INVOICE,
  BILL_RED_INVOICE, REVERSES, 1 << BILL_INVOICE, 1, 1, USE_NONE,
  BILL_TAX, WITHHOLDS, 1 << TRANSACTION_PAYMENT, 1, 32, USE_TAX,
  BILL_INSURANCE, UNDER_CONTRACT, 1 << CONTRACT_SERVICE, 1, 1, USE_NONE,
  RISK_ASSESSMENT, ASSESSES, BUSINESS, 1, 8, USE_NONE,
  RISK_ASSESSMENT, HOLDS, BUSINESS, 0, 8, USE_NONE,
  RISK_ASSESSMENT, EVIDENCE, ANY, 0, 16, USE_NONE,
  RISK_ALERT, ASSESSES, BUSINESS, 1, 8, USE_NONE,
  RISK_ALERT, EVIDENCE, ANY, 0, 16, USE_NONE,
  RISK_ACTION, HOLDS, BUSINESS, 0, 8, USE_NONE,
  RISK_ACTION, RELEASES, BUSINESS, 0, 8, USE_NONE,
  RISK_ACTION, EVIDENCE, ANY, 0, 16, USE_NONE,
  RISK_REPORT, ASSESSES, BUSINESS, 1, 8, USE_NONE,
  RISK_REPORT, EVIDENCE, ANY, 0, 16, USE_NONE,
  ARBITRATION_CASE, CONCERNS, DISPUTABLE, 1, 16, USE_NONE,
  ARBITRATION_CASE, APPEALS, 1 << ARBITRATION_CASE, 0, 1, USE_APPEAL,
  ARBITRATION_CASE, EVIDENCE, ANY, 0, 15, USE_NONE,
  ARBITRATION_VERDICT, DECIDES, 1 << ARBITRATION_CASE, 1, 1, USE_NONE,
  ARBITRATION_VERDICT, REVOKES, DISPUTABLE, 0, 16, USE_NONE,
  ARBITRATION_VERDICT, AMENDS, DISPUTABLE, 0, 16, USE_NONE,
  ARBITRATION_VERDICT, HOLDS, DISPUTABLE, 0, 16, USE_NONE,
  GRANT_ACCESS, GRANTS, BUSINESS, 1, 16, USE_NONE,
];
export const REFERENCE_ROWS = 33;

export function rowChild(row: i32): i32 {
  return REFERENCES[row * COLUMNS];
}

export function rowRelation(row: i32): i32 {
  return REFERENCES[row * COLUMNS + 1];
}

export function rowAllows(row: i32, parentType: i32): bool {
  return ((REFERENCES[row * COLUMNS + 2] >> parentType) & 1) == 1;
}

export function rowFewest(row: i32): i32 {
  return REFERENCES[row * COLUMNS + 3];
}

export function rowMost(row: i32): i32 {
  return REFERENCES[row * COLUMNS + 4];
}

export function rowUse(row: i32): i32 {
  return REFERENCES[row * COLUMNS + 5];
}

const FORM_COLUMNS = 6;
/** Who may be a party to a dispute or give a grant. */
const PARTIES = ROLE_INSTITUTION | ROLE_ENTERPRISE | ROLE_INDIVIDUAL;
/** Who may be an arbitrator, and so put a verdict on chain. */
export const ARBITRATORS = ROLE_INSTITUTION | ROLE_REGULATOR | ROLE_AUDITOR;
/** Rows by type: leaves, data level, issuer roles, fewest and most indexes, amounts. */
const FORMS: StaticArray<i32> = [
  6, 1, ROLE_INSTITUTION, 1, 1, 0, // identity.institution
  16, 3, ROLE_INSTITUTION, 1, 1, 0, // identity.enterprise
  26, 4, ROLE_INSTITUTION, 1, 2, 0, // identity.individual
  18, 3, ROLE_INSTITUTION, 0, 0, 0, // contract.framework
  16, 3, ROLE_INSTITUTION, 0, 0, 0, // contract.service
  11, 4, ROLE_INSTITUTION, 0, 0, 0, // transaction.task
  8, 3, ROLE_INSTITUTION, 0, 0, 1, // transaction.acceptance
  10, 3, ROLE_INSTITUTION, 0, 0, 4, // transaction.settlement
  8, 3, ROLE_INSTITUTION, 0, 1, 1, // transaction.payment
  13, 3, ROLE_INSTITUTION, 1, 1, 3, // bill.invoice
  13, 3, ROLE_INSTITUTION, 1, 1, 1, // bill.red-invoice
  9, 3, ROLE_INSTITUTION, 0, 0, 2, // bill.tax
  5, 3, ROLE_INSTITUTION, 0, 0, 1, // bill.insurance
  9, 3, ROLE_INSTITUTION | ROLE_REGULATOR, 0, 0, 0, // risk.assessment
  5, 2, ROLE_INSTITUTION | ROLE_REGULATOR, 0, 0, 0, // risk.alert
  5, 2, ROLE_INSTITUTION | ROLE_REGULATOR, 0, 0, 0, // risk.action
  7, 4, ROLE_INSTITUTION, 0, 0, 0, // risk.report
  8, 3, PARTIES, 0, 0, 0, // arbitration.case
  7, 3, ARBITRATORS, 0, 0, 0, // arbitration.verdict
  8, 2, PARTIES, 0, 0, 0, // grant.access
];

export function fieldCountOf(type: i32): u32 {
  return <u32>FORMS[type * FORM_COLUMNS];
}

export function levelOf(type: i32): u32 {
  return <u32>FORMS[type * FORM_COLUMNS + 1];
}

export function issuersOf(type: i32): i32 {
  return FORMS[type * FORM_COLUMNS + 2];
}

export function fewestIndexesOf(type: i32): i32 {
  return FORMS[type * FORM_COLUMNS + 3];
}

export function mostIndexesOf(type: i32): i32 {
  return FORMS[type * FORM_COLUMNS + 4];
}

export function amountsOf(type: i32): i32 {
  return FORMS[type * FORM_COLUMNS + 5];
}

export function isIdentity(type: i32): bool {
  return ((IDENTITIES >> type) & 1) == 1;
}

export function isContract(type: i32): bool {
  return type == CONTRACT_FRAMEWORK || type == CONTRACT_SERVICE;
}

export function isTransactionOrBill(type: i32): bool {
  return type >= TRANSACTION_TASK && type <= BILL_INSURANCE;
}

export function isRisk(type: i32): bool {
  return type >= RISK_ASSESSMENT && type <= RISK_REPORT;
}

export function isArbitration(type: i32): bool {
  return type == ARBITRATION_CASE || type == ARBITRATION_VERDICT;
}

/** Identities, contracts, transactions and bills: what business is made of. */
export function isBusiness(type: i32): bool {
  return type < RISK_ASSESSMENT;
}
