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
export { type ConfigSources, fixedSettings, loadConfig, parseConfig } from "./config/load.ts";
export type { NodeConfig, NodeConfigInput } from "./config/schema.ts";
export { type Setting, settings } from "./config/settings.ts";
export type { AuditCheck } from "./control/audit-files.ts";
export { NodeControlError } from "./control/errors.ts";
export { checkNodeAudit } from "./control/open-control.ts";
export { RUN_TIME_SETTINGS } from "./control/settings.ts";
export { removeIndex } from "./credential-index/index-store.ts";
export { examineNode } from "./doctor/doctor.ts";
export type { DoctorFinding } from "./doctor/errors.ts";
export { needs } from "./doctor/needs.ts";
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
