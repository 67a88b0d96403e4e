/**
 * The PBFT replica as a pure state machine: one instance per height, certificates with one
 * verifier, a two-step view synchroniser, votes durable before they are sent.
 *
 * ```ts
 * import { createReplica, createRoster, createValidatorSet, defaultReplicaOptions, defaultTiming }
 *   from "@credlink/consensus-pbft";
 *
 * const replica = createReplica({ ...defaultReplicaOptions, chainId, genesisDigest, publicKey },
 *   { head, validators, nextValidators: validators, timing: defaultTiming, records: [],
 *     abstain: false });
 * for (const effect of replica.start(nowMs)) interpret(effect);
 * for (const effect of replica.step({ type: "work", pending: true }, nowMs)) interpret(effect);
 * ```
 */
export * from "./certificates.ts";
export * from "./codecs.ts";
export * from "./crc32c.ts";
export * from "./effects.ts";
export * from "./errors.ts";
export * from "./metrics.ts";
export { missesOwnVote } from "./recovery.ts";
export { createReplica, defaultReplicaOptions, defaultTiming } from "./replica.ts";
export * from "./reports.ts";
export { type RetransmissionTimes, retransmissionTimes } from "./retransmission-times.ts";
export * from "./statements.ts";
export * from "./vote-log.ts";
export * from "./wire.ts";
