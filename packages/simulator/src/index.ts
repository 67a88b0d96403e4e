/**
 * Deterministic simulation of whole consortia: real engines, replicas, vote logs and ledgers on
 * simulated time, network and disks, with faults, traitors and checkers. One seed decides all.
 *
 * ```ts
 * import { runSeed } from "@credlink/simulator";
 *
 * const result = await runSeed({ seed: 7 });
 * if (!result.ok) throw result.error;
 * ```
 */
export { type Strategy, strategies } from "./byzantine.ts";
export { CheckFailure, type FailureKind } from "./checker-errors.ts";
export { Cluster } from "./cluster.ts";
export { drawPlan, type Plan } from "./plan.ts";
export { createProtocolProfile, type Profile, type ProfileName } from "./profile.ts";
export { type RunOptions, type RunResult, runSeed } from "./run.ts";
export { runBatch, type TwinsBatch, type TwinsTally } from "./twins/batch.ts";
export { runScenario, type TwinsResult } from "./twins/run.ts";
export * from "./twins/scenario.ts";
