import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from "../sm2-curve.ts";

/** One signature to be verified. */
export interface VerificationRequest {
  /** 65 bytes. */
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  /** r ‖ s, 64 bytes. */
  readonly signature: Uint8Array;
}

// A batch is one block of shared memory, so that it crosses to a thread and back without a copy:
// count (u32), one result byte a request, then per request key, signature, message length (u32),
// message. Numbers are little-endian.
const COUNT_BYTES = 4;
const RECORD_BYTES = PUBLIC_KEY_BYTES + SIGNATURE_BYTES + 4;

/** Packs requests into shared memory. A key or signature of a wrong length is packed as zeros. */
export function packBatch(requests: readonly VerificationRequest[]): SharedArrayBuffer {
  let length = COUNT_BYTES + requests.length * (1 + RECORD_BYTES);
  for (const { message } of requests) length += message.length;
  const memory = new SharedArrayBuffer(length);
  const bytes = new Uint8Array(memory);
  const view = new DataView(memory);
  view.setUint32(0, requests.length, true);
  let at = COUNT_BYTES + requests.length;
  for (const { publicKey, message, signature } of requests) {
    // Zeros are never a signature, so a malformed request is answered with false like any other.
    if (publicKey.length === PUBLIC_KEY_BYTES && signature.length === SIGNATURE_BYTES) {
      bytes.set(publicKey, at);
      bytes.set(signature, at + PUBLIC_KEY_BYTES);
    }
    at += PUBLIC_KEY_BYTES + SIGNATURE_BYTES;
    view.setUint32(at, message.length, true);
    bytes.set(message, at + 4);
    at += 4 + message.length;
  }
  return memory;
}

/** Verifies every request of a packed batch and writes the results into it. */
export function verifyBatch(
  memory: SharedArrayBuffer,
  verifyAll: (requests: readonly VerificationRequest[]) => readonly boolean[],
): void {
  const bytes = new Uint8Array(memory);
  for (const [i, isGood] of verifyAll(unpackBatch(memory)).entries()) {
    bytes[COUNT_BYTES + i] = isGood ? 1 : 0;
  }
}

function unpackBatch(memory: SharedArrayBuffer): readonly VerificationRequest[] {
  const bytes = new Uint8Array(memory);
  const view = new DataView(memory);
  const count = view.getUint32(0, true);
  let at = COUNT_BYTES + count;
  return Array.from({ length: count }, () => {
    const signatureAt = at + PUBLIC_KEY_BYTES;
    const lengthAt = signatureAt + SIGNATURE_BYTES;
    const messageAt = lengthAt + 4;
    const end = messageAt + view.getUint32(lengthAt, true);
    const request = {
      publicKey: bytes.slice(at, signatureAt),
      message: bytes.slice(messageAt, end),
      signature: bytes.slice(signatureAt, lengthAt),
    };
    at = end;
    return request;
  });
}

/** The result of request `index` of a batch that was verified. */
export function batchResult(memory: SharedArrayBuffer, index: number): boolean {
  return new Uint8Array(memory)[COUNT_BYTES + index] === 1;
}
