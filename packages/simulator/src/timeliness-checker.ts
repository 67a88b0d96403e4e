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
 * its own clock whenever it was offered to it. What an earlier view prepared is not judged by the
 * clock, or one late block would stop the height for ever.
 */
export class TimelinessChecker {
  readonly #bounds: TimeBounds;
  /** Process -> place of a fresh block -> how far it was off, 0 once it came in time. */
  readonly #offers = new WeakMap<object, Map<string, number>>();
  /** Fresh proposals that came out of bounds. */
  seen = 0;

  constructor(bounds: TimeBounds) {
    this.#bounds = bounds;
  }

  /** @throws CheckFailure I15 */
  check(node: string, { input, effects, nowMs, replica }: WatchedStep): void {
    if (input?.type === "message" && input.message.type === "pre-prepare") {
      this.#offered(input.message, nowMs, replica);
    }
    const offers = this.#offers.get(replica);
    if (offers === undefined) return;
    for (const effect of effects) {
      if (effect.type !== "persist") continue;
      for (const record of effect.records) {
        if (record.type !== "prepare-voted") continue;
        const offMs = offers.get(placeOf(record)) ?? 0;
        if (offMs === 0) continue;
        const text = `${node} votes for a fresh block that is ${offMs} ms off`;
        throw new CheckFailure("I15", `${text}, ${record.height}/${record.view}`);
      }
    }
  }

  #offered(message: PrePrepare, nowMs: number, replica: object): void {
    const { view, proposal, justification } = message;
    if ((justification?.prepared ?? null) !== null) {
      // Proposed again: a traitor may have offered the same place without its justification before.
      this.#offers.get(replica)?.delete(placeOf(message));
      return;
    }
    const { precisionMs, messageDelayMs } = this.#bounds;
    const bound = precisionMs + messageDelayMs * 1.5 ** Math.min(view, 100);
    const offMs = proposal.timestampMs - nowMs;
    const known = this.#offers.get(replica) ?? new Map<string, number>();
    this.#offers.set(replica, known);
    const place = placeOf(message);
    if (Math.abs(offMs) <= bound) known.set(place, 0);
    else if (known.get(place) !== 0) {
      this.seen++;
      known.set(place, offMs);
    }
  }
}

function placeOf(at: {
  readonly height: number;
  readonly view: number;
  readonly digest: Uint8Array;
}): string {
  return `${at.height}/${at.view}/${toHex(at.digest)}`;
}
