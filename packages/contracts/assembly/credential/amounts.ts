import { demand, isEqual, Points } from "../sdk/index";
import { Parents } from "./parents";
import { POINT_BYTES, Submission } from "./record";
import {
  BILL_INVOICE,
  BILL_RED_INVOICE,
  BILL_TAX,
  TRANSACTION_PAYMENT,
  TRANSACTION_SETTLEMENT,
} from "./types";

/*
 * Amounts are commitments, in an order that the type fixes: acceptance [amount]; settlement
 * [gross, serviceFee, taxWithheld, net]; payment [amount]; invoice [total, amountExcludingTax,
 * tax]; red invoice [total]; tax [base, amount]; insurance [premium].
 */
const GROSS = 0;
const NET = 3;
const FIRST = 0;

const MISMATCH = "CREDENTIAL_SUM_MISMATCH";

function demandSum(points: Points, plus: i32): void {
  const verdict = points.compare(plus);
  demand(verdict >= 0, "CREDENTIAL_AMOUNT_INVALID");
  demand(verdict == 1, MISMATCH);
}

/** Equal amounts under one equation are the same point, so no curve arithmetic is wanted. */
function demandSame(point: usize, other: usize): void {
  demand(isEqual(point, other, POINT_BYTES), MISMATCH);
}

/** `point` is the sum of that amount of every parent, which stands in the state and is a point. */
function demandSumOfParents(parents: Parents, place: i32, point: usize): void {
  if (parents.count == 1) {
    demandSame(parents.records[0].submission.amounts[place], point);
    return;
  }
  const points = new Points(parents.count + 1);
  for (let i = 0; i < parents.count; i++) points.add(parents.records[i].submission.amounts[place]);
  points.add(point);
  demandSum(points, parents.count);
}

/** The first amount is the sum of all that follow. */
function demandSumOfRest(record: Submission): void {
  const points = new Points(record.amountCount);
  for (let i = 0; i < record.amountCount; i++) points.add(record.amounts[i]);
  demandSum(points, 1);
}

function demandPoint(point: usize): void {
  const points = new Points(1);
  points.add(point);
  demand(points.compare(1) >= 0, "CREDENTIAL_AMOUNT_INVALID");
}

/** Every amount is a point, and every sum that the type promises holds. */
export function checkAmounts(record: Submission, parents: Parents): void {
  if (record.amountCount == 0) return;
  const type = record.type;
  const amounts = record.amounts;
  if (type == TRANSACTION_SETTLEMENT || type == BILL_INVOICE) {
    demandSumOfRest(record);
    demandSumOfParents(parents, type == BILL_INVOICE ? GROSS : FIRST, amounts[0]);
  } else if (type == TRANSACTION_PAYMENT) {
    demandSumOfParents(parents, NET, amounts[0]);
  } else if (type == BILL_RED_INVOICE) {
    demandSumOfParents(parents, FIRST, amounts[0]);
  } else if (type == BILL_TAX) {
    demandSumOfParents(parents, FIRST, amounts[0]);
    demandPoint(amounts[1]);
  } else {
    demandPoint(amounts[0]);
  }
}
