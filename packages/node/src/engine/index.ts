/**
 * The engine of a node: everything between its network and its ledger, over interfaces alone, so
 * that a process and the simulator run the same code.
 *
 * ```ts
 * import { createEngine, defaultEngineOptions } from "@credlink/node/engine";
 *
 * const engine = createEngine({ ...defaultEngineOptions, nodeId, chainId, genesisDigest },
 *   { ledger, network, disk, clock, random, signer, verifier, logger, metrics, createReplica,
 *     onFatal });
 * await engine.start();
 * const submitted = await engine.submit(signedTransaction);
 * ```
 */
export { createEngine, VOTE_LOG_FOLDER } from "./engine.ts";
export { EngineError, type EngineErrorCode, engineErrors } from "./errors.ts";
export { EVIDENCE_FOLDER } from "./evidence-files.ts";
export { createMempool } from "./mempool.ts";
export { engineMetrics } from "./metrics.ts";
export { defaultEngineOptions } from "./options.ts";
export * from "./protocols.ts";
export { isHigherVote, isVote, type Vote } from "./seen-votes.ts";
export { createTransactionSignatures } from "./signature-memory.ts";
export type * from "./types.ts";
