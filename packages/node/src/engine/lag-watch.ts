import type { Message, ReplicaStatus, ValidatorSet } from "@credlink/consensus-pbft";
import { honestOne } from "@credlink/consensus-pbft/certificates";
import type { Clock, Height, PeerId } from "@credlink/primitives";
import { keepMembers, peerIdsOf } from "./height-claims.ts";

/** How long a decision may take after f + 1 validators have shown that it is due, milliseconds. */
export const PATIENCE_MS = 150;

/** What the watch works with. */
export interface LagComponents {
  readonly clock: Clock;
  /** Of the replica; null while none runs. */
  readonly status: () => ReplicaStatus | null;
  readonly validatorsAt: (height: Height) => ValidatorSet | null;
  /** Somebody honest is about to have the block of this height, or has it: ask for it. */
  readonly require: (height: number) => void;
}

/** Notices that the others decide a height which this node cannot decide by votes. */
export interface LagWatch {
  /** A validator says this, whether its message could be used or came too early. */
  note(from: PeerId, message: Message): void;
  /** Hints kept: at most one a validator. */
  readonly size: number;
}

/** The height that its sender has decided, or is about to: a COMMIT says that it is prepared. */
function hintOf(message: Message): number {
  if (message.type === "decided") return message.certificate.height;
  return message.type === "commit" ? message.height : message.height - 1;
}

/** Whether we hold the block of this height prepared: we are one of those who show it. */
function isPrepared({ phase, self }: ReplicaStatus): boolean {
  return self !== null && (phase === "prepared" || phase === "committed");
}

/**
 * A traitor that is primary can leave one validator out: the others decide without it, and none of
 * them has a reason to speak to it. Who catches up drops votes of two heights ahead, and nobody
 * sends them again. What f + 1 validators show to be decided is true of an honest one; if it is not
 * decided here soon after, it is fetched. Waiting for the next exchange of statuses would cost the
 * validator its own turn.
 */
export function createLagWatch(parts: LagComponents): LagWatch {
  const { clock, status, validatorsAt, require } = parts;
  /** Peer -> highest height that it has shown to be decided. */
  const hints = new Map<PeerId, number>();
  let isPending = false;

  /** What f + 1 show and we have not decided, or null. */
  const missed = (): number | null => {
    const place = status();
    const set = place === null ? null : validatorsAt(place.height);
    if (place === null || set === null) return null;
    const { height } = place;
    const shown = set.validators.flatMap(({ peerId }) => hints.get(peerId) ?? []);
    if (isPrepared(place)) shown.push(height);
    const credible = shown.sort((a, b) => b - a)[honestOne(set.validators.length) - 1] ?? 0;
    return credible >= height ? credible : null;
  };

  const watch = (): void => {
    if (missed() === null) return;
    isPending = true;
    clock.schedule(PATIENCE_MS, () => {
      isPending = false;
      const height = missed();
      if (height !== null) require(height);
    });
  };

  return {
    get size() {
      return hints.size;
    },
    note(from, message) {
      const hint = hintOf(message);
      const isNew = hint > (hints.get(from) ?? 0);
      const place = status();
      if (isNew) {
        hints.set(from, hint);
        const set = place === null ? null : validatorsAt(place.height);
        if (set !== null) keepMembers(hints, peerIdsOf(set));
      }
      // One that is not new may still be the vote by which we ourselves know the block prepared.
      if (isPending || place === null) return;
      if ((isNew && hint >= place.height) || isPrepared(place)) watch();
    },
  };
}
