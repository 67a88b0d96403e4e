import { accept, equalBytes, type Result, refuse } from "@credlink/primitives";
import {
  assertStrictDer,
  DER_TAG,
  DerReader,
  derBitString,
  derObjectIdentifier,
  derSequence,
} from "../der.ts";
import { CryptoError, type CryptoErrorCode } from "../errors.ts";
import { encodeSubjectPublicKeyInfo } from "../key-encoding.ts";
import { isValidPublicKey } from "../sm2-curve.ts";
import { sm2SignatureFromDer, sm2SignatureToDer } from "../sm2-signature.ts";

/** Every certificate, request and list is SEQUENCE { signed part, algorithm, signature }. */
export interface SignedParts {
  /** The bytes that the signature covers, as they stand in the encoding. */
  readonly signedBytes: Uint8Array;
  /** r ‖ s. */
  readonly signature: Uint8Array;
}

export const OID_SM2_WITH_SM3 = "1.2.156.10197.1.501";

/** AlgorithmIdentifier DER that we write. */
export const ALGORITHM = derSequence(derObjectIdentifier(OID_SM2_WITH_SM3));
/** The same with NULL parameters, which some authorities write. */
const ALGORITHM_WITH_NULL = derSequence(
  derObjectIdentifier(OID_SM2_WITH_SM3),
  Uint8Array.of(DER_TAG.null, 0),
);

/** Whether an AlgorithmIdentifier's DER names SM2-with-SM3. @see GM/T 0006-2012 */
export function isSm2WithSm3(algorithmDer: Uint8Array): boolean {
  return equalBytes(algorithmDer, ALGORITHM) || equalBytes(algorithmDer, ALGORITHM_WITH_NULL);
}

/**
 * Takes a signed structure of strict DER apart.
 * @throws CryptoError CRYPTO_DER_MALFORMED, CRYPTO_CERTIFICATE_ALGORITHM, CRYPTO_SIGNATURE_MALFORMED
 */
export function readSigned(der: Uint8Array): SignedParts & { readonly algorithm: Uint8Array } {
  assertStrictDer(der);
  const outer = new DerReader(der).enter();
  const signedBytes = outer.read(DER_TAG.sequence).raw;
  const algorithm = outer.read(DER_TAG.sequence).raw;
  const { content } = outer.read(DER_TAG.bitString);
  outer.end();
  if (!isSm2WithSm3(algorithm)) {
    throw new CryptoError("CRYPTO_CERTIFICATE_ALGORITHM", "not SM2-with-SM3");
  }
  if (content[0] !== 0) throw new CryptoError("CRYPTO_DER_MALFORMED", "signature is not bytes");
  const signature = sm2SignatureFromDer(content.subarray(1));
  if (!signature.ok) throw new CryptoError(signature.code, "signature");
  return { signedBytes, algorithm, signature: signature.value };
}

/**
 * The algorithm named inside the signed part must be the one named outside.
 * @throws CryptoError CRYPTO_CERTIFICATE_ALGORITHM. @see RFC 5280 §4.1.1.2
 */
export function requireSameAlgorithm(reader: DerReader, outer: Uint8Array): void {
  if (!equalBytes(reader.read(DER_TAG.sequence).raw, outer)) {
    throw new CryptoError("CRYPTO_CERTIFICATE_ALGORITHM", "two algorithms");
  }
}

/** Puts a signed structure together. */
export function writeSigned(signedBytes: Uint8Array, signature: Uint8Array): Uint8Array {
  const der = sm2SignatureToDer(signature);
  if (!der.ok) throw new CryptoError(der.code, "the signer returned a bad signature");
  return derSequence(signedBytes, ALGORITHM, derBitString(der.value));
}

/** The point inside SubjectPublicKeyInfo DER, which must be on the SM2 curve. */
export function readPublicKey(spkiDer: Uint8Array): Uint8Array {
  const publicKey = spkiDer.slice(-65);
  const expected = encodeSubjectPublicKeyInfo(publicKey);
  if (!equalBytes(spkiDer, expected) || !isValidPublicKey(publicKey)) {
    throw new CryptoError("CRYPTO_PUBLIC_KEY_INVALID", "not an SM2 key");
  }
  return publicKey;
}

/** Codes that a decoder door hands on as they are; every other cause is "malformed". */
const OWN_MEANING = [
  "CRYPTO_CERTIFICATE_ALGORITHM",
  "CRYPTO_CERTIFICATE_EXTENSION_UNKNOWN",
  "CRYPTO_PEM_MALFORMED",
] as const;

/**
 * Runs a decoder on bytes from outside. A CryptoError becomes a
 * refusal: `malformed`, or one of the codes that keep their own meaning.
 */
export function decodeOrRefuse<T, Code extends CryptoErrorCode>(
  malformed: Code,
  decode: () => T,
): Result<T, Code | (typeof OWN_MEANING)[number]> {
  try {
    return accept(decode());
  } catch (error) {
    // Anything else is a bug of the decoder and must be seen as one.
    if (!(error instanceof CryptoError)) throw error;
    const own = OWN_MEANING.find((code) => error.code === code);
    return refuse(own ?? malformed, error.message);
  }
}
