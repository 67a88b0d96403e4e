import type { PrePrepare } from "@credlink/consensus-pbft";
import { toHex } from "@credlink/primitives";
import { CheckFailure } from "./checker-errors.ts";
import type { WatchedStep } from "./replica-watch.ts";

/** How far a fresh proposal's timestamp may lie from a clock. */
export interface TimeBounds {
  readonly precisionMs: number;
  readonly messageDelayMs: number;
}

/**
 * Timestamps (I15): nobody honest votes PREPARE for a fresh block whose time was out of bounds by
 * its own clock whenever it was offered to it. The bounds are those that the chain has set for the
 * height. What an earlier view prepared is not judged by the clock, or one late block would stop
 * the height for ever.
 */
export class TimelinessChecker {
  /** Process -> place of a fresh block -> how far it was off when it was offered best. */
  readonly #offers = new WeakMap<object, Map<string, number>>();
  /** Votes for fresh blocks that were judged. */
  judged = 0;

  /**
   * @param boundsAt what the chain sets for a height; null where the node cannot tell any more.
   * @throws CheckFailure I15
   */
  check(
    node: string,
    { input, effects, nowMs, replica }: WatchedStep,
    boundsAt: (height: number) => TimeBounds | null,
  ): void {
    if (input?.type === "message" && input.message.type === "pre-prepare") {
      this.#offered(input.message, nowMs, replica);
    }
    const offers = this.#offers.get(replica);
    if (offers === undefined) return;
    for (const effect of effects) {
      if (effect.type !== "persist") continue;
      for (const record of effect.records) {
        if (record.type !== "prepare-voted") continue;
        const offMs = offers.get(placeOf(record));
        const bounds = offMs === undefined ? null : boundsAt(record.height);
        if (offMs === undefined || bounds === null) continue;
        this.judged++;
        if (offMs <= mostMs(bounds, record.view)) continue;
        const text = `${node} votes for a fresh block that is ${offMs} ms off`;
        throw new CheckFailure("I15", `${text}, ${record.height}/${record.view}`);
      }
    }
  }

  #offered(message: PrePrepare, nowMs: number, replica: object): void {
    const { proposal, justification } = message;
    const known = this.#offers.get(replica) ?? new Map<string, number>();
    this.#offers.set(replica, known);
    const place = placeOf(message);
    if ((justification?.prepared ?? null) !== null) {
      // Proposed again: a traitor may have offered the same place without its justification before.
      known.delete(place);
      return;
    }
    const offMs = Math.abs(proposal.timestampMs - nowMs);
    known.set(place, Math.min(known.get(place) ?? offMs, offMs));
  }
}

function mostMs({ precisionMs, messageDelayMs }: TimeBounds, view: number): number {
  return precisionMs + messageDelayMs * 1.5 ** Math.min(view, 100);
}

function placeOf(at: {
  readonly height: number;
  readonly view: number;
  readonly digest: Uint8Array;
}): string {
  return `${at.height}/${at.view}/${toHex(at.digest)}`;
}
