import {
  choice,
  creditCode,
  digest32,
  fen,
  invoiceNumber,
  listOf,
  month,
  time,
  tuple,
  words,
} from "../field-kinds.ts";
import { defineSchema, type FieldLine, type Payload } from "../payload.ts";

function invoiceLines(redOf: "required" | "optional"): readonly FieldLine[] {
  return [
    ["invoiceKind", choice("digital-general", "digital-special"), "required"],
    ["invoiceNumber", invoiceNumber, "required"],
    ["invoiceCode", words(32), "optional"],
    ["issueDate", time, "required"],
    ["sellerUscc", creditCode, "required"],
    ["buyerUscc", creditCode, "required"],
    ["lines", listOf(tuple(words(128), fen), 64), "optional", 3],
    ["amountExcludingTax", fen, "required", 3],
    ["tax", fen, "required", 3],
    ["total", fen, "required", 3],
    ["coveredTransactions", listOf(digest32, 32), "required"],
    ["redOf", invoiceNumber, redOf],
    ["documentDigest", digest32, "required"],
  ];
}

function judgeInvoice({ amountExcludingTax, tax, total }: Payload): string | null {
  const isSum =
    typeof amountExcludingTax === "bigint" &&
    typeof tax === "bigint" &&
    amountExcludingTax + tax === total;
  return isSum ? null : "total is not the amount and its tax";
}

/** To the enterprise, over settlements. */
export const invoiceSchema = defineSchema("bill.invoice", invoiceLines("optional"), judgeInvoice);

/** Takes back an invoice; its amounts are those of the blue one, their sign is its kind. */
export const redInvoiceSchema = defineSchema(
  "bill.red-invoice",
  invoiceLines("required"),
  judgeInvoice,
);

/** Tax withheld from payments of a period, for the worker. */
export const taxSchema = defineSchema("bill.tax", [
  ["taxpayerReference", words(64), "required"],
  ["taxType", choice("value-added", "income", "surcharge"), "required"],
  ["period", month, "required"],
  ["base", fen, "required", 3],
  ["rateRuleId", words(64), "required"],
  ["amount", fen, "required", 3],
  ["certificateNumber", words(64), "optional"],
  ["paidAt", time, "optional"],
  ["authority", words(128), "optional"],
]);

/** Cover for a worker under a service contract. */
export const insuranceSchema = defineSchema("bill.insurance", [
  ["policyNumber", words(64), "required", 3],
  ["insurer", words(128), "required"],
  ["insuredReference", words(64), "optional"],
  ["period", month, "required"],
  ["premium", fen, "required", 3],
]);
