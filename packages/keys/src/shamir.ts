import { wipe } from "@credlink/crypto";
import { invariant, type Random } from "@credlink/primitives";

/**
 * Shamir's secret sharing over GF(2^8) with x⁸ + x⁴ + x³ + x + 1, byte by byte.
 *
 * Field arithmetic is done with masks and fixed loops: no table is looked up and no branch taken by
 * a secret byte. Shares say nothing about whether they are right: `backup.ts` binds each to its
 * backup and index.
 * @see Shamir 1979, How to share a secret; FIPS 197 §4.2 for the field
 */

/** One share: the polynomial's values at `index`, one byte for each byte of the secret. */
export interface Share {
  /** 1 to 255. */
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** a · b, for bytes. */
function multiply(a: number, b: number): number {
  let product = 0;
  let shifted = a;
  for (let bit = 0; bit < 8; bit++) {
    product ^= shifted & -((b >>> bit) & 1);
    shifted = ((shifted << 1) ^ (0x11b & -(shifted >>> 7))) & 0xff;
  }
  return product;
}

/** 1 / a by Fermat: a^254; 0 for 0, which no caller asks for. */
function invert(a: number): number {
  let power = a;
  let result = 1;
  for (let bit = 1; bit < 8; bit++) {
    power = multiply(power, power);
    result = multiply(result, power);
  }
  return result;
}

/** The polynomial with these coefficients, constant term first, at x: Horner's rule. */
function evaluate(coefficients: Uint8Array, x: number): number {
  let value = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) {
    value = multiply(value, x) ^ (coefficients[i] ?? 0);
  }
  return value;
}

/**
 * Splits a secret into `count` shares of which any `threshold` give it back and fewer say nothing.
 * @param options.threshold 2 to `count`
 * @param options.count at most 255
 */
export function splitSecret(
  random: Random,
  secret: Uint8Array,
  options: { readonly threshold: number; readonly count: number },
): readonly Share[] {
  const { threshold, count } = options;
  const areWhole = Number.isInteger(threshold) && Number.isInteger(count);
  invariant(
    areWhole && threshold >= 2 && threshold <= count && count <= 255 && secret.length > 0,
    "a secret is split into 2 to 255 shares with a threshold from 2 to their number",
  );
  const shares = Array.from({ length: count }, (_, i) => ({
    index: i + 1,
    bytes: new Uint8Array(secret.length),
  }));
  for (let at = 0; at < secret.length; at++) {
    const drawn = random.bytes(threshold - 1);
    const coefficients = Uint8Array.of(secret[at] ?? 0, ...drawn);
    for (const share of shares) share.bytes[at] = evaluate(coefficients, share.index);
    wipe(drawn, coefficients);
  }
  return shares;
}

/**
 * The secret of at least as many shares as the threshold said. Fewer or altered shares give other
 * bytes, not an error.
 */
export function combineShares(shares: readonly Share[]): Uint8Array {
  const indices = shares.map((share) => share.index);
  const length = shares[0]?.bytes.length ?? 0;
  invariant(
    shares.length >= 2 &&
      new Set(indices).size === shares.length &&
      indices.every((index) => Number.isInteger(index) && index >= 1 && index <= 255) &&
      shares.every((share) => share.bytes.length === length),
    "shares to be combined have different indices and one length",
  );
  const secret = new Uint8Array(length);
  for (const share of shares) {
    // Lagrange's basis at 0: Π xj / (xj − xi).
    let basis = 1;
    for (const other of indices) {
      if (other === share.index) continue;
      basis = multiply(basis, multiply(other, invert(other ^ share.index)));
    }
    for (let at = 0; at < length; at++) {
      secret[at] = (secret[at] ?? 0) ^ multiply(share.bytes[at] ?? 0, basis);
    }
  }
  return secret;
}
