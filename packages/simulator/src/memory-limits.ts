import type { ReplicaHoldings } from "@credlink/consensus-pbft";
import type { EngineHoldings, EngineOptions } from "@credlink/node/engine";

/*
 * The bounds of docs/protocol/consensus.md §8, written down a second time: the code's own constants
 * are not asked.
 */

/** Views whose votes are kept: the current one, 8 before it, 2 after it. */
const KEPT_VIEWS = 8 + 1 + 2;
/** Kinds of pairs that exclude each other (§9). */
const PAIRS = 5;
/** View changes of one signer that are kept for what they claim, and for what they deny. */
const CLAIMS = 11;
const DENIALS = 11;
const EARLY_VOTES = 11;
const KEPT_BLOCKS = 8;
const LATE_HEIGHTS = 8;
const EARLY_PROPOSALS = 2;
const VOTES_A_VIEW = 5;
const REQUESTS_A_VIEW = 3;
const TIMERS = 6;
const LATENCIES = 20;

/** Where a replica stands. */
export interface ReplicaPlace {
  /** Members of the height that is decided, of the next one, and the most of the last 8 heights. */
  readonly members: number;
  readonly nextMembers: number;
  readonly lateMembers: number;
  readonly view: number;
}

/** The most that a replica may hold there. */
export function replicaLimits(place: ReplicaPlace): ReplicaHoldings {
  const { members, nextMembers, lateMembers, view } = place;
  const views = view + 1;
  return {
    prePrepares: KEPT_VIEWS,
    prepares: KEPT_VIEWS * members,
    commits: KEPT_VIEWS * members,
    wishes: members,
    viewChanges: members,
    pastCommits: members,
    claims: CLAIMS * members,
    denials: DENIALS * members,
    candidates: KEPT_BLOCKS,
    convictions: PAIRS * members,
    promisedViews: views,
    nextPrePrepares: EARLY_PROPOSALS,
    nextVotes: (2 * EARLY_VOTES + 2) * nextMembers,
    nextClaims: CLAIMS * nextMembers,
    nextDenials: DENIALS * nextMembers,
    nextCandidates: EARLY_PROPOSALS,
    nextConvictions: PAIRS * nextMembers,
    recentDecisions: LATE_HEIGHTS,
    answers: LATE_HEIGHTS * lateMembers,
    outbox: VOTES_A_VIEW * views,
    timers: TIMERS,
    requests: REQUESTS_A_VIEW * views + 2,
    latencies: LATENCIES,
  };
}

/** The most that an engine may hold: with so many validators now, ever, and peers. */
export function engineLimits(
  { members, everMembers, peers }: Record<"members" | "everMembers" | "peers", number>,
  { maxTransactions, maxBytes }: Pick<EngineOptions["mempool"], "maxTransactions" | "maxBytes">,
): EngineHoldings {
  return {
    statements: 3 * 32 * members,
    signatures: 8_192,
    proposals: 16,
    collectedProposals: 8,
    seenVotes: everMembers,
    shownVotes: peers,
    evidence: 256,
    transactions: maxTransactions,
    transactionBytes: maxBytes,
    expired: 20_000,
  };
}
