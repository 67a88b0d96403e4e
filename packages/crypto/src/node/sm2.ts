import {
  createECDH,
  createPrivateKey,
  createPublicKey,
  createSign,
  createVerify,
  hash,
  type KeyObject,
} from "node:crypto";
import { encodePrivateKeyInfo, encodeSubjectPublicKeyInfo } from "../key-encoding.ts";
import { LruCache } from "../lru.ts";
import { wipe } from "../secrets.ts";
import { isValidPublicKey, zInput } from "../sm2-curve.ts";
import { decodeOwnSignature, encodeSignatureDer } from "../sm2-signature.ts";

/**
 * A key that OpenSSL imported, and the digest Z that stands in front of every message.
 *
 * OpenSSL computes Z itself only for an ID that Node cannot set. Streaming `Sign` and `Verify`
 * run plain SM3 over what they are given, so Z is given first. Keys are imported from DER: only
 * then does OpenSSL take them for SM2; a key object fresh from `generateKeyPairSync` signs ECDSA.
 */
interface ImportedKey {
  readonly key: KeyObject;
  readonly z: Uint8Array;
}

/** About 2 KB an entry. A network of thousands of active members fits. */
const PUBLIC_KEYS = 8192;
const PRIVATE_KEYS = 64;

const publicKeys = new LruCache<string, ImportedKey>(PUBLIC_KEYS);
const privateKeys = new LruCache<string, ImportedKey>(PRIVATE_KEYS);

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** Imports and remembers a public key; undefined when it is not a point on the curve. */
function importPublicKey(publicKey: Uint8Array): ImportedKey | undefined {
  const name = text(publicKey);
  const known = publicKeys.get(name);
  if (known !== undefined) return known;
  if (!isValidPublicKey(publicKey)) return undefined;
  const key = createPublicKey({
    key: Buffer.from(encodeSubjectPublicKeyInfo(publicKey)),
    format: "der",
    type: "spki",
  });
  const imported = { key, z: hash("sm3", zInput(publicKey), "buffer") };
  publicKeys.set(name, imported);
  return imported;
}

function importPrivateKey(privateKey: Uint8Array): ImportedKey {
  const exchange = createECDH("SM2");
  exchange.setPrivateKey(privateKey);
  const publicKey = exchange.getPublicKey();
  const der = encodePrivateKeyInfo(privateKey, publicKey);
  const key = createPrivateKey({
    key: Buffer.from(der.buffer, der.byteOffset, der.length),
    format: "der",
    type: "pkcs8",
  });
  wipe(der);
  return { key, z: hash("sm3", zInput(publicKey), "buffer") };
}

/** Imports and remembers a private key for callers who hold on to its bytes. */
function rememberPrivateKey(privateKey: Uint8Array): ImportedKey {
  // Named by its digest, so that the cache holds no second copy of the secret.
  const name = hash("sm3", privateKey, "hex");
  const known = privateKeys.get(name);
  if (known !== undefined) return known;
  const imported = importPrivateKey(privateKey);
  privateKeys.set(name, imported);
  return imported;
}

function signImported({ key, z }: ImportedKey, message: Uint8Array): Uint8Array {
  return decodeOwnSignature(createSign("sm3").update(z).update(message).sign(key));
}

/** r ‖ s by OpenSSL, under the default ID, with a private key that was checked. */
export function signWithOpenssl(privateKey: Uint8Array, message: Uint8Array): Uint8Array {
  return signImported(rememberPrivateKey(privateKey), message);
}

/**
 * The same with a key that is kept in OpenSSL's memory alone, which clears it when the function
 * returned here is collected.
 */
export function openSigningKey(privateKey: Uint8Array): (message: Uint8Array) => Uint8Array {
  const imported = importPrivateKey(privateKey);
  return (message) => signImported(imported, message);
}

/** Verification by OpenSSL. The signature's range was checked; false for any bad public key. */
export function verifyWithOpenssl(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const imported = importPublicKey(publicKey);
  if (imported === undefined) return false;
  const { key, z } = imported;
  return createVerify("sm3").update(z).update(message).verify(key, encodeSignatureDer(signature));
}
