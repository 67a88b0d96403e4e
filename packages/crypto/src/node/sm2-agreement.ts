import { createECDH, createPrivateKey, createPublicKey, diffieHellman } from "node:crypto";
import { concatBytes, equalBytes, fromHex } from "@credlink/primitives";
import { DER_TAG, derBitString, derElement, derObjectIdentifier, derSequence } from "../der.ts";
import { CryptoError } from "../errors.ts";
import { OID_EC_PUBLIC_KEY } from "../key-encoding.ts";
import { wipe } from "../secrets.ts";
import { isValidPublicKey, numberToBytes, SM2_CURVE } from "../sm2-curve.ts";

/**
 * Diffie-Hellman over the SM2 curve by OpenSSL.
 *
 * Node knows two ways to it and both are shut: `createECDH("SM2").computeSecret` calls every pair
 * of keys invalid, and a key imported under the curve's own identifier has the type SM2, which
 * `diffieHellman` refuses. So keys are imported with the curve spelled out (RFC 3279 §2.3.5), and
 * with [2]G as its base point, for OpenSSL recognises the curve by its parameters otherwise. The
 * secret is [d]Q: no base point takes part in it. OpenSSL computes it with its ladder, in a time
 * that does not depend on d.
 */

const OID_PRIME_FIELD = "1.2.840.10045.1.1";

/** [2]G, x ‖ y. */
const OTHER_BASE = fromHex(
  "0456cefd60d7c87c000d58ef57fa73ba4d9c0dfa08c08a7331495c2e1da3f2bd52" +
    "31b7e7e6cc8189f668535ce0f8eaf1bd6de84c182f6c8e716f780d3a970a23c3",
);

function derNumber(value: bigint): Uint8Array {
  // The prime and the order have their highest bit set: a zero keeps them positive.
  return derElement(DER_TAG.integer, concatBytes(Uint8Array.of(0), numberToBytes(value)));
}

function derOctets(bytes: Uint8Array): Uint8Array {
  return derElement(DER_TAG.octetString, bytes);
}

const VERSION_1 = Uint8Array.of(DER_TAG.integer, 1, 1);

const ALGORITHM = derSequence(
  derObjectIdentifier(OID_EC_PUBLIC_KEY),
  derSequence(
    VERSION_1,
    derSequence(derObjectIdentifier(OID_PRIME_FIELD), derNumber(SM2_CURVE.p)),
    derSequence(derOctets(numberToBytes(SM2_CURVE.a)), derOctets(numberToBytes(SM2_CURVE.b))),
    derOctets(OTHER_BASE),
    derNumber(SM2_CURVE.n),
    Uint8Array.of(DER_TAG.integer, 1, Number(SM2_CURVE.h)),
  ),
);

function importPublic(publicKey: Uint8Array) {
  const der = derSequence(ALGORITHM, derBitString(publicKey));
  return createPublicKey({ key: Buffer.from(der), format: "der", type: "spki" });
}

function importPrivate(privateKey: Uint8Array, publicKey: Uint8Array) {
  // The public key is not the private key's under the other base point: it only spares OpenSSL
  // computing one, and takes no part in an agreement.
  const inner = derSequence(
    VERSION_1,
    derOctets(privateKey),
    derElement(0xa1, derBitString(publicKey)),
  );
  const octets = derOctets(inner);
  const der = derSequence(Uint8Array.of(DER_TAG.integer, 1, 0), ALGORITHM, octets);
  const { buffer, byteOffset, length } = der;
  const key = Buffer.from(buffer, byteOffset, length);
  try {
    return createPrivateKey({ key, format: "der", type: "pkcs8" });
  } finally {
    wipe(inner, octets, der);
  }
}

/** A private key for agreements, which lies in OpenSSL's memory alone. */
export interface AgreementKey {
  /** Uncompressed point, 65 bytes. */
  readonly publicKey: Uint8Array;
  /**
   * The x coordinate of [d]Q, 32 bytes. It is no key: derive keys from it.
   * @throws CryptoError CRYPTO_PUBLIC_KEY_INVALID when Q is not an uncompressed point of the curve
   */
  agree(publicKey: Uint8Array): Uint8Array;
}

/** Takes a private key (32 bytes) and its public key; the caller wipes what it gave. */
export function openAgreementKey(privateKey: Uint8Array, publicKey: Uint8Array): AgreementKey {
  const key = importPrivate(privateKey, publicKey);
  return {
    publicKey,
    agree(other) {
      // The curve has cofactor 1 and infinity has no such form: a point that passes has order n.
      if (!isValidPublicKey(other)) {
        throw new CryptoError("CRYPTO_PUBLIC_KEY_INVALID", "not a point of the SM2 curve");
      }
      const secret = diffieHellman({ privateKey: key, publicKey: importPublic(other) });
      return new Uint8Array(secret.buffer, secret.byteOffset, secret.length);
    },
  };
}

/** A fresh key for agreements, drawn by OpenSSL. */
export function generateAgreementKey(): AgreementKey {
  const pair = createECDH("SM2");
  const publicKey = Uint8Array.from(pair.generateKeys());
  const drawn = pair.getPrivateKey();
  const privateKey = new Uint8Array(32);
  privateKey.set(drawn, 32 - drawn.length);
  try {
    return openAgreementKey(privateKey, publicKey);
  } finally {
    wipe(drawn, privateKey);
  }
}

/** [d]Q of the two key pairs of GB/T 32918.5-2017, annex C.2: computed by noble. */
const KNOWN = {
  privateKey: fromHex("81eb26e941bb5af16df116495f90695272ae2cd63d6c4ae1678418be48230029"),
  publicKey: fromHex(
    "04160e12897df4edb61dd812feb96748fbd3ccf4ffe26aa6f6db9540af49c94232" +
      "4a7dad08bb9a459531694beb20aa489d6649975e1bfcf8c4741b78b4b223007f",
  ),
  other: fromHex(
    "046ae848c57c53c7b1b5fa99eb2286af078ba64c64591b8b566f7357d576f16dfb" +
      "ee489d771621a27b36c5c7992062e9cd09a9264386f3fbea54dff69305621c4d",
  ),
  secret: fromHex("4adbf6fcd7474aef1a59306bec8c4943365d46ee45d528c3ae0a8deec45da8d4"),
};

/**
 * Tries agreement with a known answer: whoever depends on it asks before he opens a port.
 * @throws CryptoError CRYPTO_AGREEMENT_UNUSABLE
 */
export function checkAgreement(): void {
  let secret: Uint8Array;
  try {
    secret = openAgreementKey(KNOWN.privateKey, KNOWN.publicKey).agree(KNOWN.other);
  } catch (cause) {
    throw new CryptoError("CRYPTO_AGREEMENT_UNUSABLE", "keys are not taken", { cause });
  }
  if (!equalBytes(secret, KNOWN.secret)) {
    throw new CryptoError("CRYPTO_AGREEMENT_UNUSABLE", "another answer than the known one");
  }
}
