import { createECDH } from "node:crypto";
import { publicKeyFromPrivate, sm3 } from "@credlink/crypto";
import { concatBytes, type Signer, utf8 } from "@credlink/primitives";
import {
  bytesToNumber,
  numberToBytes,
  SM2_CURVE,
  zInput,
} from "../../packages/crypto/src/sm2-curve.ts";

const { n } = SM2_CURVE;

/** The inverse modulo n, which is prime. */
function inverse(value: bigint): bigint {
  let result = 1n;
  let base = value % n;
  for (let exponent = n - 2n; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % n;
    base = (base * base) % n;
  }
  return result;
}

/** The x coordinate of k·G, by OpenSSL. */
function xOf(k: bigint): bigint {
  const exchange = createECDH("SM2");
  exchange.setPrivateKey(numberToBytes(k));
  return bytesToNumber(exchange.getPublicKey().subarray(1, 33));
}

/**
 * Signs with a nonce made of key and message, so that one seed makes the same bytes on every run.
 * For made-up keys alone. @see GB/T 32918.2-2016 §6.1
 */
export function createRepeatableSigner(privateKey: Uint8Array): Signer {
  const publicKey = publicKeyFromPrivate(privateKey);
  const d = bytesToNumber(privateKey);
  const factor = inverse(1n + d);
  const z = sm3(zInput(publicKey));
  const sign = (message: Uint8Array): Uint8Array => {
    const digest = sm3(concatBytes(z, message));
    for (let attempt = 0; ; attempt++) {
      const nonce = sm3(
        concatBytes(utf8("fuzz nonce"), Uint8Array.of(attempt), privateKey, digest),
      );
      const k = (bytesToNumber(nonce) % (n - 1n)) + 1n;
      const r = (bytesToNumber(digest) + xOf(k)) % n;
      const s = (factor * (k - ((r * d) % n) + n)) % n;
      if (r !== 0n && s !== 0n && r + k !== n) {
        return concatBytes(numberToBytes(r), numberToBytes(s));
      }
    }
  };
  return { publicKey, sign: async (message) => sign(message) };
}
