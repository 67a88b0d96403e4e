import type { Clock } from "@credlink/primitives";
import { RecentMap } from "./recent-map.ts";

/** A rate: so many at once, and so many a second afterwards. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  updatedMs: number;
}

/** Most keys remembered; the one longest untouched is forgotten, and starts full again. */
const MAX_KEYS = 50_000;

/** Token buckets by key: a member's address, a network address, or a peer. */
export class RateLimiter {
  readonly #rateNow: () => Rate;
  readonly #clock: Clock;
  readonly #buckets = new RecentMap<string, Bucket>(MAX_KEYS);

  /** @param rate a function where the rate may change: it is asked at every call. */
  constructor(rate: Rate | (() => Rate), clock: Clock) {
    this.#rateNow = typeof rate === "function" ? rate : () => rate;
    this.#clock = clock;
  }

  /** Takes `count` tokens, or none. @returns 0, or milliseconds until they would be there. */
  take(key: string, count = 1): number {
    const { perSecond, burst } = this.#rateNow();
    const bucket = this.#filled(key);
    // More than fits into a bucket is let through when the bucket is full, and leaves a debt.
    if (bucket.tokens < Math.min(count, burst)) {
      return Math.ceil(((Math.min(count, burst) - bucket.tokens) / perSecond) * 1_000);
    }
    bucket.tokens -= count;
    return 0;
  }

  /**
   * Takes `count` tokens if any at all are left: for what is known only once it is done. What was
   * too much is a debt, which must be paid off before anything more is let through.
   */
  spend(key: string, count = 1): boolean {
    const bucket = this.#filled(key);
    if (bucket.tokens <= 0) return false;
    bucket.tokens -= count;
    return true;
  }

  /** Takes `count` tokens, there or not: what is let through already, and weighs more than one. */
  owe(key: string, count: number): void {
    this.#filled(key).tokens -= count;
  }

  /** The bucket of a key with what has flowed into it since. */
  #filled(key: string): Bucket {
    const { perSecond, burst } = this.#rateNow();
    const now = this.#clock.monotonicMs();
    const bucket = this.#buckets.get(key) ?? { tokens: burst, updatedMs: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.updatedMs) / 1_000) * perSecond);
    bucket.updatedMs = now;
    this.#buckets.set(key, bucket);
    return bucket;
  }
}
