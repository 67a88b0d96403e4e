import { igamc } from "./special-functions.ts";
import { chiSquare } from "./statistic.ts";
import type { SampleResult } from "./tests.ts";

/** How results are judged: of one sample at a start, of many samples by the standard. */

/**
 * At a start a sample is suspect when some P is below this. The standard's 0.01 would refuse one
 * good start in five; whatever is stuck, biased by 3 in 1,000 or periodic falls far below.
 */
export const START_BOUND = 1e-6;

/** GM/T 0005-2021 §6.2: significance of a sample. */
const ALPHA = 0.01;
/** §6.3: significance of the distribution of Q over the samples. */
const ALPHA_UNIFORM = 0.0001;
const CLASSES = 10;

/** The results of a sample that are below the bound of a start. */
export function suspectResults(results: readonly SampleResult[]): readonly SampleResult[] {
  return results.filter(({ p }) => !(p >= START_BOUND));
}

/** How many of `samples` must pass. @see GM/T 0005-2021 §6.2 */
export function passThreshold(samples: number): number {
  return Math.ceil(samples * (1 - ALPHA - 3 * Math.sqrt((ALPHA * (1 - ALPHA)) / samples)));
}

/** What many samples say of one statistic. */
export interface ItemVerdict {
  readonly number: number;
  readonly name: string;
  readonly samples: number;
  /** Samples with P ≥ 0.01. */
  readonly passed: number;
  /** How many must. */
  readonly threshold: number;
  /** Chance of Q's spread over ten classes; null below 55 samples, where classes are too thin. */
  readonly uniformity: number | null;
  readonly holds: boolean;
}

/** Five a class, and some. */
const MIN_SAMPLES_FOR_UNIFORMITY = 55;

function uniformityOf(values: readonly number[]): number | null {
  if (values.length < MIN_SAMPLES_FOR_UNIFORMITY) return null;
  const counts = new Array<number>(CLASSES).fill(0);
  for (const q of values) {
    const place = Math.min(CLASSES - 1, Math.floor(q * CLASSES));
    counts[place] = (counts[place] ?? 0) + 1;
  }
  const expected = counts.map(() => values.length / CLASSES);
  return igamc((CLASSES - 1) / 2, chiSquare(counts, expected) / 2);
}

/** Judges samples by GM/T 0005-2021 §6, statistic by statistic. */
export function judgeSamples(
  samples: readonly (readonly SampleResult[])[],
): readonly ItemVerdict[] {
  const [first = []] = samples;
  return first.map(({ number, name }, i) => {
    const results = samples.flatMap((sample) => sample[i] ?? []);
    const passed = results.filter(({ p }) => p >= ALPHA).length;
    const threshold = passThreshold(samples.length);
    const uniformity = uniformityOf(results.map(({ q }) => q));
    const holds = passed >= threshold && (uniformity === null || uniformity >= ALPHA_UNIFORM);
    return { number, name, samples: samples.length, passed, threshold, uniformity, holds };
  });
}
