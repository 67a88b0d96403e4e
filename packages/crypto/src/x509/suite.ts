import type { Result } from "@credlink/primitives";
import type { Platform } from "../platform.ts";
import { isSignatureInRange } from "../sm2-curve.ts";
import {
  type Certificate,
  type CertificateRefusal,
  parseCertificate,
  parseCertificateBundle,
} from "./certificate.ts";
import {
  verifyAuthorityChain,
  verifyCertificateChain,
  verifyExternalChain,
  verifySignatureOf,
} from "./chain.ts";
import {
  createCertificate,
  createRevocationList,
  createSelfSignedCertificate,
  createSigningRequest,
} from "./issue.ts";
import type { SignedParts } from "./signed.ts";
import { parseSigningRequest } from "./signing-request.ts";

/** A function of this folder whose first parameter, the platform, is given. */
type Bound<F> = F extends (platform: never, ...rest: infer Rest) => infer Value
  ? (...rest: Rest) => Value
  : never;

/** X.509 over one platform. */
export interface X509Suite {
  /** Reads one certificate from DER, or from PEM text that holds exactly one. */
  readonly parseCertificate: (
    input: Uint8Array | string,
  ) => Result<Certificate, CertificateRefusal>;
  /** Reads every certificate of a PEM text, in its order; one that is bad refuses the whole. */
  readonly parseCertificateBundle: Bound<typeof parseCertificateBundle>;
  /** Reads a PKCS#10 request and verifies that its maker holds the key. */
  readonly parseSigningRequest: Bound<typeof parseSigningRequest>;
  /** Issues a certificate under an issuer whose key the signer holds. */
  readonly createCertificate: Bound<typeof createCertificate>;
  /** Issues a root CA's certificate, signed with its own key. */
  readonly createSelfSignedCertificate: Bound<typeof createSelfSignedCertificate>;
  /** Makes a PKCS#10 request for the signer's key. */
  readonly createSigningRequest: Bound<typeof createSigningRequest>;
  /** Issues the revocation list of an issuer whose key the signer holds. */
  readonly createRevocationList: Bound<typeof createRevocationList>;
  /** Whether `issuerKey` (65 bytes) signed a certificate, request or list. */
  readonly verifySignatureOf: (signed: SignedParts, issuerKey: Uint8Array) => boolean;
  /** Judges a member's certificate up to a root. */
  readonly verifyCertificateChain: Bound<typeof verifyCertificateChain>;
  /** Judges an organisation's CA up to a root. */
  readonly verifyAuthorityChain: Bound<typeof verifyAuthorityChain>;
  /** Judges a certificate of an authority outside the consortium, which names no role of ours. */
  readonly verifyExternalChain: Bound<typeof verifyExternalChain>;
}

/** Binds X.509 to one platform. */
export function createX509Suite(base: Platform): X509Suite {
  const verify: Platform["sm2Verify"] = (publicKey, message, signature) =>
    isSignatureInRange(signature) && base.sm2Verify(publicKey, message, signature);
  const platform = { ...base, sm2Verify: verify };
  return {
    parseCertificate: (input) => parseCertificate(platform.sm3, input),
    parseCertificateBundle: (pem) => parseCertificateBundle(platform.sm3, pem),
    parseSigningRequest: (input) => parseSigningRequest(platform, input),
    createCertificate: (content) => createCertificate(platform, content),
    createSelfSignedCertificate: (content) => createSelfSignedCertificate(platform, content),
    createSigningRequest: (content) => createSigningRequest(platform, content),
    createRevocationList: (content) => createRevocationList(platform, content),
    verifySignatureOf: (signed, key) => verifySignatureOf(verify, signed, key),
    verifyCertificateChain: (input) => verifyCertificateChain(verify, input),
    verifyAuthorityChain: (input) => verifyAuthorityChain(verify, input),
    verifyExternalChain: (input) => verifyExternalChain(verify, input),
  };
}
