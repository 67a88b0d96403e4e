import {
  createSm4Gcm,
  generateAgreementKey,
  hmacSm3,
  PUBLIC_KEY_BYTES,
  sm3,
} from "@credlink/crypto";
import type { NoiseCipher, NoisePrimitives } from "./noise-primitives.ts";

const SM4_KEY_BYTES = 16;
const IV_BYTES = 12;

/**
 * SM4-GCM under 32 bytes of a Noise key: the first 16 are SM4's key, the next 12 a mask that is
 * joined to the nonce by XOR, so that keys of 128 bits cannot be searched for in many sessions at
 * once. @see RFC 8446 §5.3, RFC 8998 §3
 */
function createCipher(key: Uint8Array): NoiseCipher {
  const gcm = createSm4Gcm(key.subarray(0, SM4_KEY_BYTES));
  const mask = key.slice(SM4_KEY_BYTES, SM4_KEY_BYTES + IV_BYTES);
  const ivOf = (nonce: bigint): Uint8Array => {
    const iv = new Uint8Array(IV_BYTES);
    new DataView(iv.buffer).setBigUint64(IV_BYTES - 8, nonce);
    return iv.map((byte, i) => byte ^ (mask[i] ?? 0));
  };
  return {
    seal: (nonce, data, aad) => gcm.seal({ iv: ivOf(nonce), aad, data }),
    open: (nonce, data, aad) => gcm.open({ iv: ivOf(nonce), aad, data }),
    wipe() {
      gcm.wipe();
      mask.fill(0);
    },
  };
}

/** SM2, SM4-GCM and SM3 for Noise: our own profile, docs/protocol/transport.md. */
export const gmPrimitives: NoisePrimitives = {
  name: "Noise_XX_SM2_SM4GCM_SM3",
  publicKeyBytes: PUBLIC_KEY_BYTES,
  generateKey: generateAgreementKey,
  hash: sm3,
  hmac: hmacSm3,
  createCipher,
};
