import { hex, MAX_SIGNED_RECEIPT_BYTES } from "@credlink/api";
import { MAX_TRANSACTION_BYTES } from "@credlink/ledger";
import { fromHex, toHex } from "@credlink/primitives";
import { z } from "zod";
import { clientError } from "../errors.ts";

export const RECEIPT_FORMAT = "credlink/receipt/1";
/** Most bytes of one line of a file of receipts: receipt and transaction in hexadecimal, and names. */
export const MAX_RECEIPT_LINE_BYTES = 2 * (MAX_SIGNED_RECEIPT_BYTES + MAX_TRANSACTION_BYTES) + 256;

/** A receipt as whoever it was given to keeps it. */
export interface KeptReceipt {
  /** Canonical signed receipt. */
  readonly receipt: Uint8Array;
  /** What it is of: signed transaction or canonical request; null where that is kept elsewhere. */
  readonly content: Uint8Array | null;
}

const lineSchema = z.strictObject({
  format: z.literal(RECEIPT_FORMAT),
  receipt: hex.max(2 * MAX_SIGNED_RECEIPT_BYTES),
  content: hex.max(2 * MAX_TRANSACTION_BYTES).nullable(),
});

/** One line of a file of receipts, without its line feed. */
export function writeReceiptLine({ receipt, content }: KeptReceipt): string {
  const shown = content === null ? null : toHex(content);
  return JSON.stringify({ format: RECEIPT_FORMAT, receipt: toHex(receipt), content: shown });
}

/** Reads one line. @throws ClientError CLIENT_RECEIPT_MALFORMED */
export function readReceiptLine(line: string): KeptReceipt {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw clientError("CLIENT_RECEIPT_MALFORMED", "no JSON", { cause });
  }
  const read = lineSchema.safeParse(value);
  if (!read.success) throw clientError("CLIENT_RECEIPT_MALFORMED", z.prettifyError(read.error));
  const { receipt, content } = read.data;
  return { receipt: fromHex(receipt), content: content === null ? null : fromHex(content) };
}
