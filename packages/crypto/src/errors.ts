import { AppError, defineErrors } from "@credlink/primitives";

/** What this package refuses or fails with. */
export const cryptoErrors = defineErrors({
  CRYPTO_LENGTH_INVALID: {
    meaning: "A key, an initialisation vector, a counter or a ciphertext has the wrong length.",
    remedy: "SM4 keys, vectors and counters have 16 bytes, GCM vectors 12; compare the caller.",
  },
  CRYPTO_PADDING_INVALID: {
    meaning: "An SM4-CBC ciphertext does not end in PKCS#7 padding: wrong key or altered bytes.",
    remedy: "Check key and vector; obtain the ciphertext again.",
  },
  CRYPTO_TAG_INVALID: {
    meaning: "The authentication tag of an SM4-GCM ciphertext does not fit: nothing was decrypted.",
    remedy: "Check key, vector and associated data; obtain the ciphertext again.",
  },
  CRYPTO_PRIVATE_KEY_INVALID: {
    meaning: "A private key is not a number from 1 to n−2 of the SM2 curve in at most 32 bytes.",
    remedy: "Load the key from its original file, or make a new one.",
  },
  CRYPTO_PUBLIC_KEY_INVALID: {
    meaning: "A public key is not an uncompressed point (65 bytes, 0x04 first) on the SM2 curve.",
    remedy: "Ask its owner for the key again; compressed and hybrid forms are not accepted.",
  },
  CRYPTO_SIGNATURE_MALFORMED: {
    meaning: "A signature is not r ‖ s of 64 bytes, or not strict DER, or r or s is out of range.",
    remedy: "Sign with SM2; encode both numbers in the shortest DER form.",
  },
  CRYPTO_ADDRESS_MALFORMED: {
    meaning: "The text is not an address: cl1 and 32 bytes in bech32m.",
    remedy:
      "Copy the address again; its check digits find every typing error of up to four places.",
  },
  CRYPTO_DER_MALFORMED: {
    meaning: "The bytes are not strict DER, or end too early or too late.",
    remedy: "Encode with DER (not BER), shortest lengths and integers, nothing after the end.",
  },
  CRYPTO_PEM_MALFORMED: {
    meaning: "The text holds no PEM block of the expected kind, or more than one.",
    remedy: "Give one block, with its BEGIN and END lines, in base64.",
  },
});

/** Every code of this package. */
export type CryptoErrorCode = keyof typeof cryptoErrors;

/** A cryptographic operation that failed for a reason the caller can act on. */
export class CryptoError extends AppError<{ readonly code: CryptoErrorCode }> {
  constructor(code: CryptoErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super({ code }, message, options);
  }
}
