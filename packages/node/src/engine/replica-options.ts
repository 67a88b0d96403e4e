import type { ReplicaOptions } from "@credlink/consensus-pbft";
import { type Ledger, MAX_BLOCK_BYTES, MAX_BLOCK_TRANSACTIONS } from "@credlink/ledger";
import { invariant } from "@credlink/primitives";
import type { EngineOptions } from "./types.ts";

/**
 * A replica's settings: those of its timing from the chain's head as it starts, the rest from the
 * node. How large a block may be is the ledger's to judge, by the parameters of the block's own
 * parent: a replica that kept the limits of its start would refuse what governance allowed since.
 */
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
    maxBlockTransactions: MAX_BLOCK_TRANSACTIONS,
    maxBlockBytes: MAX_BLOCK_BYTES,
    precisionMs: parameters.precisionMs,
    messageDelayMs: parameters.messageDelayMs,
    allowNonByzantine: ledger.genesis.allowNonByzantine,
    overlap: options.overlap,
  };
}
