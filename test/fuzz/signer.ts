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

interface Nonce {
  readonly k: bigint;
  /** The x coordinate of k·G. */
  readonly x: bigint;
}

/** Nonces of all signatures: a multiplication on the curve costs more than all else of an execution. */
const NONCES = 256;
const nonces = new Map<number, Nonce>();

/** A nonce and its point, made by OpenSSL when it is first wanted. */
function nonceOf(place: number): Nonce {
  const known = nonces.get(place);
  if (known !== undefined) return known;
  const k = (bytesToNumber(sm3(utf8(`fuzz nonce ${place}`))) % (n - 1n)) + 1n;
  const exchange = createECDH("SM2");
  exchange.setPrivateKey(numberToBytes(k));
  const made = { k, x: bytesToNumber(exchange.getPublicKey().subarray(1, 33)) };
  nonces.set(place, made);
  return made;
}

/**
 * Signs with one of a few nonces, chosen by key and message, so that one seed makes the same bytes on every
 * run, and fast. Whoever has two signatures under one nonce has the key: for made-up keys alone.
 * @see GB/T 32918.2-2016 §6.1
 */
export function createRepeatableSigner(privateKey: Uint8Array): Signer {
  const publicKey = publicKeyFromPrivate(privateKey);
  const d = bytesToNumber(privateKey);
  const factor = inverse(1n + d);
  const z = sm3(zInput(publicKey));
  const sign = (message: Uint8Array): Uint8Array => {
    const digest = sm3(concatBytes(z, message));
    const [first = 0] = sm3(concatBytes(utf8("fuzz nonce"), privateKey, digest));
    for (let place = first; ; place = (place + 1) % NONCES) {
      const { k, x } = nonceOf(place);
      const r = (bytesToNumber(digest) + x) % n;
      const s = (factor * (k - ((r * d) % n) + n)) % n;
      if (r !== 0n && s !== 0n && r + k !== n) {
        return concatBytes(numberToBytes(r), numberToBytes(s));
      }
    }
  };
  return { publicKey, sign: async (message) => sign(message) };
}
