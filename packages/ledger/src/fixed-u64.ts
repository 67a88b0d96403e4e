import { allocateBytes, invariant } from "@credlink/primitives";
import { LedgerError } from "./errors.ts";

/** Eight bytes, big-endian, so that keys sort by number. */
export function encodeU64(value: number): Uint8Array {
  invariant(Number.isSafeInteger(value) && value >= 0, "a safe integer from 0");
  const bytes = allocateBytes(8);
  putU32(bytes, 0, Math.floor(value / 2 ** 32));
  putU32(bytes, 4, value);
  return bytes;
}

/**
 * Writes the low 32 bits, big-endian. Byte by byte: a DataView on a small array makes V8 give it a
 * buffer first, which takes a microsecond.
 */
export function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
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
