/**
 * Randomness tests of GB/T 32915-2016 (fifteen, parameters of GM/T 0005-2021) over any generator
 * behind the Random interface. Node only: samples are judged in a worker thread.
 *
 * ```ts
 * import { systemRandom } from "@credlink/crypto";
 * import { checkRandomness } from "@credlink/crypto/randomness";
 *
 * await checkRandomness(systemRandom); // throws CRYPTO_RANDOMNESS_FAILED for a bad generator
 * ```
 */
export {
  checkRandomness,
  checkRandomnessFully,
  checkRandomnessQuickly,
  type FullCheckOptions,
  type FullReport,
  type RandomnessReport,
} from "./randomness/check.ts";
export {
  QUICK_BITS,
  type RandomnessTest,
  randomnessTests,
  SAMPLE_BITS,
  type SampleResult,
  testSample,
} from "./randomness/tests.ts";
export { type ItemVerdict, passThreshold } from "./randomness/verdict.ts";
