import { refuseCall } from "./built-in.ts";

/** Longest validity of a member without a certificate. */
export const MAX_RELATION_KEY_VALIDITY_MS = 3 * 366 * 24 * 3600 * 1000;

/** Ends the call when a validity is empty, over, or longer than three years. */
export function demandValidity(
  { validFromMs, validToMs }: { readonly validFromMs: number; readonly validToMs: number },
  nowMs: number,
): void {
  const lengthMs = validToMs - validFromMs;
  if (lengthMs <= 0 || lengthMs > MAX_RELATION_KEY_VALIDITY_MS || validToMs <= nowMs) {
    refuseCall("MEMBERS_VALIDITY_INVALID");
  }
}
