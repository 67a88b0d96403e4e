import type { SignatureVerifier } from "@credlink/node/engine";
import { equalBytes, type Signer } from "@credlink/primitives";

const LANES = 8;

function mix(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/**
 * Stands for a signature in bulk runs: 64 bytes that depend on every byte of key and message.
 * Anybody could compute it; simulated nodes only ever do so with keys of their own.
 */
export function fakeSignature(publicKey: Uint8Array, message: Uint8Array): Uint8Array {
  let state = 0x9e3779b9;
  for (const byte of publicKey) state = Math.imul(state ^ byte, 0x01000193);
  for (const byte of message) state = Math.imul(state ^ byte, 0x01000193);
  const signature = new Uint8Array(8 * LANES);
  const view = new DataView(signature.buffer);
  for (let lane = 0; lane < 2 * LANES; lane++) {
    state = mix((state + lane + 1) >>> 0);
    view.setUint32(4 * lane, state);
  }
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
