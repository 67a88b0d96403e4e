import { accept, concatBytes, type Result, refuse } from "@credlink/primitives";
import { DerReader, derSequence, derUnsigned } from "./der.ts";
import { CryptoError } from "./errors.ts";
import { isSignatureInRange, SIGNATURE_BYTES } from "./sm2-curve.ts";

/** DER of a signature whose range was checked: SEQUENCE of two shortest INTEGERs. */
export function encodeSignatureDer(signature: Uint8Array): Uint8Array {
  return derSequence(derUnsigned(signature.subarray(0, 32)), derUnsigned(signature.subarray(32)));
}

/**
 * The DER form of r ‖ s (64 bytes).
 * Refuses with CRYPTO_SIGNATURE_MALFORMED what `sm2Verify` could never accept.
 * @see GM/T 0009-2012 §7.3
 */
export function sm2SignatureToDer(
  signature: Uint8Array,
): Result<Uint8Array, "CRYPTO_SIGNATURE_MALFORMED"> {
  if (!isSignatureInRange(signature)) return refuse("CRYPTO_SIGNATURE_MALFORMED");
  return accept(encodeSignatureDer(signature));
}

/** The numbers of two INTEGERs, 32 bytes each, one after the other; undefined when a number is negative or wider than 32 bytes. */
export function joinNumbers(r: Uint8Array, s: Uint8Array): Uint8Array | undefined {
  const signature = new Uint8Array(SIGNATURE_BYTES);
  for (const [number, end] of [[r, 32] as const, [s, 64] as const]) {
    if ((number[0] ?? 0) >= 0x80) return undefined;
    const digits = number[0] === 0 ? number.subarray(1) : number;
    if (digits.length > 32) return undefined;
    signature.set(digits, end - digits.length);
  }
  return signature;
}

/**
 * r ‖ s (64 bytes) of a DER signature.
 * Refuses with CRYPTO_SIGNATURE_MALFORMED whatever is not the one shortest encoding of two
 * numbers in 1 … n−1 whose sum is not n: BER forms, leading zeros, negative numbers, more bytes.
 */
export function sm2SignatureFromDer(
  der: Uint8Array,
): Result<Uint8Array, "CRYPTO_SIGNATURE_MALFORMED"> {
  try {
    const outer = new DerReader(der);
    const numbers = outer.enter();
    outer.end();
    const signature = joinNumbers(numbers.integer(), numbers.integer());
    numbers.end();
    if (signature === undefined || !isSignatureInRange(signature)) {
      return refuse("CRYPTO_SIGNATURE_MALFORMED", "a number is out of range");
    }
    return accept(signature);
  } catch (error) {
    if (error instanceof CryptoError) return refuse("CRYPTO_SIGNATURE_MALFORMED", error.message);
    throw error;
  }
}

/**
 * r ‖ s of the DER that our own signing library produced.
 * @throws CryptoError CRYPTO_SIGNATURE_MALFORMED
 */
export function decodeOwnSignature(der: Uint8Array): Uint8Array {
  const signature = sm2SignatureFromDer(der);
  if (!signature.ok) throw new CryptoError(signature.code, "the library made a bad signature");
  return concatBytes(signature.value);
}
