/** How much a replica keeps. @see docs/protocol/consensus.md §8 for what bounds it */
import type { ReplicaHoldings } from "./effects.ts";
import type { NextHeight, ReplicaState } from "./state.ts";

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
  return lengthOfAll(prepares) + lengthOfAll(commits) + viewChanges.size + wishes.size;
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
    claims: lengthOfAll(current.claims),
    denials: lengthOfAll(current.denials),
    candidates: current.candidates.size,
    convictions: current.convicted.size,
    promisedViews: Math.max(promises.prepared.size, promises.committed.size),
    nextPrePrepares: next.prePrepares.length,
    nextVotes: votesOf(next),
    nextClaims: lengthOfAll(next.claims),
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
