import type { NetworkEndpoint, ProcessClock, SimulatedClock } from "@credlink/testkit";

/** How one machine's wall clock and attention differ from true time. */
export class MachineClock {
  readonly #clock: SimulatedClock;
  /** Constant error of the wall clock, milliseconds. */
  skewMs = 0;
  /** How fast it runs away, parts per million. */
  driftPpm = 0;
  #driftFromMs = 0;
  #stoppedAtMs: number | null = null;
  #waiting: (() => void)[] | null = null;

  constructor(clock: SimulatedClock) {
    this.#clock = clock;
  }

  /** The wall clock is right again and runs; whoever was frozen goes on. */
  heal(): void {
    this.skewMs = 0;
    this.driftPpm = 0;
    this.#stoppedAtMs = null;
    this.resume();
  }

  drift(ppm: number): void {
    this.driftPpm = ppm;
    this.#driftFromMs = this.#clock.monotonicMs();
  }

  /** The wall clock stands still from now on; timers do not. */
  stop(): void {
    this.#stoppedAtMs ??= this.#clock.monotonicMs();
  }

  /** What wall time is off by now, whole milliseconds. */
  errorMs(): number {
    const nowMs = this.#clock.monotonicMs();
    const stoppedMs = this.#stoppedAtMs === null ? 0 : nowMs - this.#stoppedAtMs;
    const driftMs = ((nowMs - this.#driftFromMs) * this.driftPpm) / 1e6;
    return Math.round(this.skewMs + driftMs - stoppedMs);
  }

  get isPaused(): boolean {
    return this.#waiting !== null;
  }

  /** Nothing of the machine's process runs until `resume`: a long collection of garbage. */
  pause(): void {
    this.#waiting ??= [];
  }

  resume(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const act of waiting) act();
  }

  /** Forgets what a process that died was going to do. */
  forget(): void {
    this.#waiting = null;
  }

  /** Runs `act` now, or when the machine goes on. */
  whenAwake(act: () => void): void {
    if (this.#waiting === null) act();
    else this.#waiting.push(act);
  }

  /** The clock of a process on this machine. */
  process(): ProcessClock {
    const inner = this.#clock.process(() => this.errorMs());
    return {
      nowMs: () => inner.nowMs(),
      monotonicMs: () => inner.monotonicMs(),
      schedule: (delayMs, callback) => {
        let isCancelled = false;
        const cancel = inner.schedule(delayMs, () =>
          this.whenAwake(() => {
            if (!isCancelled) callback();
          }),
        );
        return () => {
          isCancelled = true;
          cancel();
        };
      },
      stop: () => {
        inner.stop();
        this.forget();
      },
    };
  }

  /** The true clock as disks and stores use it: what they finish waits while the machine is frozen. */
  forDevices(): SimulatedClock {
    const clock = this.#clock;
    return {
      nowMs: () => clock.nowMs(),
      monotonicMs: () => clock.monotonicMs(),
      schedule: (delayMs, callback) => clock.schedule(delayMs, () => this.whenAwake(callback)),
      process: (skew) => clock.process(skew),
      runNext: () => clock.runNext(),
      runUntil: (atMs) => clock.runUntil(atMs),
      external: (work) => clock.external(work),
      get pending() {
        return clock.pending;
      },
    };
  }

  /** An endpoint that hears nothing while the machine is frozen, and everything afterwards. */
  endpoint(inner: NetworkEndpoint): NetworkEndpoint {
    return {
      self: inner.self,
      peers: () => inner.peers(),
      send: (...args) => inner.send(...args),
      request: (...args) =>
        new Promise((resolve, reject) => {
          inner.request(...args).then(
            (reply) => this.whenAwake(() => resolve(reply)),
            (error) => this.whenAwake(() => reject(error)),
          );
        }),
      onMessage: (protocol, options, receive) =>
        inner.onMessage(protocol, options, (from, bytes) =>
          this.whenAwake(() => receive(from, bytes)),
        ),
      onRequest: (protocol, options, respond) =>
        inner.onRequest(
          protocol,
          options,
          (from, request) =>
            new Promise((resolve, reject) =>
              this.whenAwake(() => respond(from, request).then(resolve, reject)),
            ),
        ),
      onPeerChange: (listener) =>
        inner.onPeerChange((...args) => this.whenAwake(() => listener(...args))),
      disconnect: (...args) => inner.disconnect(...args),
      close: () => inner.close(),
    };
  }
}
