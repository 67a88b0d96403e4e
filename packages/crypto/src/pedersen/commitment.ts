import { concatBytes } from "@credlink/primitives";
import { weierstrass } from "@noble/curves/abstract/weierstrass.js";
import { createDigests } from "../digests.ts";
import { CryptoError } from "../errors.ts";
import { sm3 } from "../pure/sm3.ts";
import { bytesToNumber, numberToBytes, SM2_CURVE } from "../sm2-curve.ts";

/*
 * Pedersen commitments on the SM2 curve: C = v·G + r·H. Whoever knows C learns nothing of v, and
 * whoever made C cannot open it to another v without the discrete logarithm of H, which nobody
 * knows, because H is a digest.
 *
 * @see Pedersen 1991, Non-interactive and information-theoretic secure verifiable secret sharing
 */

const { p, a, b, n } = SM2_CURVE;
const Point = weierstrass<bigint>(SM2_CURVE);
type CurvePoint = InstanceType<typeof Point>;

/** Bytes of a blinding factor: a number from 0 to n − 1, big-endian. */
export const BLINDING_BYTES = 32;

const GENERATOR_DOMAIN = "credlink/pedersen/1";
const { taggedSm3 } = createDigests(sm3);

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base % p;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % p;
    square = (square * square) % p;
  }
  return result;
}

function findGenerator(): CurvePoint {
  for (let counter = 0; ; counter++) {
    const x = bytesToNumber(taggedSm3(GENERATOR_DOMAIN, Uint8Array.of(counter)));
    if (x >= p) continue;
    const square = (((x * x + a) % p) * x + b) % p;
    // p ≡ 3 (mod 4), so this is a root if there is one.
    const root = power(square, (p + 1n) / 4n);
    if ((root * root) % p !== square) continue;
    return Point.fromAffine({ x, y: (root & 1n) === 0n ? root : p - root });
  }
}

let generator: CurvePoint | null = null;

/** H, with its table: made when it is first wanted. */
function secondGenerator(): CurvePoint {
  generator ??= findGenerator().precompute(8, false);
  return generator;
}

function toBytes(point: CurvePoint): Uint8Array {
  return point.toBytes(false).subarray(1);
}

/**
 * H, 64 bytes: the first curve point whose x is SM3(domain ‖ counter), counter 0, 1, … as one
 * byte, with the even root as y. So nobody chose it.
 */
export function pedersenGenerator(): Uint8Array {
  return toBytes(secondGenerator());
}

function blindingNumber(blinding: Uint8Array): bigint {
  const value = blinding.length === BLINDING_BYTES ? bytesToNumber(blinding) : n;
  if (value < n) return value;
  throw new CryptoError("CRYPTO_BLINDING_INVALID", "a blinding factor is 32 bytes below n");
}

/**
 * v·G + r·H as x ‖ y, 64 bytes.
 *
 * @param value 0 to n − 1.
 * @throws CryptoError CRYPTO_BLINDING_INVALID when the blinding factor is not 32 bytes below n;
 *   CRYPTO_COMMITMENT_INVALID when the value is out of range, or the sum is infinity, which
 *   nobody meets who draws blinding factors at random.
 */
export function pedersenCommit(value: bigint, blinding: Uint8Array): Uint8Array {
  const r = blindingNumber(blinding);
  if (value < 0n || value >= n) {
    throw new CryptoError("CRYPTO_COMMITMENT_INVALID", "the value is out of range");
  }
  const blinded = r === 0n ? Point.ZERO : secondGenerator().multiply(r);
  const point = value === 0n ? blinded : blinded.add(Point.BASE.multiply(value));
  if (point.is0()) throw new CryptoError("CRYPTO_COMMITMENT_INVALID", "infinity has no bytes");
  return toBytes(point);
}

/**
 * Σ plus − Σ minus modulo n: the blinding factor of a commitment to the same sum of values.
 * @throws CryptoError CRYPTO_BLINDING_INVALID
 */
export function sumBlindingFactors(
  plus: readonly Uint8Array[],
  minus: readonly Uint8Array[] = [],
): Uint8Array {
  let sum = 0n;
  for (const blinding of plus) sum += blindingNumber(blinding);
  for (const blinding of minus) sum += n - blindingNumber(blinding);
  return numberToBytes(sum % n);
}

/**
 * A blinding factor of 40 random bytes modulo n, so that none is likelier than another.
 * @param random gives that many random bytes.
 */
export function drawBlindingFactor(random: (length: number) => Uint8Array): Uint8Array {
  const wide = bytesToNumber(concatBytes(random(BLINDING_BYTES), random(8)));
  return numberToBytes(wide % n);
}
