/**
 * One node of a credlink network: peers, gateway, database and engine, put together.
 *
 * ```ts
 * import { loadConfig, startNode } from "@credlink/node";
 *
 * const config = await loadConfig({ file: "node.yaml", environment: process.env });
 * const node = await startNode(config);
 * node.addresses.rpc; // http://127.0.0.1:8645/rpc
 * await node.stop();
 * ```
 */
export { describeConfiguration } from "./config/document.ts";
export { ConfigError } from "./config/errors.ts";
export { type ConfigSources, loadConfig, parseConfig } from "./config/load.ts";
export type { NodeConfig, NodeConfigInput } from "./config/schema.ts";
export { type Setting, settings } from "./config/settings.ts";
export { removeIndex } from "./credential-index/index-store.ts";
export { NodeError, nodeErrors } from "./errors.ts";
export { exitCodes } from "./exit-codes.ts";
export { nodeMetrics } from "./metrics.ts";
export { type RunningNode, type StartOptions, startNode } from "./node.ts";
export { AdmissionError, NetworkError } from "./p2p/errors.ts";
export { generatePeerKey, loadPeerKey, peerIdOf, savePeerKey } from "./p2p/peer-key.ts";
export { runNode } from "./run-node.ts";
export { type RepairResult, repairNode } from "./self-check/repair-node.ts";
export { StorageError, storageErrors } from "./storage/errors.ts";
export { openLevelStore } from "./storage/level-store.ts";
export { systemClock } from "./system-clock.ts";
export { VERSION } from "./version.ts";
