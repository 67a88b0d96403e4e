import type { Clock, PeerId, Random } from "@credlink/primitives";

/** How fast a peer that cannot be reached is tried again. */
export interface DialSchedule {
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** The node with the higher peer id lets the other one dial first for so long. Default 400. */
  readonly politeDelayMs?: number;
}

interface Target {
  addresses: readonly string[];
  failures: number;
  nextAttemptMs: number;
  dialing: boolean;
}

/** How often the dialer looks for targets that are due. */
const TICK_MS = 100;
const DEFAULT_POLITE_DELAY_MS = 400;

/**
 * Keeps trying to connect to every target that is not connected, each with its own backoff, so
 * that a node that was down is found again by itself.
 */
export class Dialer {
  readonly #self: PeerId;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #schedule: DialSchedule;
  readonly #isConnected: (peer: PeerId) => boolean;
  readonly #dial: (peer: PeerId, addresses: readonly string[]) => Promise<void>;
  readonly #targets = new Map<PeerId, Target>();
  #cancel: (() => void) | undefined;

  constructor(options: {
    readonly self: PeerId;
    readonly clock: Clock;
    readonly random: Random;
    readonly schedule: DialSchedule;
    readonly isConnected: (peer: PeerId) => boolean;
    /** Connects, or rejects. */
    readonly dial: (peer: PeerId, addresses: readonly string[]) => Promise<void>;
  }) {
    this.#self = options.self;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#schedule = options.schedule;
    this.#isConnected = options.isConnected;
    this.#dial = options.dial;
  }

  /** Adds a peer to keep connected to, or replaces its addresses (full multiaddresses). */
  setTarget(peer: PeerId, addresses: readonly string[]): void {
    if (peer === this.#self || addresses.length === 0) return;
    const known = this.#targets.get(peer);
    if (known !== undefined) {
      known.addresses = addresses;
      return;
    }
    const nextAttemptMs = this.#clock.monotonicMs() + this.#politeDelayMs(peer);
    this.#targets.set(peer, { addresses, failures: 0, nextAttemptMs, dialing: false });
  }

  removeTarget(peer: PeerId): void {
    this.#targets.delete(peer);
  }

  /** Whether a peer is dialled whenever it is not connected. */
  isTarget(peer: PeerId): boolean {
    return this.#targets.has(peer);
  }

  /** Not before `delayMs` from now; used when a peer refused us or was banned. */
  postpone(peer: PeerId, delayMs: number): void {
    const target = this.#targets.get(peer);
    if (target === undefined) return;
    target.nextAttemptMs = Math.max(target.nextAttemptMs, this.#clock.monotonicMs() + delayMs);
  }

  /** A connected peer left: start over, soon. */
  onLeft(peer: PeerId): void {
    const target = this.#targets.get(peer);
    if (target === undefined) return;
    target.failures = 0;
    const delayMs = this.#schedule.firstDelayMs + this.#politeDelayMs(peer);
    target.nextAttemptMs = Math.max(target.nextAttemptMs, this.#clock.monotonicMs() + delayMs);
  }

  start(): void {
    this.#cancel = this.#clock.schedule(0, () => this.#tick());
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#targets.clear();
  }

  #politeDelayMs(peer: PeerId): number {
    return this.#self > peer ? (this.#schedule.politeDelayMs ?? DEFAULT_POLITE_DELAY_MS) : 0;
  }

  #tick(): void {
    const now = this.#clock.monotonicMs();
    for (const [peer, target] of this.#targets) {
      if (target.dialing || target.nextAttemptMs > now || this.#isConnected(peer)) continue;
      target.dialing = true;
      void this.#attempt(peer, target);
    }
    this.#cancel = this.#clock.schedule(TICK_MS, () => this.#tick());
  }

  async #attempt(peer: PeerId, target: Target): Promise<void> {
    try {
      await this.#dial(peer, target.addresses);
      target.failures = 0;
    } catch {
      target.failures++;
      const { firstDelayMs, maxDelayMs } = this.#schedule;
      const backoffMs = Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(target.failures - 1, 20));
      const jitterMs = this.#random.integer(Math.ceil(backoffMs / 4) + 1);
      this.postpone(peer, backoffMs + jitterMs);
    } finally {
      target.dialing = false;
    }
  }
}
