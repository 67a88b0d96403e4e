import { FORMS, REFERENCES } from "./tables";
import {
  ARBITRATION_CASE,
  ARBITRATION_VERDICT,
  BILL_INSURANCE,
  CONTRACT_FRAMEWORK,
  CONTRACT_SERVICE,
  RISK_ASSESSMENT,
  RISK_REPORT,
  TRANSACTION_TASK,
} from "./types";

export { REFERENCE_ROWS } from "./tables";

/*
 * The tables behind the checks, which stand in src/credential-rules.ts and are written into
 * tables.ts. They are constants, so that the module needs no start function.
 */

/** What a parent is used up for; 0 for references that may be repeated. */
export const USE_NONE = 0;
export const USE_ACCEPT = 1;
export const USE_SETTLE = 2;
export const USE_PAY = 3;
export const USE_INVOICE = 4;
export const USE_TAX = 5;
export const USE_APPEAL = 6;

const IDENTITIES = 0x7;

const COLUMNS = 6;
const FORM_COLUMNS = 6;

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
