import { encodeMessage, MAX_VALIDATORS, type Message } from "@credlink/consensus-pbft";
import type { PeerId } from "@credlink/primitives";

/** The highest vote seen from every validator, to be shown to it after it restarts. */
export interface SeenVotes {
  /** Takes a verified message of `peer`; keeps it when it is a vote above the one known. */
  note(peer: PeerId, message: Message): void;
  of(peer: PeerId): Uint8Array | null;
  /** Votes kept. */
  readonly size: number;
}

/** Order of votes within a view: what excludes more comes later. */
const RANK = { "view-change": 0, prepare: 1, commit: 2 } as const;

/** A message of which the highest binds its sender. */
export type Vote = Extract<Message, { readonly type: keyof typeof RANK }>;

/** Whether a message is such a vote. */
export function isVote(message: Message): message is Vote {
  return message.type in RANK;
}

/** Whether a vote excludes more than another of the same sender. */
export function isHigherVote(vote: Vote, known: Vote): boolean {
  if (vote.height !== known.height) return vote.height > known.height;
  if (vote.view !== known.view) return vote.view > known.view;
  return RANK[vote.type] > RANK[known.type];
}

/** Most votes kept: of two full lists of validators, so that none of a list in force ever goes. */
export const MAX_SEEN_VOTES = 2 * MAX_VALIDATORS;

/** Makes the memory; one vote a validator. Of too many the one of the lowest height goes. */
export function createSeenVotes(): SeenVotes {
  const highest = new Map<PeerId, Vote>();
  const encoded = new WeakMap<Vote, Uint8Array>();
  const forgetLowest = (): void => {
    let lowest: { readonly peer: PeerId; readonly vote: Vote } | null = null;
    for (const [peer, vote] of highest) {
      if (lowest === null || vote.height < lowest.vote.height) lowest = { peer, vote };
    }
    if (lowest !== null) highest.delete(lowest.peer);
  };
  return {
    get size() {
      return highest.size;
    },
    note(peer, message) {
      if (!isVote(message)) return;
      const known = highest.get(peer);
      if (known !== undefined && !isHigherVote(message, known)) return;
      highest.set(peer, message);
      if (highest.size > MAX_SEEN_VOTES) forgetLowest();
    },
    of(peer) {
      const vote = highest.get(peer);
      if (vote === undefined) return null;
      const bytes = encoded.get(vote) ?? encodeMessage(vote);
      encoded.set(vote, bytes);
      return bytes;
    },
  };
}
