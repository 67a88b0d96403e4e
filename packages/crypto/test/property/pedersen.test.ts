import { concatBytes, toHex } from "@credlink/primitives";
import { weierstrass } from "@noble/curves/abstract/weierstrass.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  drawBlindingFactor,
  isZeroPointSum,
  pedersenCommit,
  pedersenGenerator,
  sumBlindingFactors,
  taggedSm3,
} from "../../src/index.ts";
import { openSumKernel } from "../../src/kernel/sum-kernel.ts";
import { isZeroPointSumByBigint } from "../../src/pedersen/point-sum.ts";
import { bytesToNumber, numberToBytes, SM2_CURVE } from "../../src/sm2-curve.ts";

const { p, a, b, n } = SM2_CURVE;
const Point = weierstrass<bigint>(SM2_CURVE);
type CurvePoint = InstanceType<typeof Point>;

function bytesOf(point: CurvePoint): Uint8Array {
  return point.toBytes(false).subarray(1);
}

/** Few scalars, so that equal points, opposite points and doublings are met all the time. */
const small = fc.integer({ min: 1, max: 6 }).map((k) => Point.BASE.multiply(BigInt(k)));
const wide = fc.bigInt({ min: 1n, max: n - 1n }).map((k) => Point.BASE.multiply(k));
const anyPoint = fc
  .tuple(fc.oneof(small, small, wide), fc.boolean())
  .map(([point, isNegative]) => (isNegative ? point.negate() : point));
const value = fc.bigInt({ min: 0n, max: 2n ** 53n - 1n });
const blinding = fc.bigInt({ min: 1n, max: n - 1n }).map(numberToBytes);

test("S-9.7-1: sums of points run in the kernel here, and it passes its test", () => {
  expect(openSumKernel()?.maxBytes).toBe(64 * 64);
});

describe.each([
  ["by the kernel", isZeroPointSum],
  ["by bigint", isZeroPointSumByBigint],
])("S-9.7-1: the sum of points %s", (_, isZeroSum) => {
  test("is nothing exactly when noble says so, in whatever order", () => {
    let zeros = 0;
    fc.assert(
      fc.property(fc.array(anyPoint, { maxLength: 8 }), fc.nat(8), (points, first) => {
        const plus = Math.min(first, points.length);
        let sum: CurvePoint = Point.ZERO;
        for (const [i, point] of points.entries()) {
          sum = i < plus ? sum.add(point) : sum.subtract(point);
        }
        const isZero = isZeroSum(concatBytes(...points.map(bytesOf)), plus);
        expect(isZero).toBe(sum.is0());
        if (sum.is0()) zeros++;
        const turned = [...points.slice(0, plus).reverse(), ...points.slice(plus).reverse()];
        expect(isZeroSum(concatBytes(...turned.map(bytesOf)), plus)).toBe(isZero);
        if (sum.is0()) return;
        // What is left over, put on the other side, closes the sum.
        const closed = concatBytes(...points.map(bytesOf), bytesOf(sum));
        expect(isZeroSum(closed, plus)).toBe(true);
      }),
      { numRuns: 300 },
    );
    expect(zeros).toBeGreaterThan(10);
  });

  test("doubles, cancels and comes back from infinity", () => {
    const one = bytesOf(Point.BASE);
    const two = bytesOf(Point.BASE.double());
    expect(isZeroSum(new Uint8Array(0), 0)).toBe(true);
    expect(isZeroSum(one, 1)).toBe(false);
    expect(isZeroSum(concatBytes(one, one), 1)).toBe(true);
    expect(isZeroSum(concatBytes(one, one), 2)).toBe(false);
    expect(isZeroSum(concatBytes(one, one, two), 2)).toBe(true);
    expect(isZeroSum(concatBytes(one, bytesOf(Point.BASE.negate()), two, two), 3)).toBe(true);
  });

  test("takes as many points as there are: at the kernel's limit and above", () => {
    const one = bytesOf(Point.BASE);
    for (const count of [32, 33]) {
      const pairs = Array.from({ length: 2 * count }, () => one);
      expect(isZeroSum(concatBytes(...pairs), count)).toBe(true);
      expect(isZeroSum(concatBytes(...pairs), count - 1)).toBe(false);
      expect(isZeroSum(concatBytes(...pairs.slice(1), one.with(63, 0)), count)).toBeNull();
    }
  });

  test("refuses what is no point: infinity, off the curve, out of the field, a part", () => {
    const one = bytesOf(Point.BASE);
    const off = one.slice();
    off[63] = (off[63] ?? 0) ^ 1;
    const beyond = concatBytes(numberToBytes(p), numberToBytes(0n));
    for (const bad of [new Uint8Array(64), off, beyond, one.subarray(1)]) {
      expect(isZeroSum(bad, 1)).toBeNull();
      expect(isZeroSum(concatBytes(one, bad), 2)).toBeNull();
    }
    // A coordinate that is p too large stands for the same element, and is still refused.
    const tooLarge = 2n ** 256n - p;
    const lowX = findX(tooLarge);
    const low = Point.fromAffine(lowX);
    expect(isZeroSum(bytesOf(low), 1)).toBe(false);
    const shifted = concatBytes(numberToBytes(low.x + p), numberToBytes(low.y));
    expect(isZeroSum(shifted, 1)).toBeNull();
  });
});

