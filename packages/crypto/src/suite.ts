import { type Address, invariant, type Random, type Signer } from "@credlink/primitives";
import { deriveAddress } from "./address.ts";
import { digestReplacement } from "./digest-replacement.ts";
import { createDigests, type Digests } from "./digests.ts";
import { CryptoError } from "./errors.ts";
import { createGcm, gcmDecrypt, gcmEncrypt, type Sm4Gcm, type Sm4GcmInput } from "./gcm.ts";
import type { KeyPair, Platform, Sm3, Sm4CbcInput, Sm4CtrInput } from "./platform.ts";
import { createRandom } from "./random.ts";
import { wipe } from "./secrets.ts";
import { checkedPrivateKey, isSignatureInRange } from "./sm2-curve.ts";
import { sm2Decrypt, sm2Encrypt } from "./sm2-encryption.ts";

/** Digests, ciphers and signatures: the same door over either platform. */
export interface Suite {
  /** SM3 of a whole message: 32 bytes. @see GB/T 32905-2016 */
  readonly sm3: (data: Uint8Array) => Uint8Array;
  /** Starts an SM3 computation that takes its message in pieces. */
  readonly createSm3: () => Sm3;
  readonly sm3OfAll: Digests["sm3OfAll"];
  readonly taggedSm3: Digests["taggedSm3"];
  readonly taggedSm3OfAll: Digests["taggedSm3OfAll"];
  readonly prepareDigests: Digests["prepareDigests"];
  /** HMAC-SM3: 32 bytes. @see RFC 2104 */
  readonly hmacSm3: (key: Uint8Array, data: Uint8Array) => Uint8Array;
  /** PBKDF2 with HMAC-SM3; iterations from 1. @see RFC 8018 §5.2 */
  readonly pbkdf2HmacSm3: Platform["pbkdf2HmacSm3"];
  /** Bytes fit for keys and nonces. */
  readonly randomBytes: (length: number) => Uint8Array;
  /** The machine's own randomness behind the Random interface. */
  readonly systemRandom: Random;
  /** SM4-CBC with PKCS#7 padding. @throws CryptoError CRYPTO_LENGTH_INVALID */
  readonly sm4CbcEncrypt: (input: Sm4CbcInput) => Uint8Array;
  /** @throws CryptoError CRYPTO_LENGTH_INVALID, CRYPTO_PADDING_INVALID */
  readonly sm4CbcDecrypt: (input: Sm4CbcInput) => Uint8Array;
  /** SM4-CTR; encrypts and decrypts. @throws CryptoError CRYPTO_LENGTH_INVALID */
  readonly sm4Ctr: (input: Sm4CtrInput) => Uint8Array;
  /** The same function as `sm4Ctr`, under the name that the caller means. */
  readonly sm4CtrEncrypt: (input: Sm4CtrInput) => Uint8Array;
  /** The same function as `sm4Ctr`, under the name that the caller means. */
  readonly sm4CtrDecrypt: (input: Sm4CtrInput) => Uint8Array;
  /** Ciphertext ‖ tag (16 bytes). @throws CryptoError CRYPTO_LENGTH_INVALID. @see RFC 8998 */
  readonly sm4GcmEncrypt: (input: Sm4GcmInput) => Uint8Array;
  /** @throws CryptoError CRYPTO_LENGTH_INVALID, CRYPTO_TAG_INVALID */
  readonly sm4GcmDecrypt: (input: Sm4GcmInput) => Uint8Array;
  /** SM4-GCM under one key (16 bytes), for many messages. @throws CryptoError CRYPTO_LENGTH_INVALID */
  readonly createSm4Gcm: (key: Uint8Array) => Sm4Gcm;
  /** A fresh SM2 key pair. */
  readonly generateKeyPair: () => KeyPair;
  /** 65 bytes. @throws CryptoError CRYPTO_PRIVATE_KEY_INVALID */
  readonly publicKeyFromPrivate: (privateKey: Uint8Array) => Uint8Array;
  /**
   * A signer that holds the key in memory; it keeps no view on the bytes given, which the caller
   * can wipe. @throws CryptoError CRYPTO_PRIVATE_KEY_INVALID
   */
  readonly createSm2Signer: (privateKey: Uint8Array) => Signer;
  /** r ‖ s under the default ID. @throws CryptoError CRYPTO_PRIVATE_KEY_INVALID */
  readonly sm2Sign: (privateKey: Uint8Array, message: Uint8Array) => Uint8Array;
  /** Whether r ‖ s is a signature of `message`. Total: false for any other bytes. */
  readonly sm2Verify: (
    publicKey: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array,
  ) => boolean;
  /**
   * Encrypts 1 to 4,096 bytes for the holder of a private key: DER of GM/T 0009-2012.
   * @throws CryptoError CRYPTO_PUBLIC_KEY_INVALID, CRYPTO_LENGTH_INVALID
   */
  readonly sm2Encrypt: (publicKey: Uint8Array, message: Uint8Array) => Uint8Array;
  /** @throws CryptoError CRYPTO_CIPHERTEXT_INVALID, CRYPTO_PRIVATE_KEY_INVALID */
  readonly sm2Decrypt: (privateKey: Uint8Array, ciphertext: Uint8Array) => Uint8Array;
  /** A member's address. @throws CryptoError CRYPTO_PUBLIC_KEY_INVALID */
  readonly addressFromPublicKey: (publicKey: Uint8Array) => Address;
}

