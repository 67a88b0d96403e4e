import type { EngineParts } from "./engine-parts.ts";
import type { EngineHoldings } from "./types.ts";

/** What counts its own entries. */
interface Sized {
  readonly size: number;
}

/** Counts what an engine's parts hold. */
export function holdingsOf(
  parts: EngineParts,
  seenVotes: Sized,
  shownVotes: Sized,
): EngineHoldings {
  const { mempool } = parts;
  return {
    statements: parts.statements.size,
    signatures: parts.consensusSignatures.size,
    proposals: parts.proposals.size,
    collectedProposals: parts.fetcher.size,
    seenVotes: seenVotes.size,
    shownVotes: shownVotes.size,
    evidence: parts.evidence.size,
    transactions: mempool.size,
    transactionBytes: mempool.bytes,
    expired: parts.outcomes.size,
  };
}