/** A point with an x below the limit. */
function findX(limit: bigint): { readonly x: bigint; readonly y: bigint } {
  for (let x = 0n; x < limit; x++) {
    const square = (x * x * x + a * x + b) % p;
    const y = Point.Fp.pow(square, (p + 1n) / 4n);
    if ((y * y) % p === square) return { x, y };
  }
  throw new Error("no such point");
}

describe("amount commitments", () => {
  test("H is the first point under the counter, and no multiple of G that anybody chose", () => {
    const x = bytesToNumber(pedersenGenerator().subarray(0, 32));
    const y = bytesToNumber(pedersenGenerator().subarray(32));
    let found = -1;
    for (let counter = 0; found < 0; counter++) {
      const candidate = bytesToNumber(taggedSm3("credlink/pedersen/1", Uint8Array.of(counter)));
      if (candidate === x) found = counter;
      else {
        // Every counter before it must have failed: x³ + ax + b is no square.
        const square = (candidate * candidate * candidate + a * candidate + b) % p;
        expect(candidate >= p || Point.Fp.pow(square, (p - 1n) / 2n) !== 1n).toBe(true);
      }
    }
    expect((y * y) % p).toBe((x * x * x + a * x + b) % p);
    expect(y & 1n).toBe(0n);
    expect(toHex(pedersenGenerator())).toBe(
      "2d3d10fd12212599137d7954e7eb128743769400e77f9539e840539faf6b319d" +
        "eb3811faad3be693de1021c59a37d080533ab128239fba129bd3610d7e956df6",
    );
  });

  test("are v·G + r·H by noble's arithmetic", () => {
    const generator = Point.fromBytes(concatBytes(Uint8Array.of(4), pedersenGenerator()));
    fc.assert(
      fc.property(value, blinding, (v, r) => {
        const left = v === 0n ? Point.ZERO : Point.BASE.multiply(v);
        const expected = left.add(generator.multiply(bytesToNumber(r)));
        expect(toHex(pedersenCommit(v, r))).toBe(toHex(bytesOf(expected)));
      }),
      { numRuns: 20 },
    );
  });

  test("add up as their values do, and not otherwise", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(value, blinding), { minLength: 1, maxLength: 4 }), (parts) => {
        const total = parts.reduce((sum, [v]) => sum + v, 0n);
        const closing = sumBlindingFactors(parts.map(([, r]) => r));
        const points = parts.map(([v, r]) => pedersenCommit(v, r));
        const whole = pedersenCommit(total, closing);
        expect(isZeroPointSum(concatBytes(...points, whole), points.length)).toBe(true);
        const other = pedersenCommit(total + 1n, closing);
        expect(isZeroPointSum(concatBytes(...points, other), points.length)).toBe(false);
      }),
      { numRuns: 20 },
    );
  });

  test("refuse values and blinding factors out of range", () => {
    const zero = new Uint8Array(32);
    const code = (commit: () => unknown): unknown => {
      try {
        return commit();
      } catch (error) {
        return error instanceof Error && "code" in error ? error.code : error;
      }
    };
    expect(code(() => pedersenCommit(0n, zero))).toBe("CRYPTO_COMMITMENT_INVALID");
    expect(code(() => pedersenCommit(-1n, numberToBytes(1n)))).toBe("CRYPTO_COMMITMENT_INVALID");
    expect(code(() => pedersenCommit(n, numberToBytes(1n)))).toBe("CRYPTO_COMMITMENT_INVALID");
    expect(code(() => pedersenCommit(1n, numberToBytes(n)))).toBe("CRYPTO_BLINDING_INVALID");
    expect(code(() => pedersenCommit(1n, zero.subarray(1)))).toBe("CRYPTO_BLINDING_INVALID");
    expect(code(() => sumBlindingFactors([numberToBytes(n)]))).toBe("CRYPTO_BLINDING_INVALID");
    expect(toHex(pedersenCommit(1n, zero))).toBe(toHex(bytesOf(Point.BASE)));
  });

  test("blinding factors are drawn below n from 40 random bytes", () => {
    const asked: number[] = [];
    const drawn = drawBlindingFactor((length) => {
      asked.push(length);
      return new Uint8Array(length).fill(0xff);
    });
    expect(asked.reduce((sum, length) => sum + length, 0)).toBe(40);
    expect(bytesToNumber(drawn)).toBe((2n ** 320n - 1n) % n);
  });
});
