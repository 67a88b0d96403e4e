import {
  ADDRESS_BYTES,
  type Address,
  accept,
  address,
  type Result,
  refuse,
} from "@credlink/primitives";
import { bytesToWords, decodeBech32m, encodeBech32m, wordsToBytes } from "./bech32m.ts";
import type { TaggedSm3 } from "./digests.ts";
import { CryptoError } from "./errors.ts";
import { isValidPublicKey } from "./sm2-curve.ts";

const PREFIX = "cl";
const ADDRESS_DOMAIN = "credlink/address/1";

/**
 * The address that a first public key (65 bytes) gives its member for life.
 * @throws CryptoError CRYPTO_PUBLIC_KEY_INVALID when the bytes are not a point on the curve.
 */
export function deriveAddress(taggedSm3: TaggedSm3, publicKey: Uint8Array): Address {
  if (!isValidPublicKey(publicKey)) {
    throw new CryptoError("CRYPTO_PUBLIC_KEY_INVALID", "not a point on the SM2 curve");
  }
  return address(taggedSm3(ADDRESS_DOMAIN, publicKey));
}

/** The address as people see it: `cl1` and 58 characters. @see BIP-350 */
export function formatAddress(value: Address): string {
  return encodeBech32m({ prefix: PREFIX, words: bytesToWords(value) });
}

/** Undoes `formatAddress`; upper case throughout is accepted. Refuses any other text. */
export function parseAddress(text: string): Result<Address, "CRYPTO_ADDRESS_MALFORMED"> {
  const decoded = decodeBech32m(text);
  if (decoded === undefined) return refuse("CRYPTO_ADDRESS_MALFORMED", "not bech32m");
  if (decoded.prefix !== PREFIX) return refuse("CRYPTO_ADDRESS_MALFORMED", "prefix is not cl");
  const bytes = wordsToBytes(decoded.words);
  if (bytes?.length !== ADDRESS_BYTES) return refuse("CRYPTO_ADDRESS_MALFORMED", "not 32 bytes");
  return accept(address(bytes));
}
