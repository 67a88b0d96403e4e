import {
  CryptoError,
  DEFAULT_KEY_ITERATIONS,
  pbkdf2HmacSm3,
  sm4GcmDecrypt,
  sm4GcmEncrypt,
  wipe,
} from "@credlink/crypto";
import {
  bytes,
  bytesUpTo,
  type Random,
  struct,
  u32,
  utf8,
  type ValueOf,
} from "@credlink/primitives";
import { KeysError } from "./errors.ts";

/** Bytes sealed under a password: PBKDF2-HMAC-SM3, then SM4-GCM. @see RFC 8018 §5.2, RFC 8998 */

const SALT_BYTES = 16;
const IV_BYTES = 12;
const KEY_BYTES = 16;
const MAX_SEALED_BYTES = 8 * 1024 * 1024;
/** A larger count in a foreign file would stop the process for minutes. */
const MAX_ITERATIONS = 10_000_000;
/** Least characters of a password for a new file. */
export const MIN_PASSWORD_CHARACTERS = 12;

export const passwordSealCodec = struct({
  salt: bytes(SALT_BYTES),
  iterations: u32,
  iv: bytes(IV_BYTES),
  sealed: bytesUpTo(MAX_SEALED_BYTES),
});
export type PasswordSeal = ValueOf<typeof passwordSealCodec>;

/** @throws KeysError KEYS_PASSWORD_SHORT */
export function checkNewPassword(password: string): void {
  if ([...password].length >= MIN_PASSWORD_CHARACTERS) return;
  throw new KeysError("KEYS_PASSWORD_SHORT", `at least ${MIN_PASSWORD_CHARACTERS} characters`);
}

/**
 * Seals bytes under a password; `context` is bound to them and not stored.
 * @throws KeysError KEYS_PASSWORD_SHORT
 */
export function sealUnderPassword(
  random: Random,
  password: string,
  context: Uint8Array,
  data: Uint8Array,
  iterations: number = DEFAULT_KEY_ITERATIONS,
): PasswordSeal {
  checkNewPassword(password);
  const salt = random.bytes(SALT_BYTES);
  const iv = random.bytes(IV_BYTES);
  const key = pbkdf2HmacSm3(utf8(password), salt, iterations, KEY_BYTES);
  try {
    return { salt, iterations, iv, sealed: sm4GcmEncrypt({ key, iv, aad: context, data }) };
  } finally {
    wipe(key);
  }
}

/** The bytes again, the caller's to wipe. @throws KeysError KEYS_PASSWORD_WRONG */
export function openUnderPassword(
  password: string,
  context: Uint8Array,
  seal: PasswordSeal,
): Uint8Array {
  const { salt, iterations, iv, sealed } = seal;
  if (iterations < 1 || iterations > MAX_ITERATIONS) {
    throw new KeysError("KEYS_PASSWORD_WRONG", "the iteration count is out of range");
  }
  const key = pbkdf2HmacSm3(utf8(password), salt, iterations, KEY_BYTES);
  try {
    return sm4GcmDecrypt({ key, iv, aad: context, data: sealed });
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    throw new KeysError("KEYS_PASSWORD_WRONG", "wrong password or altered file", { cause });
  } finally {
    wipe(key);
  }
}
