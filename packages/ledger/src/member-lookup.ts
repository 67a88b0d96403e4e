import { addressFromPublicKey } from "@credlink/crypto";
import { addressCodec, tryDecode } from "@credlink/primitives";
import { readMember } from "./envelope.ts";
import { LedgerError } from "./errors.ts";
import type { StateView } from "./executor.ts";
import { keyOwnerKey, MEMBERS_CONTRACT, type Member } from "./member.ts";

/**
 * The member whose key this is or ever was, or null. Whether the key counts at some height is
 * `memberKeyAt`'s to say.
 *
 * @param publicKey 65 bytes.
 * @throws LedgerError LEDGER_STORE_CORRUPT; CryptoError CRYPTO_PUBLIC_KEY_INVALID for bytes that
 *   are no point of the curve.
 */
export function memberOfKey(view: StateView, publicKey: Uint8Array): Member | null {
  const own = addressFromPublicKey(publicKey);
  const first = readMember(view, own);
  if (first !== null) return first;
  const value = view.get(MEMBERS_CONTRACT, keyOwnerKey(own));
  if (value === null) return null;
  const owner = tryDecode(addressCodec, value);
  if (!owner.ok) throw new LedgerError({ code: "LEDGER_STORE_CORRUPT" }, "a key's owner");
  return readMember(view, owner.value);
}
