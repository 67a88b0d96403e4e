import {
  approximateEntropy,
  autocorrelation,
  binaryDerivative,
  blockFrequency,
  cumulativeSums,
  monobit,
  overlapping,
  poker,
} from "./counting-tests.ts";
import { longestRun, runs, runsDistribution } from "./runs-tests.ts";
import { spectral } from "./spectral-test.ts";
import type { Bits, Statistic } from "./statistic.ts";
import { linearComplexity, matrixRank, maurerUniversal } from "./structure-tests.ts";

/**
 * The fifteen tests of GB/T 32915-2016 with the parameters of GM/T 0005-2021 for samples of a million
 * bits and more, in the order of the standard.
 */

/** One statistic of one test with its parameters. */
export interface RandomnessTest {
  /** 1 to 15, the test's number in the standard. */
  readonly number: number;
  readonly name: string;
  readonly run: (bits: Bits) => readonly Statistic[];
}

/** Bits of a sample: 2^20, so that the Fourier transform is exact without padding. */
export const SAMPLE_BITS = 1_048_576;

const one =
  <A extends readonly unknown[]>(test: (bits: Bits, ...args: A) => Statistic, ...args: A) =>
  (bits: Bits): readonly Statistic[] => [test(bits, ...args)];

export const randomnessTests: readonly RandomnessTest[] = [
  { number: 1, name: "monobit frequency", run: one(monobit) },
  { number: 2, name: "frequency within a block, m=10000", run: one(blockFrequency, 10_000) },
  { number: 3, name: "poker, m=4", run: one(poker, 4) },
  { number: 3, name: "poker, m=8", run: one(poker, 8) },
  { number: 4, name: "overlapping subsequences, m=3", run: (bits) => overlapping(bits, 3) },
  { number: 4, name: "overlapping subsequences, m=5", run: (bits) => overlapping(bits, 5) },
  { number: 5, name: "runs", run: one(runs) },
  { number: 6, name: "runs distribution", run: one(runsDistribution) },
  { number: 7, name: "longest run of ones, m=10000", run: one(longestRun, 10_000, 1) },
  { number: 7, name: "longest run of zeros, m=10000", run: one(longestRun, 10_000, 0) },
  { number: 8, name: "binary derivative, k=3", run: one(binaryDerivative, 3) },
  { number: 8, name: "binary derivative, k=7", run: one(binaryDerivative, 7) },
  ...[1, 2, 8, 16].map((d) => ({
    number: 9,
    name: `autocorrelation, d=${d}`,
    run: one(autocorrelation, d),
  })),
  { number: 10, name: "matrix rank, 32x32", run: one(matrixRank) },
  { number: 11, name: "cumulative sums, forward", run: one(cumulativeSums, "forward") },
  { number: 11, name: "cumulative sums, backward", run: one(cumulativeSums, "backward") },
  { number: 12, name: "approximate entropy, m=2", run: one(approximateEntropy, 2) },
  { number: 12, name: "approximate entropy, m=5", run: one(approximateEntropy, 5) },
  { number: 13, name: "linear complexity, m=500", run: one(linearComplexity, 500) },
  { number: 14, name: "Maurer's universal, L=7", run: one(maurerUniversal) },
  { number: 15, name: "discrete Fourier", run: one(spectral) },
];

/** Bits of a quick check's sample. */
export const QUICK_BITS = 131_072;

/**
 * The twelve tests that GM/T 0062-2018 asks for between the thorough ones, with parameters for shorter
 * samples: all but linear complexity, Maurer's and the Fourier test.
 */
export const quickTests: readonly RandomnessTest[] = [
  ...randomnessTests.filter(({ number }) => ![2, 7, 13, 14, 15].includes(number)),
  { number: 2, name: "frequency within a block, m=1000", run: one(blockFrequency, 1_000) },
  { number: 7, name: "longest run of ones, m=128", run: one(longestRun, 128, 1) },
  { number: 7, name: "longest run of zeros, m=128", run: one(longestRun, 128, 0) },
];

/** What every test said of one sample; tests with two statistics stand twice. */
export interface SampleResult {
  readonly number: number;
  readonly name: string;
  readonly p: number;
  readonly q: number;
}

/** Runs tests on a sample; all fifteen unless others are given. */
export function testSample(
  bits: Bits,
  tests: readonly RandomnessTest[] = randomnessTests,
): readonly SampleResult[] {
  return tests.flatMap(({ number, name, run }) => {
    const statistics = run(bits);
    return statistics.map(({ p, q }, i) => ({
      number,
      name: statistics.length === 1 ? name : `${name}, statistic ${i + 1}`,
      p,
      q,
    }));
  });
}
