import type { ValidatorSet } from "@credlink/consensus-pbft";
import { honestOne, quorum } from "@credlink/consensus-pbft/certificates";
import type { PeerId } from "@credlink/primitives";

/** Heights that validators claim to have reached. */
export interface HeightClaims {
  /** A peer claims this height. Only validators of the next height have a say, and are kept. */
  note(peer: PeerId, height: number): void;
  /**
   * The highest height that f + 1 validators of a list claim, of whom one is honest; null before a
   * quorum, we ourselves included where we are one, was heard.
   */
  credible(set: ValidatorSet): number | null;
  /** Claims kept: at most one a validator. */
  readonly size: number;
}

/**
 * Forgets what is kept of peers that are no members, once there is more than one entry a member: who
 * has come and gone as a validator over the years leaves nothing behind.
 */
export function keepMembers(kept: Map<PeerId, unknown>, members: readonly PeerId[]): void {
  if (kept.size <= members.length) return;
  for (const peer of kept.keys()) if (!members.includes(peer)) kept.delete(peer);
}

/** Peer ids of a list. */
export function peerIdsOf({ validators }: ValidatorSet): readonly PeerId[] {
  return validators.map(({ peerId }) => peerId);
}

/**
 * Makes the claims of one node.
 *
 * @param members the validators of the height after the head.
 */
export function createHeightClaims(self: PeerId, members: () => ValidatorSet): HeightClaims {
  const claims = new Map<PeerId, number>();
  return {
    get size() {
      return claims.size;
    },
    note(peer, height) {
      const ids = peerIdsOf(members());
      // Whoever is one only at a later height says it again every second.
      if (!ids.includes(peer)) return;
      claims.set(peer, height);
      keepMembers(claims, ids);
    },
    credible({ validators }) {
      const count = validators.length;
      const others = validators.filter(({ peerId }) => peerId !== self);
      const heights = others.flatMap(({ peerId }) => claims.get(peerId) ?? []);
      if (heights.length + (count - others.length) < quorum(count)) return null;
      return heights.sort((a, b) => b - a)[honestOne(count) - 1] ?? 0;
    },
  };
}
