import { concatBytes } from "@credlink/primitives";
import { weierstrass } from "@noble/curves/abstract/weierstrass.js";
import { bytesToNumber, isValidPublicKey, numberToBytes, SM2_CURVE, zInput } from "../sm2-curve.ts";
import { sm3 } from "./sm3.ts";

const { n } = SM2_CURVE;
const Point = weierstrass(SM2_CURVE);

function modulo(value: bigint): bigint {
  const rest = value % n;
  return rest < 0n ? rest + n : rest;
}

/** Inverse modulo the prime n, by Fermat's theorem. */
function inverse(value: bigint): bigint {
  return Point.Fn.inv(value);
}

/** The public key of a private key that was checked: 65 bytes. */
export function publicKeyOf(privateKey: Uint8Array): Uint8Array {
  return Point.BASE.multiply(bytesToNumber(privateKey)).toBytes(false);
}

/** d·P of keys that were checked, x ‖ y: 64 bytes. The curve's cofactor is 1: never infinity. */
export function sharedPoint(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const point = Point.fromBytes(publicKey).multiply(bytesToNumber(privateKey));
  return point.toBytes(false).slice(1);
}

/** e = SM3(Z ‖ message) as a number. @see GB/T 32918.2-2016 §6.1 A1, A2 */
function messageNumber(publicKey: Uint8Array, message: Uint8Array): bigint {
  return bytesToNumber(sm3(concatBytes(sm3(zInput(publicKey)), message)));
}

/**
 * One attempt to sign with the nonce `k`; undefined when the standard asks for another nonce.
 * @see GB/T 32918.2-2016 §6.1 A3 to A7
 */
export function signWithNonce(
  privateKey: Uint8Array,
  message: Uint8Array,
  k: bigint,
): Uint8Array | undefined {
  const d = bytesToNumber(privateKey);
  const e = messageNumber(publicKeyOf(privateKey), message);
  const r = modulo(e + Point.BASE.multiply(k).x);
  if (r === 0n || r + k === n) return undefined;
  const s = modulo(inverse(modulo(1n + d)) * modulo(k - r * d));
  if (s === 0n || r + s === n) return undefined;
  return concatBytes(numberToBytes(r), numberToBytes(s));
}

/** r ‖ s under the default ID with a fresh nonce from `randomBytes`. */
export function signWithNoble(
  privateKey: Uint8Array,
  message: Uint8Array,
  randomBytes: (length: number) => Uint8Array,
): Uint8Array {
  for (;;) {
    const k = bytesToNumber(randomBytes(32));
    if (k < 1n || k >= n) continue;
    const signature = signWithNonce(privateKey, message, k);
    if (signature !== undefined) return signature;
  }
}

/** Verification by noble. The signature's range was checked; false for any bad public key. */
export function verifyWithNoble(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (!isValidPublicKey(publicKey)) return false;
  const r = bytesToNumber(signature.subarray(0, 32));
  const s = bytesToNumber(signature.subarray(32));
  const t = modulo(r + s);
  if (t === 0n) return false;
  const sum = Point.BASE.mulAddUnsafe(s, Point.fromBytes(publicKey), t);
  if (sum.is0()) return false;
  return modulo(messageNumber(publicKey, message) + sum.x) === r;
}