const SM4_BYTES = 16;

function checkSm4(...values: readonly Uint8Array[]): void {
  if (values.some((value) => value.length !== SM4_BYTES)) {
    throw new CryptoError("CRYPTO_LENGTH_INVALID", "SM4 keys, vectors and counters have 16 bytes");
  }
}

function cbcDecrypt(platform: Platform, input: Sm4CbcInput): Uint8Array {
  checkSm4(input.key, input.iv);
  if (input.data.length === 0 || input.data.length % SM4_BYTES !== 0) {
    throw new CryptoError("CRYPTO_LENGTH_INVALID", "a CBC ciphertext is whole blocks");
  }
  const plaintext = platform.sm4CbcDecrypt(input);
  if (plaintext === undefined) throw new CryptoError("CRYPTO_PADDING_INVALID", "wrong padding");
  return plaintext;
}

function generateKeyPair(platform: Platform): KeyPair {
  for (;;) {
    // A candidate outside 1 … n−2 turns up once in 2^32 draws.
    const candidate = platform.randomBytes(32);
    try {
      const privateKey = checkedPrivateKey(candidate);
      return { privateKey, publicKey: platform.sm2PublicKey(privateKey) };
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error;
    }
  }
}

function createSigner(platform: Platform, privateKey: Uint8Array): Signer {
  const key = checkedPrivateKey(privateKey);
  const publicKey = platform.sm2PublicKey(key);
  const sign = platform.sm2SignWith(key);
  wipe(key);
  return { publicKey, sign: async (message) => sign(message) };
}

function ciphers(platform: Platform) {
  const sm4Ctr = (input: Sm4CtrInput): Uint8Array => {
    checkSm4(input.key, input.counter);
    return platform.sm4Ctr(input);
  };
  return {
    sm4CbcEncrypt: (input: Sm4CbcInput): Uint8Array => {
      checkSm4(input.key, input.iv);
      return platform.sm4CbcEncrypt(input);
    },
    sm4CbcDecrypt: (input: Sm4CbcInput) => cbcDecrypt(platform, input),
    sm4Ctr,
    sm4CtrEncrypt: sm4Ctr,
    sm4CtrDecrypt: sm4Ctr,
    sm4GcmEncrypt: (input: Sm4GcmInput) => gcmEncrypt(platform, input),
    sm4GcmDecrypt: (input: Sm4GcmInput) => gcmDecrypt(platform, input),
    createSm4Gcm: (key: Uint8Array) => createGcm(platform, key),
  };
}

/** Builds the door over one platform, checking whatever the platform takes for granted. */
export function createSuite(platform: Platform): Suite {
  const digests = createDigests(platform.sm3);
  return {
    sm3: (data) => digestReplacement()?.(data, []) ?? platform.sm3(data),
    createSm3: platform.createSm3,
    ...digests,
    hmacSm3: platform.hmacSm3,
    pbkdf2HmacSm3: (password, salt, iterations, lengthBytes) => {
      invariant(Number.isInteger(iterations) && iterations > 0, "PBKDF2 iterates at least once");
      return platform.pbkdf2HmacSm3(password, salt, iterations, lengthBytes);
    },
    randomBytes: platform.randomBytes,
    systemRandom: createRandom(platform.randomBytes),
    ...ciphers(platform),
    generateKeyPair: () => generateKeyPair(platform),
    publicKeyFromPrivate: (privateKey) => platform.sm2PublicKey(checkedPrivateKey(privateKey)),
    createSm2Signer: (privateKey) => createSigner(platform, privateKey),
    sm2Sign: (privateKey, message) => platform.sm2Sign(checkedPrivateKey(privateKey), message),
    sm2Verify: (publicKey, message, signature) =>
      isSignatureInRange(signature) && platform.sm2Verify(publicKey, message, signature),
    sm2Encrypt: (publicKey, message) => sm2Encrypt(platform, publicKey, message),
    sm2Decrypt: (privateKey, ciphertext) => sm2Decrypt(platform, privateKey, ciphertext),
    addressFromPublicKey: (publicKey) => deriveAddress(digests.taggedSm3, publicKey),
  };
}
