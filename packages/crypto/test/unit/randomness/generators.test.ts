import { createCipheriv, createHash } from "node:crypto";
import type { Random } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import { systemRandom } from "../../../src/index.ts";
import { bitsOf } from "../../../src/randomness/statistic.ts";
import { randomnessTests, testSample } from "../../../src/randomness/tests.ts";
import { judgeSamples, suspectResults } from "../../../src/randomness/verdict.ts";
import {
  checkRandomness,
  checkRandomnessQuickly,
  passThreshold,
  SAMPLE_BITS,
} from "../../../src/randomness.ts";
import { thrownCode } from "../../support/doors.ts";

/** A good sequence that is the same in every run: AES in counter mode under a key from `seed`. */
function streamOf(seed: string): (length: number) => Uint8Array {
  const key = createHash("sha256").update(seed).digest();
  const cipher = createCipheriv("aes-256-ctr", key, Buffer.alloc(16));
  return (length) => Uint8Array.from(cipher.update(Buffer.alloc(length)));
}

function generator(bytes: (length: number) => Uint8Array): Random {
  return { bytes, integer: () => 0 };
}

/** Each byte's bits set with chance `ones` in 1,000, from a good stream. */
function biased(ones: number): (length: number) => Uint8Array {
  const stream = streamOf(`biased ${ones}`);
  return (length) => {
    const drawn = new Uint16Array(stream(length * 16).buffer);
    return Uint8Array.from({ length }, (_, at) => {
      let byte = 0;
      for (let bit = 0; bit < 8; bit++) {
        byte = (byte << 1) | ((drawn[at * 8 + bit] ?? 0) < (65_536 * ones) / 1_000 ? 1 : 0);
      }
      return byte;
    });
  };
}

describe("S-9.5-1e: the fifteen tests", { timeout: 120_000 }, () => {
  test("are all there, each by its number, on at least a million bits", () => {
    expect(new Set(randomnessTests.map(({ number }) => number)).size).toBe(15);
    expect(SAMPLE_BITS).toBeGreaterThanOrEqual(1_000_000);
  });

  test("find nothing in a good sequence", () => {
    const results = testSample(bitsOf(streamOf("good")(SAMPLE_BITS / 8)));
    expect(results.length).toBeGreaterThan(15);
    expect(suspectResults(results)).toEqual([]);
    for (const { p, q } of results) {
      expect(p).toBeGreaterThanOrEqual(0);
      expect(p).toBeLessThanOrEqual(1);
      expect(q).toBeLessThanOrEqual(1);
    }
  });

  // Which test catches which fault: each must earn its place.
  test.each([
    [
      "stuck at 0",
      () => () => new Uint8Array(SAMPLE_BITS / 8),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    ],
    ["stuck at 1", () => () => new Uint8Array(SAMPLE_BITS / 8).fill(255), [1, 5, 12, 13, 14, 15]],
    ["alternating", () => () => new Uint8Array(SAMPLE_BITS / 8).fill(0xaa), [4, 5, 6, 9, 13, 15]],
    ["505 ones in 1,000", () => biased(505), [1, 11]],
    [
      "a block of 4 KiB over and over",
      () => () => {
        const block = streamOf("block")(4_096);
        return Uint8Array.from({ length: SAMPLE_BITS / 8 }, (_, i) => block[i % 4_096] ?? 0);
      },
      [15],
    ],
    [
      "every third byte a copy",
      () => () =>
        streamOf("copy")(SAMPLE_BITS / 8).map((b, i, all) => (i % 3 === 2 ? (all[i - 1] ?? b) : b)),
      [9],
    ],
  ] as const)("catch a generator that is %s", (_, make, numbers) => {
    const suspects = suspectResults(testSample(bitsOf(make()(SAMPLE_BITS / 8))));
    const caught = new Set(suspects.map(({ number }) => number));
    for (const number of numbers) expect(caught, `test ${number}`).toContain(number);
  });
});

describe("S-9.5-1e: the check of a start", { timeout: 120_000 }, () => {
  test("takes the machine's generator", async () => {
    const { results, samples } = await checkRandomness(systemRandom);
    expect(new Set(results.map(({ number }) => number)).size).toBe(15);
    expect(samples).toBeLessThanOrEqual(2);
  });

  test("refuses a stuck and a biased one, injected by the Random interface", async () => {
    for (const bytes of [(length: number) => new Uint8Array(length).fill(0x5a), biased(510)]) {
      const run = () => checkRandomness(generator(bytes));
      expect(await thrownCode(run)).toBe("CRYPTO_RANDOMNESS_FAILED");
    }
  });

  test("draws a second sample before it refuses, and one good one is enough", async () => {
    const stream = streamOf("second");
    let calls = 0;
    const bytes = (length: number): Uint8Array =>
      calls++ === 0 ? new Uint8Array(length) : stream(length);
    expect((await checkRandomness(generator(bytes))).samples).toBe(2);
  });
});

describe("S-9.5-1e: the quick check of a start off production chains", { timeout: 120_000 }, () => {
  test("takes the machine's generator, by twelve tests on 2^17 bits", async () => {
    const { results, sampleBits } = await checkRandomnessQuickly(systemRandom);
    expect(sampleBits).toBe(131_072);
    expect(new Set(results.map(({ number }) => number)).size).toBe(12);
  });

  test("refuses a stuck, an alternating and a biased one", async () => {
    for (const bytes of [
      (length: number) => new Uint8Array(length),
      (length: number) => new Uint8Array(length).fill(0xaa),
      biased(520),
    ]) {
      const run = () => checkRandomnessQuickly(generator(bytes));
      expect(await thrownCode(run)).toBe("CRYPTO_RANDOMNESS_FAILED");
    }
  });
});

describe("S-9.5-1e: the verdict over many samples, GM/T 0005-2021 §6", () => {
  const sample = (p: number) => [{ number: 1, name: "x", p, q: p }];

  test("the threshold of the standard: 981 of 1,000", () => {
    expect(passThreshold(1_000)).toBe(981);
    expect(passThreshold(20)).toBe(19);
    const spread = (i: number): number => 0.02 + (0.98 * i) / 1_000;
    for (const [bad, holds] of [
      [19, true],
      [20, false],
    ] as const) {
      const samples = Array.from({ length: 1_000 }, (_, i) => sample(i < bad ? 0.0099 : spread(i)));
      expect(judgeSamples(samples)[0]).toMatchObject({
        passed: 1_000 - bad,
        threshold: 981,
        holds,
      });
    }
  });

  test("values that pass one by one and are not spread evenly fail", () => {
    const samples = Array.from({ length: 100 }, (_, i) => sample(0.4 + (i % 20) / 100));
    expect(judgeSamples(samples)[0]).toMatchObject({ passed: 100, holds: false });
  });
});
