import type { Socket } from "node:net";

/** What happens to the bytes that flow one way between two nodes. */
export interface Condition {
  /** Nothing passes; what was sent waits, as it does in a sender's kernel. */
  readonly isCut: boolean;
  readonly delayMs: number;
  /** Infinity is unlimited. */
  readonly bytesPerSecond: number;
}

/** A wire without faults. */
export const CLEAR: Condition = {
  isCut: false,
  delayMs: 0,
  bytesPerSecond: Number.POSITIVE_INFINITY,
};

/** Bytes that one connection may hold back before its sender is no longer read from. */
const MAX_HELD_BYTES = 1024 * 1024;

/** One way between two nodes: its condition, and the connections that flow along it. */
export class Direction {
  #condition: Condition = CLEAR;
  readonly #flows = new Set<Flow>();
  readonly #waiting = new Set<() => void>();

  get condition(): Condition {
    return this.#condition;
  }

  set(condition: Condition): void {
    this.#condition = condition;
    for (const flow of this.#flows) flow.pump();
    if (condition.isCut) return;
    for (const open of this.#waiting) open();
    this.#waiting.clear();
  }

  /** Calls back once this way is not cut. Returns how to wait no longer. */
  whenOpen(callback: () => void): () => void {
    if (!this.#condition.isCut) callback();
    else this.#waiting.add(callback);
    return () => void this.#waiting.delete(callback);
  }

  /** Carries what `source` says to `sink`, and its end, under this direction's condition. */
  carry(source: Socket, sink: Socket): void {
    const flow = new Flow(this, source, sink);
    this.#flows.add(flow);
    sink.once("close", () => this.#flows.delete(flow));
  }
}

/** A piece of a stream, or null for its end, and when it may pass at the earliest. */
interface Held {
  readonly bytes: Buffer | null;
  readonly dueMs: number;
}

/** The bytes of one connection in one direction, in their order. */
class Flow {
  readonly #direction: Direction;
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #held: Held[] = [];
  #heldBytes = 0;
  #lastDueMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(direction: Direction, source: Socket, sink: Socket) {
    this.#direction = direction;
    this.#source = source;
    this.#sink = sink;
    source.on("data", (bytes: Buffer) => this.#hold(bytes));
    source.once("close", () => this.#hold(null));
    sink.on("drain", () => this.pump());
    sink.once("close", () => {
      clearTimeout(this.#timer);
      source.destroy();
    });
  }

  #hold(bytes: Buffer | null): void {
    const { delayMs, bytesPerSecond } = this.#direction.condition;
    const size = bytes?.length ?? 0;
    const startMs = Math.max(performance.now() + delayMs, this.#lastDueMs);
    this.#lastDueMs = startMs + (size * 1000) / bytesPerSecond;
    this.#held.push({ bytes, dueMs: this.#lastDueMs });
    this.#heldBytes += size;
    if (this.#heldBytes > MAX_HELD_BYTES) this.#source.pause();
    this.pump();
  }

  /** Lets pass what may pass now. */
  pump(): void {
    clearTimeout(this.#timer);
    while (!this.#direction.condition.isCut && !this.#sink.writableNeedDrain) {
      const next = this.#held[0];
      if (next === undefined) break;
      const waitMs = next.dueMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.pump(), waitMs);
        return;
      }
      this.#held.shift();
      if (next.bytes === null) {
        this.#sink.destroySoon();
        return;
      }
      this.#heldBytes -= next.bytes.length;
      this.#sink.write(next.bytes);
    }
    if (this.#heldBytes <= MAX_HELD_BYTES) this.#source.resume();
  }
}
