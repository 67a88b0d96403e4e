import { invariant } from "@credlink/primitives";
import { LedgerError } from "./errors.ts";

/** Eight bytes, big-endian, so that keys sort by number. */
export function encodeU64(value: number): Uint8Array {
  invariant(Number.isSafeInteger(value) && value >= 0, "a safe integer from 0");
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(value / 2 ** 32));
  view.setUint32(4, value >>> 0);
  return bytes;
}

/** @throws LedgerError LEDGER_STORE_CORRUPT when it is cut short or beyond 2^53 − 1. */
export function decodeU64(bytes: Uint8Array): number {
  return u64At(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0);
}

/** The number that begins at a place of a row. @throws as `decodeU64`. */
export function u64At(view: DataView, at: number): number {
  const value =
    at + 8 > view.byteLength ? Number.NaN : view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);
  if (!Number.isSafeInteger(value)) {
    throw new LedgerError({ code: "LEDGER_STORE_CORRUPT" }, "a number of a row is damaged");
  }
  return value;
}
