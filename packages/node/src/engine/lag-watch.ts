import type { Message, ReplicaStatus, ValidatorSet } from "@credlink/consensus-pbft";
import { honestOne } from "@credlink/consensus-pbft/certificates";
import type { Clock, Height, ValidatorIndex } from "@credlink/primitives";

/** How long a decision may take after f + 1 validators have sent COMMIT, milliseconds. */
export const PATIENCE_MS = 150;

/** What the watch works with. */
export interface LagComponents {
  readonly clock: Clock;
  /** Of the replica; null while none runs. */
  readonly status: () => ReplicaStatus | null;
  readonly validatorsAt: (height: Height) => ValidatorSet | null;
  /** Somebody honest is about to have this block, or has it: ask for it. */
  readonly require: (height: Height) => void;
}

/** Notices that the others decide a height which this node cannot decide by votes. */
export interface LagWatch {
  /** Takes a verified message of a peer. */
  note(message: Message): void;
}

/**
 * A traitor that is primary can leave one validator out: the others decide without it, and none of
 * them has a reason to speak to it. COMMITs of f + 1, one of them honest, say that the block is
 * prepared. If it is not decided here soon after, it is fetched; waiting for the next exchange of
 * statuses would cost the validator its own turn.
 */
export function createLagWatch(parts: LagComponents): LagWatch {
  const { clock, status, validatorsAt, require } = parts;
  const senders = new Set<ValidatorIndex>();
  let height = -1;
  let isPending = false;

  return {
    note(message) {
      if (message.type !== "commit" || message.height !== status()?.height) return;
      if (message.height !== height) senders.clear();
      height = message.height;
      senders.add(message.sender);
      const count = validatorsAt(message.height)?.validators.length ?? 0;
      if (isPending || senders.size < honestOne(count)) return;
      isPending = true;
      clock.schedule(PATIENCE_MS, () => {
        isPending = false;
        if (status()?.height === message.height) require(message.height);
      });
    },
  };
}
