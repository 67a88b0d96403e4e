import type { Message, ValidatorSet } from "@credlink/consensus-pbft";
import { honestOne, quorum } from "@credlink/consensus-pbft/certificates";
import type { PeerId } from "@credlink/primitives";

/**
 * The highest height that f + 1 validators claim, of whom one is honest; null before a quorum, we
 * ourselves included where we are one, was heard.
 */
export function credibleHeight(
  { validators }: ValidatorSet,
  self: PeerId,
  claims: ReadonlyMap<PeerId, number>,
): number | null {
  const count = validators.length;
  const others = validators.filter(({ peerId }) => peerId !== self);
  const heights = others.flatMap(({ peerId }) => claims.get(peerId) ?? []);
  if (heights.length + (count - others.length) < quorum(count)) return null;
  return heights.sort((a, b) => b - a)[honestOne(count) - 1] ?? 0;
}

/** When a validator that has just started may run its replica. */
export interface ReplicaGate {
  /** A peer's status came: its claimed height, and the vote it saw from us, if any. */
  onStatus(peer: PeerId, height: number, vote: Message | null): void;
  /** Whether q − 1 other validators were heard and the head is where they say. */
  isOpen(set: ValidatorSet, head: number): boolean;
  /** Votes under our key that peers showed, for the replica to compare with its vote log. */
  readonly votes: readonly Message[];
}

/**
 * Before its first vote after a start a validator hears q − 1 others, so that a vote log that was
 * lost or rolled back shows before it does harm: they show the highest vote they saw from us.
 * The height to reach first is the highest that f + 1 of them claim: one of those is honest.
 */
export function createReplicaGate(self: PeerId): ReplicaGate {
  const heard = new Map<PeerId, { readonly height: number; readonly vote: Message | null }>();
  return {
    onStatus(peer, height, vote) {
      heard.set(peer, { height, vote: vote ?? heard.get(peer)?.vote ?? null });
    },
    isOpen(set, head) {
      // An observer casts no vote that could be forgotten.
      if (set.validators.every(({ peerId }) => peerId !== self)) return true;
      const heights = new Map([...heard].map(([peer, { height }]) => [peer, height]));
      const credible = credibleHeight(set, self, heights);
      return credible !== null && head + 1 >= credible;
    },
    get votes() {
      return [...heard.values()].flatMap(({ vote }) => vote ?? []);
    },
  };
}
