import { createKeyFileSuite } from "../key-file.ts";
import { createSuite } from "../suite.ts";
import { createX509Suite } from "../x509/suite.ts";
import { nodePlatform } from "./platform.ts";

export const {
  sm3,
  sm3OfAll,
  createSm3,
  taggedSm3,
  taggedSm3OfAll,
  prepareDigests,
  hmacSm3,
  pbkdf2HmacSm3,
  randomBytes,
  systemRandom,
  sm4CbcEncrypt,
  sm4CbcDecrypt,
  sm4Ctr,
  sm4CtrEncrypt,
  sm4CtrDecrypt,
  sm4GcmEncrypt,
  sm4GcmDecrypt,
  createSm4Gcm,
  generateKeyPair,
  publicKeyFromPrivate,
  createSm2Signer,
  sm2Sign,
  sm2Verify,
  sm2Encrypt,
  sm2Decrypt,
  addressFromPublicKey,
} = createSuite(nodePlatform);

export const {
  parseCertificate,
  parseCertificateBundle,
  parseSigningRequest,
  createCertificate,
  createSelfSignedCertificate,
  createSigningRequest,
  createRevocationList,
  verifySignatureOf,
  verifyCertificateChain,
  verifyAuthorityChain,
  verifyExternalChain,
} = createX509Suite(nodePlatform);

export const { encryptPrivateKey, decryptPrivateKey, plaintextPrivateKey } =
  createKeyFileSuite(nodePlatform);
