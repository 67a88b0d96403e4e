import { concatBytes, fromHex, toHex, utf8 } from "@credlink/primitives";
import { CryptoError } from "./errors.ts";

/** The recommended curve of GB/T 32918.5-2017: y² = x³ + ax + b over F_p, base point of order n. */
export const SM2_CURVE = {
  p: 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn,
  a: 0xfffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffcn,
  b: 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n,
  n: 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n,
  h: 1n,
  Gx: 0x32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7n,
  Gy: 0xbc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0n,
} as const;

export const PUBLIC_KEY_BYTES = 65;
export const PRIVATE_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

/** The ID that signer and verifier put into Z. @see GM/T 0009-2012 §10 */
export const DEFAULT_SM2_ID = "1234567812345678";

/** Big-endian bytes as a number. */
export function bytesToNumber(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`);
}

/** A number below 2^256 as 32 bytes, big-endian. */
export function numberToBytes(value: bigint): Uint8Array {
  return fromHex(value.toString(16).padStart(64, "0"));
}

const ORDER_BYTES = numberToBytes(SM2_CURVE.n);

const Z_PREFIX = concatBytes(
  Uint8Array.of(0, 8 * DEFAULT_SM2_ID.length),
  utf8(DEFAULT_SM2_ID),
  ...[SM2_CURVE.a, SM2_CURVE.b, SM2_CURVE.Gx, SM2_CURVE.Gy].map(numberToBytes),
);

/** What Z is the SM3 digest of, under the default ID. @see GB/T 32918.2-2016 §5.5 */
export function zInput(publicKey: Uint8Array): Uint8Array {
  return concatBytes(Z_PREFIX, publicKey.subarray(1));
}

/** Whether the bytes are an uncompressed point on the curve (65 bytes; infinity has no such form). */
export function isValidPublicKey(publicKey: Uint8Array): boolean {
  if (publicKey.length !== PUBLIC_KEY_BYTES || publicKey[0] !== 0x04) return false;
  const { p, a, b } = SM2_CURVE;
  const x = bytesToNumber(publicKey.subarray(1, 33));
  const y = bytesToNumber(publicKey.subarray(33));
  if (x >= p || y >= p) return false;
  // The cofactor is 1, so every point of the curve has order n.
  return (y * y - (x * x * x + a * x + b)) % p === 0n;
}

/**
 * A private key as 32 bytes; shorter ones, whose leading zeros were dropped, are padded.
 * @throws CryptoError CRYPTO_PRIVATE_KEY_INVALID outside 1 … n−2. @see GB/T 32918.1-2016 §6.1
 */
export function checkedPrivateKey(privateKey: Uint8Array): Uint8Array {
  const value = privateKey.length <= PRIVATE_KEY_BYTES ? bytesToNumber(privateKey) : 0n;
  if (value < 1n || value > SM2_CURVE.n - 2n) {
    throw new CryptoError("CRYPTO_PRIVATE_KEY_INVALID", "not a private key of the SM2 curve");
  }
  const key = new Uint8Array(PRIVATE_KEY_BYTES);
  key.set(privateKey, PRIVATE_KEY_BYTES - privateKey.length);
  return key;
}

/** Compares 32 bytes of `bytes` at `offset` with n, both big-endian. */
function isBelowOrder(bytes: Uint8Array, offset: number): boolean {
  for (let i = 0; i < 32; i++) {
    const difference = (bytes[offset + i] ?? 0) - (ORDER_BYTES[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function isZero(bytes: Uint8Array, offset: number): boolean {
  for (let i = 0; i < 32; i++) if (bytes[offset + i] !== 0) return false;
  return true;
}

/** Whether r + s = n, which makes t = 0 and would let a signature verify without the key. */
function sumIsOrder(signature: Uint8Array): boolean {
  let carry = 0;
  for (let i = 31; i >= 0; i--) {
    carry += (signature[i] ?? 0) + (signature[32 + i] ?? 0);
    if ((carry & 0xff) !== ORDER_BYTES[i]) return false;
    carry >>>= 8;
  }
  return carry === 0;
}

/** Whether the bytes are r ‖ s with 1 ≤ r, s ≤ n−1 and r + s ≠ n. @see GB/T 32918.2-2016 §7.1 */
export function isSignatureInRange(signature: Uint8Array): boolean {
  return (
    signature.length === SIGNATURE_BYTES &&
    isBelowOrder(signature, 0) &&
    isBelowOrder(signature, 32) &&
    !isZero(signature, 0) &&
    !isZero(signature, 32) &&
    !sumIsOrder(signature)
  );
}
