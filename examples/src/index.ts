/**
 * A month of a gig-economy business as credentials, and one of each refused case: input for the
 * demo, for tests, and for anybody who wants real data to play with.
 *
 * ```ts
 * import { addressFromPublicKey, generateKeyPair } from "@credlink/crypto";
 * import { generateBusinessMonth, generateRefusedCases } from "@credlink/examples";
 *
 * const createKey = () => {
 *   const pair = generateKeyPair();
 *   return { ...pair, address: addressFromPublicKey(pair.publicKey) };
 * };
 * const month = generateBusinessMonth({ seed: "demo", startMs, institutionAddress, createKey });
 * // register month.relationKeys, submit month.steps stage by stage, then the refused cases
 * const refused = generateRefusedCases(month);
 * ```
 */
export { batchesOf, type StepBatch } from "./batches.ts";
export {
  type BusinessMonth,
  type BusinessMonthOptions,
  generateBusinessMonth,
} from "./business-month.ts";
export {
  type BusinessStream,
  type BusinessStreamOptions,
  createBusinessStream,
  MAX_STREAM_WORKERS,
  STREAM_WORKER_STEPS,
  type WorkerBusiness,
} from "./business-stream.ts";
export type { Invoice } from "./month/bills.ts";
export type {
  Enterprise,
  Person,
  RelationKeyToRegister,
  Work,
  Worker,
} from "./month/context.ts";
export type { Incidents } from "./month/risks.ts";
export { createExampleRandom, type ExampleRandom } from "./random.ts";
export { generateRefusedCases, type RefusedCase } from "./refused-cases.ts";
export { type CredentialDraft, type CredentialStep, type ExampleKey, StepBuilder } from "./step.ts";
export { stepsBehind } from "./steps-behind.ts";
