import type { SignatureVerifier } from "@credlink/node/engine";
import { equalBytes, type Signer } from "@credlink/primitives";
import { fastDigest } from "./fast-digest.ts";

/**
 * Stands for a signature in bulk runs: 64 bytes that depend on every byte of key and message.
 * Anybody could compute it; simulated nodes only ever do so with keys of their own.
 */
export function fakeSignature(publicKey: Uint8Array, message: Uint8Array): Uint8Array {
  const digest = fastDigest(publicKey, [message]);
  const signature = new Uint8Array(2 * digest.length);
  signature.set(digest);
  signature.set(digest, digest.length);
  return signature;
}

/** Whether `signature` is the fake one of this key and message. */
export function verifyFake(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  return equalBytes(fakeSignature(publicKey, message), signature);
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
