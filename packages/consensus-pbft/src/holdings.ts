/** How much a replica keeps. @see docs/protocol/consensus.md §8 for what bounds it */
import type { NextHeight, ReplicaState } from "./state.ts";

/** Entries that a replica holds, by what they are. None depends on what peers send beyond §8. */
export interface ReplicaHoldings {
  /** Of the current height, all views together. */
  readonly prePrepares: number;
  readonly prepares: number;
  readonly commits: number;
  readonly wishes: number;
  readonly viewChanges: number;
  /** COMMITs and view changes that are kept for evidence alone. */
  readonly pastCommits: number;
  readonly denials: number;
  readonly candidates: number;
  readonly convictions: number;
  /** Views that the vote log binds us in, at the current height. */
  readonly promisedViews: number;
  /** Messages kept for the next height, by kind the same. */
  readonly nextPrePrepares: number;
  readonly nextVotes: number;
  readonly nextDenials: number;
  readonly nextCandidates: number;
  readonly nextConvictions: number;
  /** Heights whose decision is kept for peers that are behind, and answers given lately. */
  readonly recentDecisions: number;
  readonly answers: number;
  /** Votes that wait for the vote log. */
  readonly outbox: number;
  readonly timers: number;
  /** Proposals that the shell was asked to build or to fetch. */
  readonly requests: number;
  readonly latencies: number;
}

function sizeOfAll(byView: ReadonlyMap<unknown, { readonly size: number }>): number {
  let total = 0;
  for (const { size } of byView.values()) total += size;
  return total;
}

function lengthOfAll(bySender: ReadonlyMap<unknown, readonly unknown[]>): number {
  let total = 0;
  for (const { length } of bySender.values()) total += length;
  return total;
}

function votesOf({ prepares, commits, viewChanges, wishes }: NextHeight): number {
  return prepares.size + commits.size + viewChanges.size + wishes.size;
}

/** Counts what `state` holds. */
export function holdingsOf(state: ReplicaState): ReplicaHoldings {
  const { current, next } = state;
  const { promises } = current;
  return {
    prePrepares: current.firstProposals.size,
    prepares: sizeOfAll(current.prepares),
    commits: sizeOfAll(current.commits),
    wishes: current.wishes.size,
    viewChanges: current.viewChanges.size,
    pastCommits: current.pastCommits.size,
    denials: lengthOfAll(current.denials),
    candidates: current.candidates.size,
    convictions: current.convicted.size,
    promisedViews: Math.max(promises.prepared.size, promises.committed.size),
    nextPrePrepares: next.prePrepares.length,
    nextVotes: votesOf(next),
    nextDenials: lengthOfAll(next.denials),
    nextCandidates: next.candidates.size,
    nextConvictions: next.convicted.size,
    recentDecisions: state.recent.size,
    answers: state.answered.size,
    outbox: state.outbox.length,
    timers: state.armed.size,
    requests: state.builds.size + current.fetches.size,
    latencies: state.latencies.length,
  };
}
