import { Worker } from "node:worker_threads";
import type { Random } from "@credlink/primitives";
import { CryptoError } from "../errors.ts";
import { bitsOf } from "./statistic.ts";
import { QUICK_BITS, quickTests, SAMPLE_BITS, type SampleResult, testSample } from "./tests.ts";
import { type ItemVerdict, judgeSamples, suspectResults } from "./verdict.ts";

/**
 * Tests a generator by samples drawn from it here and judged in a worker thread, so that the caller
 * goes on meanwhile.
 */

const SAMPLE_BYTES = SAMPLE_BITS / 8;

/** A thread that judges one sample after another. */
interface Judge {
  judge(bytes: Uint8Array): Promise<readonly SampleResult[]>;
  close(): Promise<void>;
}

function startJudge(): Judge {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const worker = new Worker(new URL(`./worker.${extension}`, import.meta.url));
  return {
    judge: (bytes) =>
      new Promise((resolve, reject) => {
        // Not removeAllListeners: the thread's own go with them, and it never answers again.
        const settle = (act: () => void): void => {
          worker.off("message", onMessage).off("error", onError).off("exit", onExit);
          act();
        };
        const onMessage = (results: readonly SampleResult[]): void =>
          settle(() => resolve(results));
        const onError = (error: unknown): void => settle(() => reject(error));
        const onExit = (code: number): void =>
          settle(() => reject(new Error(`the judging thread ended with ${code}`)));
        worker.on("message", onMessage).on("error", onError).on("exit", onExit);
        worker.postMessage(bytes);
      }),
    close: async () => {
      await worker.terminate();
    },
  };
}

async function withJudge<T>(work: (judge: Judge) => Promise<T>): Promise<T> {
  const judge = startJudge();
  try {
    return await work(judge);
  } finally {
    await judge.close();
  }
}

/** What a quick check found. */
export interface RandomnessReport {
  readonly sampleBits: number;
  /** Of the last sample that was drawn. */
  readonly results: readonly SampleResult[];
  /** 1, or 2 when the first sample was suspect and the second was not. */
  readonly samples: number;
}

/** Judges a sample and, when it is suspect, a second one; two suspect ones end it. */
async function judgeTwice(
  sampleBits: number,
  judge: () => Promise<readonly SampleResult[]>,
): Promise<RandomnessReport> {
  const first = await judge();
  if (suspectResults(first).length === 0) return { sampleBits, results: first, samples: 1 };
  const second = await judge();
  const suspects = suspectResults(second);
  if (suspects.length === 0) return { sampleBits, results: second, samples: 2 };
  const names = suspects.slice(0, 3).map(({ name, p }) => `${name}: P=${p.toExponential(1)}`);
  throw new CryptoError(
    "CRYPTO_RANDOMNESS_FAILED",
    `${suspects.length} of ${second.length} statistics, ${names.join("; ")}`,
  );
}

/**
 * Tests one sample of 2^20 bits by all fifteen tests. A suspect sample is followed by a second one;
 * a generator that gives two suspect samples is refused. A good one is refused once in some ten
 * million checks.
 * @throws CryptoError CRYPTO_RANDOMNESS_FAILED
 */
export function checkRandomness(random: Random): Promise<RandomnessReport> {
  return withJudge(({ judge }) => judgeTwice(SAMPLE_BITS, () => judge(random.bytes(SAMPLE_BYTES))));
}

/**
 * The same on 2^17 bits by twelve tests, on this thread: some 20 ms. It finds what is stuck, periodic, or
 * has 510 ones in 1,000.
 * @throws CryptoError CRYPTO_RANDOMNESS_FAILED
 */
export function checkRandomnessQuickly(random: Random): Promise<RandomnessReport> {
  return judgeTwice(QUICK_BITS, async () =>
    testSample(bitsOf(random.bytes(QUICK_BITS / 8)), quickTests),
  );
}

export interface FullCheckOptions {
  /** Samples of 2^20 bits, from 20; the standard asks for 1,000. */
  readonly samples: number;
  /** Called after each sample. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What many samples said. */
export interface FullReport {
  readonly sampleBits: number;
  readonly verdicts: readonly ItemVerdict[];
  /** Statistics that failed and were judged again on as many fresh samples. */
  readonly repeated: readonly ItemVerdict[];
  readonly holds: boolean;
}

/**
 * Judges many samples by GM/T 0005-2021 §6. What fails is judged once more on fresh samples, as GM/T
 * 0062-2018 allows: a good generator fails some statistic in one round of three.
 */
export function checkRandomnessFully(
  random: Random,
  options: FullCheckOptions,
): Promise<FullReport> {
  const { samples, onProgress } = options;
  return withJudge(async (judge) => {
    const round = async (before: number, total: number): Promise<readonly ItemVerdict[]> => {
      const results: (readonly SampleResult[])[] = [];
      for (let i = 0; i < samples; i++) {
        results.push(await judge.judge(random.bytes(SAMPLE_BYTES)));
        onProgress?.(before + i + 1, total);
      }
      return judgeSamples(results);
    };
    const verdicts = await round(0, samples);
    const failed = new Set(verdicts.filter(({ holds }) => !holds).map(({ name }) => name));
    const again = failed.size === 0 ? [] : await round(samples, 2 * samples);
    const repeated = again.filter(({ name }) => failed.has(name));
    const holds = repeated.every((verdict) => verdict.holds);
    return { sampleBits: SAMPLE_BITS, verdicts, repeated, holds };
  });
}
