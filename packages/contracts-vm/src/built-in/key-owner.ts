import { addressFromPublicKey } from "@credlink/crypto";
import type { Member } from "@credlink/ledger";
import type { BuiltInCall } from "./built-in.ts";
import type { Row } from "./row.ts";
import { rows } from "./rows.ts";

/** The member whose key this is or ever was, read by `read`; null when nobody's. */
export function ownerOfKey(
  publicKey: Uint8Array,
  read: <T>(row: Row<T>) => T | null,
): Member | null {
  const own = addressFromPublicKey(publicKey);
  const first = read(rows.member(own));
  if (first !== null) return first;
  const owner = read(rows.keyOwner(own));
  return owner === null ? null : read(rows.member(owner));
}

/** `ownerOfKey` of the state that a call sees. */
export function readOwner(publicKey: Uint8Array, { state }: BuiltInCall): Member | null {
  return ownerOfKey(publicKey, (row) => state.read(row));
}
