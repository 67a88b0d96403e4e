import { describe, expect, test } from "vitest";
import {
  approximateEntropy,
  autocorrelation,
  binaryDerivative,
  blockFrequency,
  cumulativeSums,
  monobit,
  overlapping,
  poker,
} from "../../../src/randomness/counting-tests.ts";
import { longestRun, runs, runsDistribution } from "../../../src/randomness/runs-tests.ts";
import { erfc, igamc, lnGamma, normal } from "../../../src/randomness/special-functions.ts";
import { countLowAmplitudes, spectral } from "../../../src/randomness/spectral-test.ts";
import type { Bits, Statistic } from "../../../src/randomness/statistic.ts";
import {
  linearComplexity,
  matrixRank,
  maurerUniversal,
  shortestRegister,
} from "../../../src/randomness/structure-tests.ts";

const parse = (text: string): Bits => Uint8Array.from(text, Number);

/** The sample of GM/T 0005's annexes, and that of NIST SP 800-22's worked examples. */
const SAMPLE = parse(
  "11001100000101010110110001001100111000000000001001001101010100010001001111010110100000001101011111001100111001101101100010110010",
);
const PI_100 = parse(
  "1100100100001111110110101010001000100001011010001100001000110100110001001100011001100010100010111000",
);

/** p!/q-style binary splitting of Σ 1/k! from a + 1 to b: numerator over denominator. */
function splitE(a: number, b: number): readonly [bigint, bigint] {
  if (b - a === 1) return [1n, BigInt(b)];
  const middle = (a + b) >> 1;
  const [p1, q1] = splitE(a, middle);
  const [p2, q2] = splitE(middle, b);
  return [p1 * q2 + p2, q1 * q2];
}

/** The first `count` bits of e = 10.101101…, the sample of NIST's appendix B and GM/T's annexes. */
function bitsOfE(count: number): Bits {
  const [p, q] = splitE(0, 80_000);
  return parse((((q + p) << BigInt(count - 2)) / q).toString(2));
}

const p6 = ({ p }: Statistic): string => p.toFixed(6);

describe("S-9.5-1e: the functions behind the probabilities", () => {
  test("known values", () => {
    expect(erfc(1)).toBeCloseTo(0.1572992070502851, 12);
    expect(erfc(2)).toBeCloseTo(0.004677734981047266, 12);
    expect(erfc(-1)).toBeCloseTo(1.842700792949715, 12);
    expect(erfc(10) / 2.088487583762545e-45).toBeCloseTo(1, 8);
    expect(igamc(1, 0.7)).toBeCloseTo(Math.exp(-0.7), 12);
    expect(igamc(2, 8)).toBeCloseTo(9 * Math.exp(-8), 12);
    expect(igamc(5, 0)).toBe(1);
    expect(lnGamma(10)).toBeCloseTo(Math.log(362_880), 10);
    expect(lnGamma(0.5)).toBeCloseTo(Math.log(Math.PI) / 2, 12);
    expect(normal(1.96)).toBeCloseTo(0.97500210485178, 12);
  });
});

describe("S-9.5-1e: the examples of GM/T 0005-2021", () => {
  test.each([
    ["1 monobit", () => monobit(SAMPLE), "0.215925"],
    ["2 block frequency, m=10", () => blockFrequency(PI_100, 10), "0.706438"],
    ["3 poker, m=4", () => poker(SAMPLE, 4), "0.213734"],
    ["4 overlapping, m=2, first", () => overlapping(SAMPLE, 2)[0], "0.436868"],
    ["4 overlapping, m=2, second", () => overlapping(SAMPLE, 2)[1], "0.723674"],
    ["5 runs", () => runs(SAMPLE), "0.620729"],
    ["6 runs distribution", () => runsDistribution(SAMPLE), "0.970152"],
    ["7 longest run of ones, m=8", () => longestRun(SAMPLE, 8, 1), "0.180598"],
    ["7 longest run of zeros, m=8", () => longestRun(SAMPLE, 8, 0), "0.839299"],
    ["8 binary derivative, k=3", () => binaryDerivative(SAMPLE, 3), "0.039669"],
    ["9 autocorrelation, d=1", () => autocorrelation(SAMPLE, 1), "0.790080"],
    ["11 cumulative sums, forward", () => cumulativeSums(PI_100, "forward"), "0.219194"],
    ["11 cumulative sums, backward", () => cumulativeSums(PI_100, "backward"), "0.114866"],
    ["12 approximate entropy, m=2", () => approximateEntropy(PI_100, 2), "0.235301"],
    ["15 discrete Fourier", () => spectral(PI_100), "0.654721"],
  ] as const)("%s", (_, run, expected) => {
    expect(p6(run())).toBe(expected);
  });

  test("the sides that statistics with a sign fall on", () => {
    expect(monobit(SAMPLE).q.toFixed(6)).toBe("0.892038");
    expect(runs(SAMPLE).q.toFixed(6)).toBe("0.310364");
    expect(binaryDerivative(SAMPLE, 3).q.toFixed(6)).toBe("0.980166");
    expect(autocorrelation(SAMPLE, 1).q.toFixed(6)).toBe("0.395040");
    expect(spectral(PI_100).q.toFixed(6)).toBe("0.327360");
  });
});

