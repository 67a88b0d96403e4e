import { concatBytes, invariant } from "@credlink/primitives";
import { CryptoError } from "./errors.ts";
import { ghash } from "./ghash/ghash.ts";
import type { Platform } from "./platform.ts";
import { equalInConstantTime, wipe } from "./secrets.ts";

/** Galois/Counter mode over SM4. @see NIST SP 800-38D, RFC 8998 */

const BLOCK_BYTES = 16;
export const GCM_IV_BYTES = 12;
export const GCM_TAG_BYTES = 16;
/** SP 800-38D §5.2.1.1: at most 2^39 − 256 bits under one vector. */
const MAX_DATA_BYTES = 2 ** 36 - 32;

/** Vector, associated data and input of one operation under a key. */
export interface Sm4GcmMessage {
  /** 12 bytes, never used twice with one key. */
  readonly iv: Uint8Array;
  /** Authenticated, not encrypted; default empty. */
  readonly aad?: Uint8Array;
  /** Plaintext to encrypt; ciphertext ‖ tag to decrypt. */
  readonly data: Uint8Array;
}

/** Key and message of one SM4-GCM operation. */
export interface Sm4GcmInput extends Sm4GcmMessage {
  /** 16 bytes. */
  readonly key: Uint8Array;
}

type GcmPlatform = Pick<Platform, "sm4EncryptBlock" | "sm4Ctr">;

function checkLengths(key: Uint8Array, iv: Uint8Array, data: Uint8Array): void {
  const isValid =
    key.length === BLOCK_BYTES && iv.length === GCM_IV_BYTES && data.length <= MAX_DATA_BYTES;
  if (!isValid) throw new CryptoError("CRYPTO_LENGTH_INVALID", "key 16, vector 12 bytes");
}

/** SM4-GCM under one key, for many messages. */
export interface Sm4Gcm {
  /** Ciphertext ‖ tag. @throws CryptoError CRYPTO_LENGTH_INVALID */
  seal(message: Sm4GcmMessage): Uint8Array;
  /** Plaintext of ciphertext ‖ tag. @throws CryptoError CRYPTO_TAG_INVALID, CRYPTO_LENGTH_INVALID */
  open(message: Sm4GcmMessage): Uint8Array;
  /** Clears key and hash key. Nothing can be sealed or opened afterwards. */
  wipe(): void;
}

function lengthsBlock(aad: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const lengths = new DataView(new ArrayBuffer(BLOCK_BYTES));
  lengths.setBigUint64(0, BigInt(aad.length) * 8n);
  lengths.setBigUint64(8, BigInt(ciphertext.length) * 8n);
  return new Uint8Array(lengths.buffer);
}

const EMPTY = new Uint8Array(0);

class KeyedGcm implements Sm4Gcm {
  readonly #platform: GcmPlatform;
  readonly #key: Uint8Array;
  readonly #hashKey: Uint8Array;
  #isWiped = false;

  constructor(platform: GcmPlatform, key: Uint8Array) {
    this.#platform = platform;
    this.#key = key.slice();
    this.#hashKey = platform.sm4EncryptBlock(key, new Uint8Array(BLOCK_BYTES)).slice();
  }

  seal({ iv, aad = EMPTY, data }: Sm4GcmMessage): Uint8Array {
    checkLengths(this.#key, iv, data);
    const { mask, output } = this.#crypt(iv, data);
    return concatBytes(output, this.#tag(aad, output, mask));
  }

  open({ iv, aad = EMPTY, data }: Sm4GcmMessage): Uint8Array {
    checkLengths(this.#key, iv, data);
    const end = data.length - GCM_TAG_BYTES;
    if (end < 0) throw new CryptoError("CRYPTO_TAG_INVALID", "shorter than a tag");
    const ciphertext = data.subarray(0, end);
    const { mask, output } = this.#crypt(iv, ciphertext);
    if (equalInConstantTime(this.#tag(aad, ciphertext, mask), data.subarray(end))) return output;
    // What was computed beside the mask leaves this function only under a tag that fits.
    wipe(output);
    throw new CryptoError("CRYPTO_TAG_INVALID", "the tag does not fit");
  }

  wipe(): void {
    this.#isWiped = true;
    wipe(this.#key, this.#hashKey);
  }

  /**
   * The tag's mask and the data under the key stream, in one call of the cipher: the mask is its
   * first block. GCM counts in the last four bytes only; the data limit keeps that count from
   * wrapping, so counting in the whole block gives the same stream.
   */
  #crypt(iv: Uint8Array, data: Uint8Array): { mask: Uint8Array; output: Uint8Array } {
    invariant(!this.#isWiped, "a cipher is not used after it was wiped");
    const padded = new Uint8Array(BLOCK_BYTES + data.length);
    padded.set(data, BLOCK_BYTES);
    const counter = concatBytes(iv, Uint8Array.of(0, 0, 0, 1));
    const stream = this.#platform.sm4Ctr({ key: this.#key, counter, data: padded });
    return { mask: stream.subarray(0, BLOCK_BYTES), output: stream.subarray(BLOCK_BYTES) };
  }

  #tag(aad: Uint8Array, ciphertext: Uint8Array, mask: Uint8Array): Uint8Array {
    const parts = [aad, ciphertext, lengthsBlock(aad, ciphertext)];
    return ghash(this.#hashKey, parts).map((byte, i) => byte ^ (mask[i] ?? 0));
  }
}

/** A cipher under a key of 16 bytes, which it copies. @throws CryptoError CRYPTO_LENGTH_INVALID */
export function createGcm(platform: GcmPlatform, key: Uint8Array): Sm4Gcm {
  if (key.length !== BLOCK_BYTES) {
    throw new CryptoError("CRYPTO_LENGTH_INVALID", "an SM4 key has 16 bytes");
  }
  return new KeyedGcm(platform, key);
}

/** Ciphertext ‖ tag. */
export function gcmEncrypt(platform: GcmPlatform, input: Sm4GcmInput): Uint8Array {
  return once(platform, input, (gcm) => gcm.seal(input));
}

/** Plaintext of ciphertext ‖ tag. */
export function gcmDecrypt(platform: GcmPlatform, input: Sm4GcmInput): Uint8Array {
  return once(platform, input, (gcm) => gcm.open(input));
}

function once(
  platform: GcmPlatform,
  { key }: Sm4GcmInput,
  use: (gcm: Sm4Gcm) => Uint8Array,
): Uint8Array {
  const gcm = createGcm(platform, key);
  try {
    return use(gcm);
  } finally {
    gcm.wipe();
  }
}
