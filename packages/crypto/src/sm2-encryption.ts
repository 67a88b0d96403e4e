import { concatBytes } from "@credlink/primitives";
import {
  assertStrictDer,
  DER_TAG,
  DerReader,
  derElement,
  derSequence,
  derUnsigned,
} from "./der.ts";
import { CryptoError } from "./errors.ts";
import type { Platform } from "./platform.ts";
import { sharedPoint } from "./pure/sm2.ts";
import { equalInConstantTime, wipe } from "./secrets.ts";
import { checkedPrivateKey, isValidPublicKey } from "./sm2-curve.ts";
import { joinNumbers } from "./sm2-signature.ts";

/**
 * SM2 public key encryption, in the DER form of GM/T 0009-2012 §7.2, which OpenSSL and GmSSL read:
 * SEQUENCE { x INTEGER, y INTEGER, digest OCTET STRING, ciphertext OCTET STRING }.
 *
 * Both doors compute d·P by noble: Node's ECDH refuses the SM2 curve ("Invalid key pair") and its
 * `publicEncrypt` refuses every key but RSA. Big integers are not constant in time, so this is for
 * keys and shares that are opened by hand, not for a service that answers to strangers.
 * @see GB/T 32918.4-2016
 */

/** Keys, shares and envelopes are short; what is long is encrypted by SM4 under a key of its own. */
export const MAX_SM2_PLAINTEXT_BYTES = 4_096;

const DIGEST_BYTES = 32;
const COORDINATE_BYTES = 32;

type EncryptionPlatform = Pick<Platform, "randomBytes" | "sm2PublicKey" | "sm3">;

/** KDF of GB/T 32918.4-2016 §5.4.3: SM3(Z ‖ counter), counter from 1. */
function deriveMask(platform: EncryptionPlatform, z: Uint8Array, length: number): Uint8Array {
  const mask = new Uint8Array(length);
  const counter = new Uint8Array(4);
  for (let at = 0, block = 1; at < length; at += DIGEST_BYTES, block++) {
    new DataView(counter.buffer).setUint32(0, block);
    const digest = platform.sm3(concatBytes(z, counter));
    mask.set(digest.subarray(0, Math.min(DIGEST_BYTES, length - at)), at);
  }
  return mask;
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, i) => byte ^ (b[i] ?? 0));
}

/** x2 ‖ message ‖ y2. */
function digestOf(platform: EncryptionPlatform, shared: Uint8Array, message: Uint8Array) {
  const x = shared.subarray(0, COORDINATE_BYTES);
  return platform.sm3(concatBytes(x, message, shared.subarray(COORDINATE_BYTES)));
}

/**
 * One attempt with the ephemeral key `k`; undefined when the standard asks for another one.
 * @see GB/T 32918.4-2016 §6.1
 */
export function encryptWithNonce(
  platform: EncryptionPlatform,
  publicKey: Uint8Array,
  message: Uint8Array,
  k: Uint8Array,
): Uint8Array | undefined {
  const point = platform.sm2PublicKey(k);
  const shared = sharedPoint(k, publicKey);
  const mask = deriveMask(platform, shared, message.length);
  try {
    if (mask.every((byte) => byte === 0)) return undefined;
    return derSequence(
      derUnsigned(point.subarray(1, 33)),
      derUnsigned(point.subarray(33)),
      derElement(DER_TAG.octetString, digestOf(platform, shared, message)),
      derElement(DER_TAG.octetString, xor(message, mask)),
    );
  } finally {
    wipe(shared, mask);
  }
}

/**
 * Encrypts 1 to 4,096 bytes for the holder of a private key.
 * @throws CryptoError CRYPTO_PUBLIC_KEY_INVALID, CRYPTO_LENGTH_INVALID
 */
export function sm2Encrypt(
  platform: EncryptionPlatform,
  publicKey: Uint8Array,
  message: Uint8Array,
): Uint8Array {
  if (!isValidPublicKey(publicKey)) {
    throw new CryptoError("CRYPTO_PUBLIC_KEY_INVALID", "not a point on the curve");
  }
  if (message.length === 0 || message.length > MAX_SM2_PLAINTEXT_BYTES) {
    throw new CryptoError("CRYPTO_LENGTH_INVALID", `1 to ${MAX_SM2_PLAINTEXT_BYTES} bytes`);
  }
  for (;;) {
    const k = platform.randomBytes(32);
    try {
      const ciphertext = encryptWithNonce(platform, publicKey, message, checkedPrivateKey(k));
      if (ciphertext !== undefined) return ciphertext;
    } catch (error) {
      // A draw outside 1 … n−2 turns up once in 2^32 tries.
      if (!(error instanceof CryptoError)) throw error;
    } finally {
      wipe(k);
    }
  }
}

interface Ciphertext {
  /** 65 bytes. */
  readonly point: Uint8Array;
  readonly digest: Uint8Array;
  readonly masked: Uint8Array;
}

function readCiphertext(der: Uint8Array): Ciphertext {
  assertStrictDer(der);
  const parts = new DerReader(der).enter();
  const coordinates = joinNumbers(parts.integer(), parts.integer());
  const digest = parts.read(DER_TAG.octetString).content;
  const masked = parts.read(DER_TAG.octetString).content;
  parts.end();
  const point = concatBytes(Uint8Array.of(4), coordinates ?? new Uint8Array(0));
  const isWhole = digest.length === DIGEST_BYTES && masked.length > 0;
  if (!isWhole || masked.length > MAX_SM2_PLAINTEXT_BYTES || !isValidPublicKey(point)) {
    throw new CryptoError("CRYPTO_DER_MALFORMED", "point, digest or length");
  }
  return { point, digest, masked };
}

/**
 * The plaintext, once its digest was found to fit.
 * @throws CryptoError CRYPTO_CIPHERTEXT_INVALID for bytes of another form, altered ones, and ones
 *   for another key; CRYPTO_PRIVATE_KEY_INVALID
 */
export function sm2Decrypt(
  platform: EncryptionPlatform,
  privateKey: Uint8Array,
  ciphertext: Uint8Array,
): Uint8Array {
  const key = checkedPrivateKey(privateKey);
  try {
    const { point, digest, masked } = readCiphertext(ciphertext);
    const shared = sharedPoint(key, point);
    const mask = deriveMask(platform, shared, masked.length);
    const message = xor(masked, mask);
    const isIt = equalInConstantTime(digestOf(platform, shared, message), digest);
    wipe(shared, mask);
    if (isIt) return message;
    wipe(message);
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    throw new CryptoError("CRYPTO_CIPHERTEXT_INVALID", "not an SM2 ciphertext", { cause });
  } finally {
    wipe(key);
  }
  throw new CryptoError("CRYPTO_CIPHERTEXT_INVALID", "altered, or for another key");
}
