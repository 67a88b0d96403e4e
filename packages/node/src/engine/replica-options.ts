import type { ReplicaOptions } from "@credlink/consensus-pbft";
import type { Ledger } from "@credlink/ledger";
import { invariant } from "@credlink/primitives";
import type { EngineOptions } from "./types.ts";

/** A replica's settings: consensus-critical ones from the chain's head, the rest from the node. */
export function replicaOptionsOf(
  ledger: Ledger,
  options: EngineOptions,
  publicKey: Uint8Array,
): ReplicaOptions {
  const parameters = ledger.parametersAfter(ledger.head.digest);
  invariant(parameters !== null, "the head's parameters are known");
  return {
    chainId: ledger.chainId,
    genesisDigest: ledger.genesisDigest,
    publicKey,
    ...options.timeouts,
    minBlockIntervalMs: parameters.minBlockIntervalMs,
    emptyBlockIntervalMs: parameters.emptyBlockIntervalMs,
    maxBlockTransactions: parameters.maxBlockTransactions,
    maxBlockBytes: parameters.maxBlockBytes,
    precisionMs: parameters.precisionMs,
    messageDelayMs: parameters.messageDelayMs,
    allowNonByzantine: ledger.genesis.allowNonByzantine,
    overlap: options.overlap,
  };
}
