/** What both doors export in the same form. */

export { formatAddress, parseAddress } from "./address.ts";
export type { MessageParts, TaggedSm3 } from "./digests.ts";
export { CryptoError, type CryptoErrorCode, cryptoErrors } from "./errors.ts";
export {
  GCM_IV_BYTES,
  GCM_TAG_BYTES,
  type Sm4Gcm,
  type Sm4GcmInput,
  type Sm4GcmMessage,
} from "./gcm.ts";
export type { Sm2Backend } from "./kernel/lazy-verifier.ts";
export { publicKeyFromPem, publicKeyToPem } from "./key-encoding.ts";
export { DEFAULT_KEY_ITERATIONS, type KeyFileAccess } from "./key-file.ts";
export { cryptoMetrics } from "./metrics.ts";
export {
  BLINDING_BYTES,
  drawBlindingFactor,
  pedersenCommit,
  pedersenGenerator,
  sumBlindingFactors,
} from "./pedersen/commitment.ts";
export { isZeroPointSum, POINT_BYTES, preparePointSums } from "./pedersen/point-sum.ts";
export { decodePem, decodePemBlocks, encodePem } from "./pem.ts";
export type { KeyPair, Sm3, Sm4CbcInput, Sm4CtrInput } from "./platform.ts";
export { equalInConstantTime as equalSecrets, wipe } from "./secrets.ts";
export {
  DEFAULT_SM2_ID,
  isValidPublicKey,
  PRIVATE_KEY_BYTES,
  PUBLIC_KEY_BYTES,
  SIGNATURE_BYTES,
} from "./sm2-curve.ts";
export { MAX_SM2_PLAINTEXT_BYTES } from "./sm2-encryption.ts";
export { sm2SignatureFromDer, sm2SignatureToDer } from "./sm2-signature.ts";
export { type Certificate, type CertificateRefusal, certificateToPem } from "./x509/certificate.ts";
export type { ChainContext, ChainInput, ChainRefusal, VerifiedChain } from "./x509/chain.ts";
export type { CertificateConstraints, CertificateExtension, KeyUsage } from "./x509/extensions.ts";
export type { CertificateContent, RevocationListContent } from "./x509/issue.ts";
export type { DistinguishedName } from "./x509/names.ts";
export {
  parseRevocationList,
  type Revocation,
  type RevocationList,
  type RevocationListRefusal,
  type RevocationReason,
  revocationListToPem,
} from "./x509/revocation-list.ts";
export { ROLES, type Role, roleOf } from "./x509/roles.ts";
export type { SignedParts } from "./x509/signed.ts";
export {
  type SigningRequest,
  type SigningRequestRefusal,
  signingRequestToPem,
} from "./x509/signing-request.ts";
export { MAX_MEMBER_VALIDITY_MS } from "./x509/validity.ts";
