/**
 * SM2, SM3, SM4, addresses, X.509 with SM2 and key files, on Node's OpenSSL.
 *
 * ```ts
 * import { addressFromPublicKey, formatAddress, generateKeyPair, sm2Sign, sm2Verify }
 *   from "@credlink/crypto";
 *
 * const { privateKey, publicKey } = generateKeyPair();
 * const message = new TextEncoder().encode("hello");
 * sm2Verify(publicKey, message, sm2Sign(privateKey, message)); // true
 * formatAddress(addressFromPublicKey(publicKey)); // cl1…
 * ```
 */
export * from "./common.ts";
export * from "./node/door.ts";
export { type KeyProtection, loadKeyFile, saveKeyFile } from "./node/key-file.ts";
export {
  type AgreementKey,
  checkAgreement,
  generateAgreementKey,
  openAgreementKey,
} from "./node/sm2-agreement.ts";
export type { VerificationRequest } from "./node/verification-batch.ts";
export {
  createVerificationPool,
  type VerificationPool,
  type VerificationPoolComponents,
  type VerificationPoolOptions,
} from "./node/verification-pool.ts";
export { prepareSm2Verification } from "./node/verifier.ts";
