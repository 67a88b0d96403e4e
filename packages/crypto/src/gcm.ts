import { concatBytes } from "@credlink/primitives";
import { CryptoError } from "./errors.ts";
import type { Platform } from "./platform.ts";
import { equalInConstantTime } from "./secrets.ts";

/** Galois/Counter mode over SM4. @see NIST SP 800-38D, RFC 8998 */

const BLOCK_BYTES = 16;
export const GCM_IV_BYTES = 12;
export const GCM_TAG_BYTES = 16;
/** SP 800-38D §5.2.1.1: at most 2^39 − 256 bits under one vector. */
const MAX_DATA_BYTES = 2 ** 36 - 32;

/**
 * y ← (y ⊕ block) · h in GF(2^128), bit by bit with masks, so that the time taken does not depend
 * on the hash key or the data (a table would be faster and leak through the cache).
 * @see SP 800-38D §6.3
 */
function absorb(y: Int32Array, h: Int32Array, block: DataView, at: number): void {
  const x = [0, 1, 2, 3].map((i) => (y[i] ?? 0) ^ block.getInt32(at + 4 * i));
  let [v0 = 0, v1 = 0, v2 = 0, v3 = 0] = h;
  let z0 = 0;
  let z1 = 0;
  let z2 = 0;
  let z3 = 0;
  for (const word of x) {
    for (let bit = 31; bit >= 0; bit--) {
      const take = -((word >>> bit) & 1);
      z0 ^= v0 & take;
      z1 ^= v1 & take;
      z2 ^= v2 & take;
      z3 ^= v3 & take;
      const reduce = -(v3 & 1) & 0xe1000000;
      v3 = (v3 >>> 1) | (v2 << 31);
      v2 = (v2 >>> 1) | (v1 << 31);
      v1 = (v1 >>> 1) | (v0 << 31);
      v0 = (v0 >>> 1) ^ reduce;
    }
  }
  y[0] = z0;
  y[1] = z1;
  y[2] = z2;
  y[3] = z3;
}

function absorbPadded(y: Int32Array, h: Int32Array, data: Uint8Array): void {
  const padded = new Uint8Array(Math.ceil(data.length / BLOCK_BYTES) * BLOCK_BYTES);
  padded.set(data);
  const view = new DataView(padded.buffer);
  for (let at = 0; at < padded.length; at += BLOCK_BYTES) absorb(y, h, view, at);
}

function ghash(hashKey: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const view = new DataView(hashKey.buffer, hashKey.byteOffset, BLOCK_BYTES);
  const h = Int32Array.from([0, 4, 8, 12], (at) => view.getInt32(at));
  const y = new Int32Array(4);
  absorbPadded(y, h, aad);
  absorbPadded(y, h, ciphertext);
  const lengths = new DataView(new ArrayBuffer(BLOCK_BYTES));
  lengths.setBigUint64(0, BigInt(aad.length) * 8n);
  lengths.setBigUint64(8, BigInt(ciphertext.length) * 8n);
  absorb(y, h, lengths, 0);
  const digest = new Uint8Array(BLOCK_BYTES);
  const out = new DataView(digest.buffer);
  y.forEach((word, i) => {
    out.setInt32(4 * i, word);
  });
  return digest;
}

/** Key, vector, associated data and input of one SM4-GCM operation. */
export interface Sm4GcmInput {
  /** 16 bytes. */
  readonly key: Uint8Array;
  /** 12 bytes, never used twice with one key. */
  readonly iv: Uint8Array;
  /** Authenticated, not encrypted; default empty. */
  readonly aad?: Uint8Array;
  /** Plaintext to encrypt; ciphertext ‖ tag to decrypt. */
  readonly data: Uint8Array;
}

type GcmPlatform = Pick<Platform, "sm4EncryptBlock" | "sm4Ctr">;

function counterBlock(iv: Uint8Array, counter: number): Uint8Array {
  return concatBytes(iv, Uint8Array.of(0, 0, 0, counter));
}

function tagOf(platform: GcmPlatform, input: Sm4GcmInput, ciphertext: Uint8Array): Uint8Array {
  const hashKey = platform.sm4EncryptBlock(input.key, new Uint8Array(BLOCK_BYTES));
  const digest = ghash(hashKey, input.aad ?? new Uint8Array(0), ciphertext);
  const counter = counterBlock(input.iv, 1);
  return platform.sm4Ctr({ key: input.key, counter, data: digest });
}

function crypt(platform: GcmPlatform, input: Sm4GcmInput, data: Uint8Array): Uint8Array {
  // GCM counts in the last four bytes only. From 2 on, the data limit keeps that count from
  // wrapping, so counting in the whole block gives the same stream.
  return platform.sm4Ctr({ key: input.key, counter: counterBlock(input.iv, 2), data });
}

function checkInput(input: Sm4GcmInput): void {
  const isValid =
    input.key.length === BLOCK_BYTES &&
    input.iv.length === GCM_IV_BYTES &&
    input.data.length <= MAX_DATA_BYTES;
  if (!isValid) throw new CryptoError("CRYPTO_LENGTH_INVALID", "key 16, vector 12 bytes");
}

/** Ciphertext ‖ tag. */
export function gcmEncrypt(platform: GcmPlatform, input: Sm4GcmInput): Uint8Array {
  checkInput(input);
  const ciphertext = crypt(platform, input, input.data);
  return concatBytes(ciphertext, tagOf(platform, input, ciphertext));
}

/** Plaintext of ciphertext ‖ tag; the tag is judged before anything is decrypted. */
export function gcmDecrypt(platform: GcmPlatform, input: Sm4GcmInput): Uint8Array {
  checkInput(input);
  const end = input.data.length - GCM_TAG_BYTES;
  if (end < 0) throw new CryptoError("CRYPTO_TAG_INVALID", "shorter than a tag");
  const ciphertext = input.data.subarray(0, end);
  if (!equalInConstantTime(tagOf(platform, input, ciphertext), input.data.subarray(end))) {
    throw new CryptoError("CRYPTO_TAG_INVALID", "the tag does not fit");
  }
  return crypt(platform, input, ciphertext);
}
