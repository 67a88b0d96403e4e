import type { Clock } from "@credlink/primitives";
import { RecentMap } from "../engine/recent-map.ts";

/** How many failures earn a ban, and how long it lasts. */
export interface FailureLimits {
  /** Failures inside `windowMs` that earn a ban. */
  readonly maxFailures: number;
  readonly windowMs: number;
  readonly banMs: number;
}

interface Record {
  failuresMs: number[];
  bannedUntilMs: number;
}

/** Most keys remembered at once; the one longest untouched is forgotten first. */
const MAX_KEYS = 10_000;

/**
 * Counts failures per key (a peer id, a network address) in a sliding window and bans a key for a
 * while. A ban always ends, so that a validator that was cured comes back.
 */
export class FailureLimiter {
  readonly #limits: FailureLimits;
  readonly #clock: Clock;
  readonly #records = new RecentMap<string, Record>(MAX_KEYS);

  constructor(limits: FailureLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Milliseconds until the ban of `key` ends; 0 when there is none. */
  bannedForMs(key: string): number {
    const record = this.#records.get(key);
    if (record === undefined) return 0;
    return Math.max(0, record.bannedUntilMs - this.#clock.monotonicMs());
  }

  /** Counts one failure. Returns true when it is the one that begins a ban. */
  fail(key: string): boolean {
    const now = this.#clock.monotonicMs();
    const record = this.#touch(key);
    record.failuresMs = record.failuresMs.filter((at) => now - at < this.#limits.windowMs);
    record.failuresMs.push(now);
    if (record.failuresMs.length < this.#limits.maxFailures) return false;
    record.failuresMs = [];
    // A longer ban, for what the peer did once it was connected, stays as long as it is.
    record.bannedUntilMs = Math.max(record.bannedUntilMs, now + this.#limits.banMs);
    return true;
  }

  /** Bans a key at once, for `banMs` unless another time is given. */
  ban(key: string, banMs = this.#limits.banMs): void {
    const until = this.#clock.monotonicMs() + banMs;
    const record = this.#touch(key);
    record.bannedUntilMs = Math.max(record.bannedUntilMs, until);
  }

  #touch(key: string): Record {
    const record = this.#records.get(key) ?? { failuresMs: [], bannedUntilMs: -Infinity };
    this.#records.set(key, record);
    return record;
  }
}
