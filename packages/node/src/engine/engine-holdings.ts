import type { EngineParts } from "./engine-parts.ts";
import type { EngineHoldings } from "./types.ts";

/** What counts its own entries. */
interface Sized {
  readonly size: number;
}

/** Counts what an engine's parts hold; `driver` is null while no replica runs. */
export function holdingsOf(
  parts: EngineParts,
  driver: Sized | null,
  seenVotes: Sized,
  shownVotes: Sized,
): EngineHoldings {
  const { mempool } = parts;
  return {
    statements: parts.statements.size,
    signatures: parts.consensusSignatures.size,
    proposals: parts.proposals.size,
    collectedProposals: parts.fetcher.size,
    justifications: driver?.size ?? 0,
    seenVotes: seenVotes.size,
    shownVotes: shownVotes.size,
    evidence: parts.evidence.size,
    transactions: mempool.size,
    transactionBytes: mempool.bytes,
    expired: parts.outcomes.size,
  };
}
