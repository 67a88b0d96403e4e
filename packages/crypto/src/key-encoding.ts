import { concatBytes, fromHex } from "@credlink/primitives";
import { DER_TAG, derBitString, derElement, derObjectIdentifier, derSequence } from "./der.ts";

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