describe("S-9.5-1e: a million bits of e", { timeout: 120_000 }, () => {
  const e = bitsOfE(1_000_000);

  test("are those of the standards: NIST SP 800-22 counts 500,029 ones", () => {
    expect(e.reduce((sum, bit) => sum + bit, 0)).toBe(500_029);
    expect(overlapping(e, 2).map(p6)).toEqual(["0.843764", "0.561915"]);
  });

  test.each([
    ["10 matrix rank, GM/T 0005", () => matrixRank(e), "0.307543"],
    ["13 linear complexity, m=1000, GM/T 0005", () => linearComplexity(e, 1_000), "0.844721"],
    ["14 Maurer's universal, GM/T 0005", () => maurerUniversal(e), "0.282568"],
    ["1 monobit, NIST appendix B", () => monobit(e), "0.953749"],
    ["2 block frequency, m=128, NIST appendix B", () => blockFrequency(e, 128), "0.211072"],
    ["5 runs, NIST appendix B", () => runs(e), "0.561917"],
    ["12 approximate entropy, m=10, NIST appendix B", () => approximateEntropy(e, 10), "0.700073"],
  ] as const)("%s", (_, run, expected) => {
    expect(p6(run())).toBe(expected);
  });

  test("4 overlapping, m=16, NIST appendix B", () => {
    expect(p6(overlapping(e, 16)[0])).toBe("0.766182");
  });

  test("11 cumulative sums, NIST appendix B, but for the last digit of its Φ", () => {
    expect(cumulativeSums(e, "forward").p).toBeCloseTo(0.669887, 5);
    expect(cumulativeSums(e, "backward").p).toBeCloseTo(0.724266, 5);
  });

  test("7 longest run, m=10000: NIST's value but for the rounding of its chances", () => {
    expect(longestRun(e, 10_000, 1).p).toBeCloseTo(0.718945, 3);
  });

  test("15 discrete Fourier: as many low amplitudes as NIST's 0.847187 comes of", () => {
    const distance = Math.abs(countLowAmplitudes(e) - 475_000);
    const p = erfc(distance / Math.sqrt((1_000_000 * 0.95 * 0.05) / 4) / Math.SQRT2);
    expect(p.toFixed(6)).toBe("0.847187");
  });
});

test("S-9.5-1e: shift registers: Massey's, and those that make their own sequence", () => {
  expect(shortestRegister(parse("1101011110001"), 0, 13)).toBe(4);
  for (const [taps, length] of [
    [[1, 2], 2],
    [[1, 4], 4],
    [[2, 5], 5],
    [[5, 9], 9],
    [[3, 31], 31],
    [[1, 40], 40],
  ] as const) {
    const bits = new Uint8Array(200);
    bits[length - 1] = 1;
    for (let i = length; i < 200; i++) {
      bits[i] = taps.reduce((sum, tap) => sum ^ (bits[i - tap] ?? 0), 0);
    }
    expect(shortestRegister(bits, 0, 200), taps.join()).toBe(length);
  }
});

test("S-9.5-1e: both ways to the spectrum count the same", () => {
  for (const length of [4, 8, 64, 256]) {
    const bits = Uint8Array.from({ length }, (_, i) => (((i * 7919) >> 3) ^ i) & 1);
    let low = 0;
    for (let j = 0; j < length / 2; j++) {
      let [re, im] = [0, 0];
      bits.forEach((bit, i) => {
        re += (2 * bit - 1) * Math.cos((2 * Math.PI * i * j) / length);
        im += (2 * bit - 1) * Math.sin((2 * Math.PI * i * j) / length);
      });
      if (re * re + im * im < 2.995732274 * length) low++;
    }
    expect(countLowAmplitudes(bits), `length ${length}`).toBe(low);
  }
});
