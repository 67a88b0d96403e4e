import type { Clock } from "@credlink/primitives";
import { EventHeap, type ScheduledEvent } from "./event-heap.ts";

/** One process's clock: wall time with its own error, timers that die with the process. */
export interface ProcessClock extends Clock {
  /** Cancels all timers and refuses new ones: the process is gone. */
  stop(): void;
}

/** Virtual time. Nothing happens unless it is asked to run. */
export interface SimulatedClock extends Clock {
  /**
   * A clock whose wall time is `skewMs` off, always or as it says each time it is asked; its timers
   * count true milliseconds.
   */
  process(skewMs?: number | (() => number)): ProcessClock;
  /** Runs the earliest event and everything that promises make of it; false when none is left. */
  runNext(): Promise<boolean>;
  /** Runs events up to and including `atMs` (monotonic), then stands there. */
  runUntil(atMs: number): Promise<void>;
  /** Registers a promise outside virtual time (a thread pool): time waits for it. */
  external<T>(work: Promise<T>): Promise<T>;
  /** Events waiting, cancelled ones included. */
  readonly pending: number;
}

/** Wall time at which simulations begin: 2026-01-01T00:00:00Z. */
export const SIMULATION_START_MS = 1_767_225_600_000;

/** Immediates that are queued at once: what a turn of the event loop costs is shared by them. */
const IMMEDIATES = 64;

/**
 * Lets every promise that can go on go on. Node runs all microtasks after each immediate, so one
 * immediate is enough, and many may wait in one turn of the event loop; those that nobody waits
 * for do nothing.
 */
class MicrotaskDrain {
  #queued = 0;
  #resume: ((value: true) => void) | null = null;
  readonly #isBusy: () => boolean;
  readonly #onImmediate = (): void => {
    this.#queued--;
    if (this.#resume !== null) this.#finish();
  };
  readonly #finish = (): void => {
    // Another turn of the event loop, in which threads may report.
    if (this.#isBusy()) {
      setImmediate(this.#finish);
      return;
    }
    const resume = this.#resume;
    this.#resume = null;
    resume?.(true);
  };

  /** @param isBusy whether work outside virtual time is under way. */
  constructor(isBusy: () => boolean) {
    this.#isBusy = isBusy;
  }

  /** Resolves with true when nothing is left to do. One caller at a time. */
  settle(): Promise<true> {
    if (this.#queued === 0) {
      for (; this.#queued < IMMEDIATES; this.#queued++) setImmediate(this.#onImmediate);
    }
    return new Promise((resolve) => {
      this.#resume = resolve;
    });
  }
}

class VirtualClock implements SimulatedClock {
  readonly #heap = new EventHeap();
  readonly #startMs: number;
  #elapsedMs = 0;
  #sequence = 0;
  #external = 0;
  readonly #drain = new MicrotaskDrain(() => this.#external > 0);

  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  get pending(): number {
    return this.#heap.size;
  }

  nowMs(): number {
    return Math.floor(this.#startMs + this.#elapsedMs);
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const event: ScheduledEvent = {
      atMs: this.#elapsedMs + Math.max(0, delayMs),
      sequence: this.#sequence++,
      cancelled: false,
      run: callback,
    };
    this.#heap.push(event);
    return () => {
      event.cancelled = true;
    };
  }

  process(skewMs: number | (() => number) = 0): ProcessClock {
    let alive = true;
    const errorMs = typeof skewMs === "number" ? () => skewMs : skewMs;
    return {
      nowMs: () => this.nowMs() + errorMs(),
      monotonicMs: () => this.#elapsedMs,
      schedule: (delayMs, callback) => {
        if (!alive) return () => {};
        return this.schedule(delayMs, () => {
          if (alive) callback();
        });
      },
      stop: () => {
        alive = false;
      },
    };
  }

  async external<T>(work: Promise<T>): Promise<T> {
    this.#external++;
    try {
      return await work;
    } finally {
      this.#external--;
    }
  }

  runNext(): Promise<boolean> {
    for (;;) {
      const event = this.#heap.pop();
      if (event === undefined) return Promise.resolve(false);
      if (event.cancelled) continue;
      this.#elapsedMs = event.atMs;
      event.run();
      return this.#drain.settle();
    }
  }

  async runUntil(atMs: number): Promise<void> {
    await this.#drain.settle();
    for (;;) {
      const next = this.#heap.peek();
      if (next === undefined || next.atMs > atMs) break;
      if (next.cancelled) this.#heap.pop();
      else await this.runNext();
    }
    this.#elapsedMs = Math.max(this.#elapsedMs, atMs);
  }
}

/** Makes virtual time that stands at `startMs` and moves only when it is run. */
export function createSimulatedClock(options: { readonly startMs?: number } = {}): SimulatedClock {
  return new VirtualClock(options.startMs ?? SIMULATION_START_MS);
}
