import { concatBytes, equalBytes, fromHex } from "@credlink/primitives";
import { DER_TAG, derBitString, derElement, derObjectIdentifier, derSequence } from "./der.ts";
import { CryptoError } from "./errors.ts";
import { decodePem, encodePem } from "./pem.ts";
import { isValidPublicKey } from "./sm2-curve.ts";

export const OID_EC_PUBLIC_KEY = "1.2.840.10045.2.1";
export const OID_SM2_CURVE = "1.2.156.10197.1.301";

/** AlgorithmIdentifier of an SM2 key: id-ecPublicKey with the named curve. @see RFC 5480 §2.1.1 */
export const SM2_KEY_ALGORITHM = derSequence(
  derObjectIdentifier(OID_EC_PUBLIC_KEY),
  derObjectIdentifier(OID_SM2_CURVE),
);

/** Everything of an SM2 SubjectPublicKeyInfo that stands in front of the point. */
const SPKI_PREFIX = fromHex("3059301306072a8648ce3d020106082a811ccf5501822d034200");

/** SubjectPublicKeyInfo DER of an uncompressed point. @see RFC 5480 §2 */
export function encodeSubjectPublicKeyInfo(publicKey: Uint8Array): Uint8Array {
  return concatBytes(SPKI_PREFIX, publicKey);
}

/** PrivateKeyInfo DER with the public key inside, as GmSSL writes it. @see RFC 5958, 5915 */
export function encodePrivateKeyInfo(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const ecPrivateKey = derSequence(
    Uint8Array.of(DER_TAG.integer, 1, 1),
    derElement(DER_TAG.octetString, privateKey),
    derElement(0xa1, derBitString(publicKey)),
  );
  return derSequence(
    Uint8Array.of(DER_TAG.integer, 1, 0),
    SM2_KEY_ALGORITHM,
    derElement(DER_TAG.octetString, ecPrivateKey),
  );
}

const PUBLIC_LABEL = "PUBLIC KEY";

/** PEM text of a public key (65 bytes), as OpenSSL and GmSSL read it. @see RFC 7468 §13 */
export function publicKeyToPem(publicKey: Uint8Array): string {
  return encodePem(PUBLIC_LABEL, encodeSubjectPublicKeyInfo(publicKey));
}

/**
 * The public key (65 bytes, on the curve) of PEM text.
 * @throws CryptoError CRYPTO_PEM_MALFORMED, CRYPTO_PUBLIC_KEY_INVALID
 */
export function publicKeyFromPem(text: string): Uint8Array {
  const der = decodePem(PUBLIC_LABEL, text);
  const publicKey = der.slice(SPKI_PREFIX.length);
  if (!equalBytes(encodeSubjectPublicKeyInfo(publicKey), der) || !isValidPublicKey(publicKey)) {
    throw new CryptoError("CRYPTO_PUBLIC_KEY_INVALID", "not an SM2 public key");
  }
  return publicKey;
}
