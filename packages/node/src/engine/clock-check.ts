import {
  type Clock,
  decode,
  encode,
  type Logger,
  type Network,
  type PeerId,
} from "@credlink/primitives";
import { EngineError } from "./errors.ts";
import type { EngineInstruments } from "./metrics.ts";
import type { PeerBudget } from "./peer-budget.ts";
import { CLOCK_PROTOCOL, clockReplyCodec, MAX_CLOCK_REPLY_BYTES } from "./protocols.ts";

/** Further off than this is told of, milliseconds: well before others find our blocks out of time. */
export const CLOCK_ALARM_MS = 100;
/** Validators that answered are asked again after so long, milliseconds; others at every tick. */
export const CLOCK_INTERVAL_MS = 10_000;
/** Least time between two lines about it, milliseconds. */
export const CLOCK_LINE_INTERVAL_MS = 60_000;

/** What the check works with. */
export interface ClockCheckComponents {
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly instruments: Pick<EngineInstruments, "clockOffset">;
  readonly budget: Pick<PeerBudget, "spend">;
  /** Other validators of the next height. */
  readonly validators: () => readonly PeerId[];
  readonly requestTimeoutMs: number;
}

/**
 * Compares our wall clock with those of the validators. Consensus does not need it: a clock that is
 * off costs its own node's proposals and votes, and this says why before it does.
 */
export interface ClockCheck {
  /** Answers peers that ask for our time. */
  serve(): void;
  /** To be called about once a second. */
  tick(): void;
  /** Milliseconds that the validators' clocks are ahead of ours; null while none has answered. */
  offsetMs(): number | null;
}

interface Sample {
  readonly atMs: number;
  readonly offsetMs: number;
  /** The answer may be off by so much: half the time it took. */
  readonly errorMs: number;
}

class ValidatorClocks implements ClockCheck {
  readonly #parts: ClockCheckComponents;
  /** The latest answer of each validator that is connected. */
  readonly #samples = new Map<PeerId, Sample>();
  #offsetMs: number | null = null;
  #saidAtMs: number | null = null;

  constructor(parts: ClockCheckComponents) {
    this.#parts = parts;
  }

  serve(): void {
    const { network, budget, clock } = this.#parts;
    network.onRequest(CLOCK_PROTOCOL, { maxBytes: 0 }, async (from) => {
      if (!budget.spend(from.id, "requests")) {
        throw new EngineError("NODE_PEER_OVER_BUDGET", "the time");
      }
      return encode(clockReplyCodec, { nowMs: clock.nowMs() });
    });
  }

  tick(): void {
    const { network, clock, validators } = this.#parts;
    const now = clock.monotonicMs();
    const connected = new Set(network.peers().map(({ id }) => id));
    const asked = new Set(validators().filter((peer) => connected.has(peer)));
    for (const peer of this.#samples.keys()) if (!asked.has(peer)) this.#note(peer, null);
    for (const peer of asked) {
      const sample = this.#samples.get(peer);
      if (sample === undefined || now - sample.atMs >= CLOCK_INTERVAL_MS) void this.#ask(peer);
    }
    this.#judge(now);
  }

  offsetMs(): number | null {
    return this.#offsetMs;
  }

  async #ask(peer: PeerId): Promise<void> {
    const { network, clock, requestTimeoutMs } = this.#parts;
    const options = { timeoutMs: requestTimeoutMs, maxReplyBytes: MAX_CLOCK_REPLY_BYTES };
    const askedAtMs = clock.monotonicMs();
    const askedAt = clock.nowMs();
    try {
      const reply = await network.request(peer, CLOCK_PROTOCOL, new Uint8Array(0), options);
      const { nowMs } = decode(clockReplyCodec, reply);
      const atMs = clock.monotonicMs();
      const errorMs = (atMs - askedAtMs) / 2;
      this.#note(peer, { atMs, offsetMs: nowMs - (askedAt + errorMs), errorMs });
    } catch {
      // One that does not answer, or answers nonsense, has no say.
      this.#note(peer, null);
    }
  }

  #note(peer: PeerId, sample: Sample | null): void {
    if (sample === null) this.#samples.delete(peer);
    else this.#samples.set(peer, sample);
    this.#offsetMs = median([...this.#samples.values()].map(({ offsetMs }) => offsetMs));
  }

  #judge(now: number): void {
    const offsetMs = this.#offsetMs;
    if (offsetMs === null) return;
    this.#parts.instruments.clockOffset.set(offsetMs / 1_000);
    const certain = median([...this.#samples.values()].map(certainPart)) ?? 0;
    if (Math.abs(certain) <= CLOCK_ALARM_MS) return;
    if (this.#saidAtMs !== null && now - this.#saidAtMs < CLOCK_LINE_INTERVAL_MS) return;
    this.#saidAtMs = now;
    this.#parts.logger.warn("our clock differs from the validators' clocks", {
      code: "NODE_CLOCK_OFF",
      offsetMs: Math.round(offsetMs),
    });
  }
}

/** How far off we are at least, whichever way the answer took its time. */
function certainPart({ offsetMs, errorMs }: Sample): number {
  return Math.sign(offsetMs) * Math.max(0, Math.abs(offsetMs) - errorMs);
}

/**
 * The middle one; of two middle ones that nearer to zero. While more than twice as many answer as
 * lie, it lies between answers of honest validators.
 */
function median(values: readonly number[]): number | null {
  const ascending = [...values].sort((a, b) => a - b);
  const low = ascending[Math.ceil(ascending.length / 2) - 1];
  const high = ascending[Math.floor(ascending.length / 2)];
  if (low === undefined || high === undefined) return null;
  return Math.abs(low) <= Math.abs(high) ? low : high;
}

/** Makes the check of one node. */
export function createClockCheck(parts: ClockCheckComponents): ClockCheck {
  return new ValidatorClocks(parts);
}
