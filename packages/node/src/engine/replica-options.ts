import type { ReplicaOptions, Successor, Timing } from "@credlink/consensus-pbft";
import {
  type ConsensusLedger,
  MAX_BLOCK_BYTES,
  MAX_BLOCK_TRANSACTIONS,
  type SealedCandidate,
} from "@credlink/ledger";
import type { Digest } from "@credlink/primitives";
import type { EngineOptions } from "./types.ts";

/**
 * A replica's local settings. How large a block may be is the ledger's to judge, by the parameters
 * of the block's own parent: a replica that kept the limits of its start would refuse what
 * governance allowed since. Timing comes with each block (`timingAfter`).
 */
export function replicaOptionsOf(
  ledger: ConsensusLedger,
  options: EngineOptions,
  publicKey: Uint8Array,
): ReplicaOptions {
  return {
    chainId: ledger.chainId,
    genesisDigest: ledger.genesisDigest,
    publicKey,
    ...options.timeouts,
    maxBlockTransactions: MAX_BLOCK_TRANSACTIONS,
    maxBlockBytes: MAX_BLOCK_BYTES,
    allowNonByzantine: ledger.genesis.allowNonByzantine,
    overlap: options.overlap,
  };
}

/** Timing of the height above the head or a candidate, from the chain; null for other blocks. */
export function timingAfter(ledger: ConsensusLedger, digest: Digest): Timing | null {
  const parameters = ledger.parametersAfter(digest);
  if (parameters === null) return null;
  const { minBlockIntervalMs, emptyBlockIntervalMs, precisionMs, messageDelayMs } = parameters;
  return { minBlockIntervalMs, emptyBlockIntervalMs, precisionMs, messageDelayMs };
}

/** What a validated or committed block settles for the heights after it; null once it is gone. */
export function successorOf(
  ledger: ConsensusLedger,
  { sealed, validatorsAfterNext }: SealedCandidate,
): Successor | null {
  const timing = timingAfter(ledger, sealed.digest);
  return timing === null ? null : { validatorsAfterNext, timing };
}
