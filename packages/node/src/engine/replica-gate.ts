import type { ReplicaStatus, Roster, ValidatorSet } from "@credlink/consensus-pbft";
import { primaryOf } from "@credlink/consensus-pbft/certificates";
import { type Height, type PeerId, type ValidatorIndex, view } from "@credlink/primitives";
import { createHeightClaims } from "./height-claims.ts";

/** When a validator that has just started may run its replica. */
export interface ReplicaGate {
  /** A peer's status came, and the vote that it shows as ours, if any, was judged. */
  onStatus(peer: PeerId, height: number): void;
  /** Whether q − 1 other validators were heard and the head is where they say. */
  isOpen(set: ValidatorSet, head: number): boolean;
}

/**
 * Before its first vote after a start a validator hears q − 1 others, so that a vote log that was
 * lost or rolled back shows before it does harm: they show the highest vote they saw from us.
 * The height to reach first is the highest that f + 1 of them claim: one of those is honest.
 */
export function createReplicaGate(self: PeerId, members: () => ValidatorSet): ReplicaGate {
  const heard = createHeightClaims(self, members);
  return {
    onStatus: heard.note,
    isOpen(set, head) {
      // Who is no validator yet may be one soon, and have been one before: it waits as well.
      const credible = heard.credible(set);
      return credible !== null && head + 1 >= credible;
    },
  };
}

/** What a replica that does not run yet would say of the height after the head. */
export function statusBeforeReplica(
  roster: Roster,
  height: Height,
  self: ValidatorIndex | null,
  abstaining: boolean,
): ReplicaStatus {
  const first = view(0);
  const primary = primaryOf(roster, height, first);
  return { height, view: first, phase: "idle", primary, self, abstaining, halted: false };
}
