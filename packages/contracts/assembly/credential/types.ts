import { isAscii, Slice } from "../sdk/index";

export const IDENTITY_INSTITUTION = 0;
export const IDENTITY_ENTERPRISE = 1;
export const IDENTITY_INDIVIDUAL = 2;
export const CONTRACT_FRAMEWORK = 3;
export const CONTRACT_SERVICE = 4;
export const TRANSACTION_TASK = 5;
export const TRANSACTION_ACCEPTANCE = 6;
export const TRANSACTION_SETTLEMENT = 7;
export const TRANSACTION_PAYMENT = 8;
export const BILL_INVOICE = 9;
export const BILL_RED_INVOICE = 10;
export const BILL_TAX = 11;
export const BILL_INSURANCE = 12;
export const RISK_ASSESSMENT = 13;
export const RISK_ALERT = 14;
export const RISK_ACTION = 15;
export const RISK_REPORT = 16;
export const ARBITRATION_CASE = 17;
export const ARBITRATION_VERDICT = 18;
export const GRANT_ACCESS = 19;
export const TYPES = 20;

/** The name of a type; its schemas are the name, a slash and a version. */
export function typeName(type: i32): string {
  switch (type) {
    case IDENTITY_INSTITUTION:
      return "identity.institution";
    case IDENTITY_ENTERPRISE:
      return "identity.enterprise";
    case IDENTITY_INDIVIDUAL:
      return "identity.individual";
    case CONTRACT_FRAMEWORK:
      return "contract.framework";
    case CONTRACT_SERVICE:
      return "contract.service";
    case TRANSACTION_TASK:
      return "transaction.task";
    case TRANSACTION_ACCEPTANCE:
      return "transaction.acceptance";
    case TRANSACTION_SETTLEMENT:
      return "transaction.settlement";
    case TRANSACTION_PAYMENT:
      return "transaction.payment";
    case BILL_INVOICE:
      return "bill.invoice";
    case BILL_RED_INVOICE:
      return "bill.red-invoice";
    case BILL_TAX:
      return "bill.tax";
    case BILL_INSURANCE:
      return "bill.insurance";
    case RISK_ASSESSMENT:
      return "risk.assessment";
    case RISK_ALERT:
      return "risk.alert";
    case RISK_ACTION:
      return "risk.action";
    case RISK_REPORT:
      return "risk.report";
    case ARBITRATION_CASE:
      return "arbitration.case";
    case ARBITRATION_VERDICT:
      return "arbitration.verdict";
    default:
      return "grant.access";
  }
}

/** The type of that name, or −1. */
export function typeOf(name: Slice): i32 {
  for (let type = 0; type < TYPES; type++) {
    if (isAscii(name.pointer, name.length, typeName(type))) return type;
  }
  return -1;
}

export const ROLE_INSTITUTION = 1;
export const ROLE_REGULATOR = 2;
export const ROLE_ENTERPRISE = 4;
export const ROLE_INDIVIDUAL = 8;
export const ROLE_AUDITOR = 16;

/** The bit of a role that the rules know, or 0. */
export function roleOf(name: Slice): i32 {
  if (isAscii(name.pointer, name.length, "institution")) return ROLE_INSTITUTION;
  if (isAscii(name.pointer, name.length, "regulator")) return ROLE_REGULATOR;
  if (isAscii(name.pointer, name.length, "enterprise")) return ROLE_ENTERPRISE;
  if (isAscii(name.pointer, name.length, "individual")) return ROLE_INDIVIDUAL;
  if (isAscii(name.pointer, name.length, "auditor")) return ROLE_AUDITOR;
  return 0;
}

export const ATTESTED_BY = 0;
export const PARTY = 1;
export const UNDER_CONTRACT = 2;
export const ACCEPTS = 3;
export const SETTLES = 4;
export const PAYS = 5;
export const INVOICES = 6;
export const REVERSES = 7;
export const WITHHOLDS = 8;
export const ASSESSES = 9;
export const HOLDS = 10;
export const RELEASES = 11;
export const EVIDENCE = 12;
export const CONCERNS = 13;
export const APPEALS = 14;
export const DECIDES = 15;
export const REVOKES = 16;
export const AMENDS = 17;
export const GRANTS = 18;
export const RELATIONS = 19;

export function relationName(relation: i32): string {
  switch (relation) {
    case ATTESTED_BY:
      return "attestedBy";
    case PARTY:
      return "party";
    case UNDER_CONTRACT:
      return "underContract";
    case ACCEPTS:
      return "accepts";
    case SETTLES:
      return "settles";
    case PAYS:
      return "pays";
    case INVOICES:
      return "invoices";
    case REVERSES:
      return "reverses";
    case WITHHOLDS:
      return "withholds";
    case ASSESSES:
      return "assesses";
    case HOLDS:
      return "holds";
    case RELEASES:
      return "releases";
    case EVIDENCE:
      return "evidence";
    case CONCERNS:
      return "concerns";
    case APPEALS:
      return "appeals";
    case DECIDES:
      return "decides";
    case REVOKES:
      return "revokes";
    case AMENDS:
      return "amends";
    default:
      return "grants";
  }
}

/** The relation of that name, or −1. */
export function relationOf(name: Slice): i32 {
  for (let relation = 0; relation < RELATIONS; relation++) {
    if (isAscii(name.pointer, name.length, relationName(relation))) return relation;
  }
  return -1;
}
