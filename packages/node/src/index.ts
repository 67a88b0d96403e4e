/**
 * One node of a credlink network: peers, gateway, database and engine, put together.
 *
 * ```ts
 * import { loadConfig } from "@credlink/node";
 *
 * const config = await loadConfig({ file: "node.yaml", environment: process.env });
 * config.p2p.listen; // ["/ip4/127.0.0.1/tcp/9645"]
 * ```
 */
export { describeConfiguration } from "./config/document.ts";
export { ConfigError } from "./config/errors.ts";
export { type ConfigSources, loadConfig, parseConfig } from "./config/load.ts";
export type { NodeConfig, NodeConfigInput } from "./config/schema.ts";
export { type Setting, settings } from "./config/settings.ts";
export { NodeError, nodeErrors } from "./errors.ts";
export { nodeMetrics } from "./metrics.ts";
export { AdmissionError, NetworkError } from "./p2p/errors.ts";
export { generatePeerKey, loadPeerKey, peerIdOf, savePeerKey } from "./p2p/peer-key.ts";
export { systemClock } from "./system-clock.ts";
