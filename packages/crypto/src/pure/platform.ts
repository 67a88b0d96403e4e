import type { Platform } from "../platform.ts";
import { hmacSm3, pbkdf2HmacSm3 } from "./hmac.ts";
import { publicKeyOf, signWithNoble } from "./sm2.ts";
import { createSm3, sm3 } from "./sm3.ts";
import { sm4CbcDecrypt, sm4CbcEncrypt, sm4Ctr, sm4EncryptBlock } from "./sm4.ts";
import { verifier } from "./verifier.ts";

/** The most that one call of Web Crypto's generator fills. */
const RANDOM_CHUNK_BYTES = 65_536;

function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += RANDOM_CHUNK_BYTES) {
    globalThis.crypto.getRandomValues(bytes.subarray(at, at + RANDOM_CHUNK_BYTES));
  }
  return bytes;
}

/** SM2 over noble's curve arithmetic, SM3 and SM4 in TypeScript: runs in every browser. */
export const purePlatform: Platform = {
  sm3,
  createSm3,
  hmacSm3,
  pbkdf2HmacSm3,
  randomBytes,
  sm4EncryptBlock,
  sm4CbcEncrypt: ({ key, iv, data }) => sm4CbcEncrypt(key, iv, data),
  sm4CbcDecrypt: ({ key, iv, data }) => sm4CbcDecrypt(key, iv, data),
  sm4Ctr: ({ key, counter, data }) => sm4Ctr(key, counter, data),
  sm2PublicKey: publicKeyOf,
  sm2Sign: (privateKey, message) => signWithNoble(privateKey, message, randomBytes),
  sm2SignWith: (privateKey) => {
    const key = privateKey.slice();
    return (message) => signWithNoble(key, message, randomBytes);
  },
  sm2Verify: verifier.verify,
};
