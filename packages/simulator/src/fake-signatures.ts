import type { SignatureVerifier } from "@credlink/node/engine";
import { allocateBytes, equalBytes, type Signer } from "@credlink/primitives";
import { fastDigest } from "./fast-digest.ts";

/**
 * Stands for a signature in bulk runs: 64 bytes that depend on every byte of key and message.
 * Anybody could compute it; simulated nodes only ever do so with keys of their own.
 */
export function fakeSignature(publicKey: Uint8Array, message: Uint8Array): Uint8Array {
  const digest = fastDigest(publicKey, [message]);
  const signature = allocateBytes(2 * digest.length);
  signature.set(digest);
  signature.set(digest, digest.length);
  return signature;
}

/** Signatures found good, by the very object, with what they are of: receivers share what they read. */
const verified = new WeakMap<
  Uint8Array,
  { readonly publicKey: Uint8Array; readonly message: Uint8Array }
>();

/** Whether `signature` is the fake one of this key and message. */
export function verifyFake(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const known = verified.get(signature);
  if (known !== undefined && isSame(known.message, message) && isSame(known.publicKey, publicKey)) {
    return true;
  }
  const holds = equalBytes(fakeSignature(publicKey, message), signature);
  if (holds) verified.set(signature, { publicKey, message });
  return holds;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || equalBytes(a, b);
}

/** Signs without arithmetic. */
export function createFakeSigner(publicKey: Uint8Array): Signer {
  return { publicKey, sign: async (message) => fakeSignature(publicKey, message) };
}

/** Verifies what `createFakeSigner` signs. */
export const fakeVerifier: SignatureVerifier = {
  verify: async (requests) =>
    requests.map(({ publicKey, message, signature }) => verifyFake(publicKey, message, signature)),
};
