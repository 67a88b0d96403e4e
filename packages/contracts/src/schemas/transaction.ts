import {
  choice,
  count,
  decimal,
  digest32,
  fen,
  listOf,
  month,
  time,
  tuple,
  words,
} from "../field-kinds.ts";
import { defineSchema, type Payload } from "../payload.ts";

/** An order that a worker took. */
export const taskSchema = defineSchema("transaction.task", [
  ["orderNumber", words(64), "required", 2],
  ["contractId", digest32, "required"],
  ["scene", words(64), "optional"],
  ["taskType", words(64), "optional"],
  ["placedAt", time, "required"],
  ["finishedAt", time, "optional"],
  ["positions", listOf(tuple(decimal, decimal, time), 64), "optional", 4],
  ["evidence", listOf(digest32, 16), "optional"],
  ["reviewer", words(64), "optional"],
  ["quantity", count, "optional"],
  ["unitPrice", fen, "optional", 3],
]);

/** The enterprise's word that tasks are done. */
export const acceptanceSchema = defineSchema("transaction.acceptance", [
  ["taskIds", listOf(digest32, 16), "required"],
  ["acceptedAt", time, "required"],
  ["acceptedBy", words(64), "required", 2],
  ["quantity", count, "required"],
  ["amount", fen, "required", 3],
  ["quality", choice("good", "fair", "poor"), "optional"],
  ["disputes", listOf(words(256), 16), "optional"],
  ["evidence", listOf(digest32, 16), "optional"],
]);

function amount(payload: Payload, path: string): bigint {
  const value = payload[path];
  return typeof value === "bigint" ? value : 0n;
}

function judgeSettlement(payload: Payload): string | null {
  const items = payload.items;
  let sum = 0n;
  if (Array.isArray(items)) {
    for (const item of items)
      sum += Array.isArray(item) && typeof item[1] === "bigint" ? item[1] : 0n;
  }
  const gross = amount(payload, "gross");
  if (sum !== gross) return "gross is not the sum of the items";
  const kept = amount(payload, "serviceFee") + amount(payload, "taxWithheld");
  return gross === amount(payload, "net") + kept ? null : "net is not gross less fee and tax";
}

/** What accepted work is worth, and what of it the worker gets. */
export const settlementSchema = defineSchema(
  "transaction.settlement",
  [
    ["batchNumber", words(64), "optional"],
    ["items", listOf(tuple(digest32, fen), 64), "required", 3],
    ["gross", fen, "required", 3],
    ["serviceFee", fen, "optional", 3],
    ["taxWithheld", fen, "optional", 3],
    ["net", fen, "required", 3],
    ["currency", choice("CNY"), "required"],
    ["period", month, "required"],
    ["payer", digest32, "required"],
    ["payeeReference", words(64), "required"],
  ],
  judgeSettlement,
);

/** Money that reached the worker. */
export const paymentSchema = defineSchema("transaction.payment", [
  ["settlementId", digest32, "required"],
  ["channel", choice("bank", "alipay", "wechat", "ecny"), "required"],
  ["channelTransactionNumber", words(64), "required", 2],
  ["payeeAccountDigest", digest32, "required"],
  ["amount", fen, "required", 3],
  ["paidAt", time, "required"],
  ["status", choice("succeeded", "returned"), "required"],
  ["receiptDigest", digest32, "required"],
]);
