/** What another service of the project takes of a node's shell. */
export { type Rate, RateLimiter } from "./engine/token-bucket.ts";
export { createLogger, type LoggerOptions, type NodeLogger } from "./logger.ts";
export { createMetricsRegistry, type MetricsRegistry } from "./metrics-registry.ts";
export { type FolderLock, lockFolder } from "./storage/folder-lock.ts";
export { systemClock } from "./system-clock.ts";
