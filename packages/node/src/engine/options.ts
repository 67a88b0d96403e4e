import type { EngineOptions } from "./types.ts";

/** Local defaults of an engine; see `EngineOptions` for units. */
export const defaultEngineOptions = Object.freeze({
  mempool: { maxTransactions: 50_000, maxBytes: 256 * 1024 * 1024, maxPerSender: 10_000 },
  pushBatchBytes: 64 * 1024,
  pushDelayMs: 5,
  requestTimeoutMs: 2_000,
  timeouts: {
    baseTimeoutMs: 2_000,
    minTimeoutMs: 500,
    maxBaseTimeoutMs: 5_000,
    maxTimeoutMs: 60_000,
  },
  overlap: true,
}) satisfies Omit<EngineOptions, "nodeId" | "chainId" | "genesisDigest" | "nodeAddress">;
