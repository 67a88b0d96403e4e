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
    meaning:
      "The authentication tag of an SM4-GCM ciphertext does not fit: no plaintext is given out.",
    remedy: "Check key, vector and associated data; obtain the ciphertext again.",
  },
  CRYPTO_CIPHERTEXT_INVALID: {
    meaning: "An SM2 ciphertext was altered, is meant for another key, or is none.",
    remedy: "Use the key that it was encrypted for, or ask its sender for it again.",
  },
  CRYPTO_PRIVATE_KEY_INVALID: {
    meaning: "A private key is not a number from 1 to n−2 of the SM2 curve in at most 32 bytes.",
    remedy: "Load the key from its original file, or make a new one.",
  },
  CRYPTO_AGREEMENT_UNUSABLE: {
    meaning: "The OpenSSL of this Node.js does not agree on keys over the SM2 curve, or wrongly.",
    remedy: "Run the Node.js that the project pins; a chain with the gm transport needs it.",
  },
  CRYPTO_PUBLIC_KEY_INVALID: {
    meaning: "A public key is not an uncompressed point (65 bytes, 0x04 first) on the SM2 curve.",
    remedy: "Ask its owner for the key again; compressed and hybrid forms are not accepted.",
  },
  CRYPTO_BLINDING_INVALID: {
    meaning: "The blinding factor of an amount commitment is not 32 bytes below the curve's order.",
    remedy: "Draw blinding factors with `drawBlindingFactor`, sum them with `sumBlindingFactors`.",
  },
  CRYPTO_COMMITMENT_INVALID: {
    meaning: "A value cannot be committed to: it is negative, too large, or gives infinity.",
    remedy: "Commit to whole fen from 0 to 2^53 - 1 with a random blinding factor.",
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
  CRYPTO_CERTIFICATE_MALFORMED: {
    meaning:
      "The bytes are not an X.509 v3 certificate in strict DER with an SM2 key on the curve.",
    remedy: "Issue the certificate again; see the certificate profile in docs/protocol/crypto.md.",
  },
  CRYPTO_CERTIFICATE_ALGORITHM: {
    meaning: "The certificate, list or request is not signed with SM2 and SM3.",
    remedy: "Sign with SM2-with-SM3 (1.2.156.10197.1.501).",
  },
  CRYPTO_CERTIFICATE_EXTENSION_UNKNOWN: {
    meaning: "A critical extension is present that this version does not enforce.",
    remedy: "Issue without it; basicConstraints and keyUsage are the critical ones understood.",
  },
  CRYPTO_CERTIFICATE_NAME_INVALID: {
    meaning:
      "A name to be certified is empty, longer than 64 characters or has control characters.",
    remedy: "Shorten or correct the name.",
  },
  CRYPTO_CERTIFICATE_VALIDITY_TOO_LONG: {
    meaning:
      "A member's certificate is, or was asked to be, valid for over 1,096 days or for none.",
    remedy: "Have it issued for at most three years, ending after it starts.",
  },
  CRYPTO_CERTIFICATE_UNKNOWN_ROOT: {
    meaning: "No chain leads from the certificate to one of the trusted roots.",
    remedy: "Send the organisation's CA with it; check that genesis names its root.",
  },
  CRYPTO_CERTIFICATE_BAD_SIGNATURE: {
    meaning: "The issuer of a certificate is known, and its signature does not verify.",
    remedy: "Obtain the certificate again from its authority; it was altered or is forged.",
  },
  CRYPTO_CERTIFICATE_EXPIRED: {
    meaning: "A certificate of the chain ended before the moment that was asked about.",
    remedy: "Renew the certificate; check the machine's clock.",
  },
  CRYPTO_CERTIFICATE_NOT_YET_VALID: {
    meaning: "A certificate of the chain begins after the moment that was asked about.",
    remedy: "Wait until it begins; check the machine's clock.",
  },
  CRYPTO_CERTIFICATE_REVOKED: {
    meaning: "The issuer's revocation list names the certificate, or a CA above it.",
    remedy: "Ask the organisation's authority for a certificate on a new key.",
  },
  CRYPTO_CERTIFICATE_ROLE_MISSING: {
    meaning: "The subject's OU is not one of the network's roles.",
    remedy: "Issue with an OU such as validator, observer or enterprise.",
  },
  CRYPTO_CERTIFICATE_ROLE_WRONG: {
    meaning: "The subject's role is not one of those that this use allows.",
    remedy: "Use a certificate of the right role.",
  },
  CRYPTO_CERTIFICATE_KEY_USAGE: {
    meaning: "A member's certificate does not allow digital signatures, or is a CA's.",
    remedy: "Issue it with keyUsage digitalSignature and without CA rights.",
  },
  CRYPTO_CERTIFICATE_NOT_AUTHORITY: {
    meaning: "A certificate of the chain was issued by one that is not allowed to issue any.",
    remedy: "Issue by an organisation's CA (basicConstraints CA, keyUsage keyCertSign).",
  },
  CRYPTO_CERTIFICATE_PATH_TOO_LONG: {
    meaning: "More CAs stand in the chain than a CA's path length, or the limit of 8, allows.",
    remedy: "Issue from a CA nearer to the root.",
  },
  CRYPTO_CERTIFICATE_ORGANIZATION: {
    meaning: "An organisation's CA certified a name of another organisation.",
    remedy: "Issue with the O of the CA itself.",
  },
  CRYPTO_ISSUER_KEY_MISMATCH: {
    meaning: "The key asked to sign a certificate or list is not the key of the named issuer.",
    remedy: "Give the issuer's own certificate and key.",
  },
  CRYPTO_SIGNING_REQUEST_MALFORMED: {
    meaning: "The bytes are not a PKCS#10 request in strict DER with an SM2 key on the curve.",
    remedy: "Make the request again.",
  },
  CRYPTO_SIGNING_REQUEST_BAD_SIGNATURE: {
    meaning: "The request is not signed with the key that it asks to be certified.",
    remedy: "Make the request with the private key at hand.",
  },
  CRYPTO_REVOCATION_LIST_MALFORMED: {
    meaning: "The bytes are not an X.509 v2 revocation list in strict DER.",
    remedy: "Obtain the list again from its authority.",
  },
  CRYPTO_REVOCATION_LIST_BAD_SIGNATURE: {
    meaning: "A revocation list is not signed with the key of the CA it names.",
    remedy: "Obtain the list again; until then the CA's members are refused.",
  },
  CRYPTO_REVOCATION_LIST_STALE: {
    meaning: "The newest revocation list of an issuer has passed its next update.",
    remedy: "Fetch the authority's current list; check the machine's clock.",
  },
  CRYPTO_REVOCATION_LIST_MISSING: {
    meaning: "Revocation lists are required, and none of this issuer is at hand.",
    remedy: "Fetch the list of every CA in the chain.",
  },
  CRYPTO_KEY_FILE_MALFORMED: {
    meaning: "The file is not a PKCS#8 SM2 key under PBES2 with PBKDF2-HMAC-SM3 and SM4-CBC.",
    remedy: "Export the key with GmSSL or credlink.",
  },
  CRYPTO_KEY_PASSWORD_WRONG: {
    meaning: "The password does not open the key file, or the file was altered.",
    remedy: "Give the right password, or restore the file.",
  },
  CRYPTO_KEY_PLAINTEXT: {
    meaning: "The key file is not encrypted.",
    remedy: "Encrypt it with a password; plaintext keys are for development only.",
  },
  CRYPTO_KEY_FILE_MODE: {
    meaning: "The key file is open to other users, or is not a regular file.",
    remedy: "chmod 600 the file.",
  },
  CRYPTO_KEY_FILE_OWNER: {
    meaning: "The key file belongs to another user than the one this process runs as.",
    remedy: "chown the file to the user that runs the process; ask how it came to be another's.",
  },
  CRYPTO_KEY_FILE_EXISTS: {
    meaning: "A key file of that name is already there, and keys are never overwritten.",
    remedy: "Choose another name, or move the old file away.",
  },
  CRYPTO_KEY_FILE_UNREADABLE: {
    meaning: "The key file cannot be read or written.",
    remedy: "Check path, owner and disk; the cause names the system's reason.",
  },
  CRYPTO_RANDOMNESS_FAILED: {
    meaning: "The random generator gave two samples in a row that fail the tests of GB/T 32915.",
    remedy:
      "Use no key that this machine made since its last good start; find the broken source of entropy.",
  },
  CRYPTO_KERNEL_UNUSABLE: {
    meaning: "The WebAssembly kernel that verifies signatures does not run here, or is wrong.",
    remedy: "Nothing at once: OpenSSL verifies instead, slower. Report machine and Node's version.",
  },
  CRYPTO_POOL_FULL: {
    meaning: "The verification queue is full: more signatures wait than its limit.",
    remedy: "Wait and send again, slower; raise the limit or the number of threads.",
  },
  CRYPTO_POOL_CLOSED: {
    meaning: "The verification pool was closed.",
    remedy: "Nothing while a node stops; otherwise make a new pool.",
  },
  CRYPTO_POOL_WORKER_FAILED: {
    meaning: "Worker threads died again and again on the same signatures.",
    remedy: "Look at the cause; memory may be short.",
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
