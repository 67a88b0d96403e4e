/** What both doors export in the same form. */
export { formatAddress, parseAddress } from "./address.ts";
export type { TaggedSm3 } from "./digests.ts";
export { CryptoError, type CryptoErrorCode, cryptoErrors } from "./errors.ts";
export { GCM_IV_BYTES, GCM_TAG_BYTES, type Sm4GcmInput } from "./gcm.ts";
export type { KeyPair, Sm3, Sm4CbcInput, Sm4CtrInput } from "./platform.ts";
export { equalInConstantTime as equalSecrets } from "./secrets.ts";
export {
  DEFAULT_SM2_ID,
  isValidPublicKey,
  PRIVATE_KEY_BYTES,
  PUBLIC_KEY_BYTES,
  SIGNATURE_BYTES,
} from "./sm2-curve.ts";
export { sm2SignatureFromDer, sm2SignatureToDer } from "./sm2-signature.ts";
