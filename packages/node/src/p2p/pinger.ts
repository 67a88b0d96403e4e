import type { Clock, PeerId } from "@credlink/primitives";

/** How often peers are asked whether they answer, unless silence is judged sooner, milliseconds. */
const PING_MS = 5_000;

/** What a pinger works with. */
export interface PingerParts {
  readonly clock: Clock;
  /** How long a ping may take, milliseconds. */
  readonly silenceMs: number;
  readonly peers: () => Iterable<{ readonly id: PeerId }>;
  /** One empty request and its reply. */
  readonly ask: (peer: PeerId, timeoutMs: number) => Promise<unknown>;
  readonly onAnswer: (peer: PeerId, roundTripMs: number) => void;
  readonly onFailure: (peer: PeerId, error: unknown) => void;
}

/**
 * Asks every peer again and again whether it answers, one question each at a time: TCP alone notices
 * a machine that lost its power only after a quarter of an hour.
 */
export class Pinger {
  readonly #parts: PingerParts;
  readonly #asked = new Set<PeerId>();
  #cancel = (): void => undefined;

  constructor(parts: PingerParts) {
    this.#parts = parts;
  }

  start(): void {
    const { clock, silenceMs, peers } = this.#parts;
    this.#cancel = clock.schedule(Math.min(PING_MS, silenceMs), () => {
      for (const { id } of peers()) this.ping(id);
      this.start();
    });
  }

  stop(): void {
    this.#cancel();
  }

  /** Asks one peer now, unless an answer of it is still due. */
  ping(peer: PeerId): void {
    if (this.#asked.has(peer)) return;
    this.#asked.add(peer);
    const { clock, silenceMs, ask, onAnswer, onFailure } = this.#parts;
    const sentMs = clock.monotonicMs();
    ask(peer, silenceMs)
      .then(
        () => onAnswer(peer, clock.monotonicMs() - sentMs),
        (error: unknown) => onFailure(peer, error),
      )
      .finally(() => this.#asked.delete(peer));
  }
}
