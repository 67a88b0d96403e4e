import { invariant } from "@credlink/primitives";
import type { Stream } from "@libp2p/interface";
import { FRAME_HEADER_BYTES } from "./frames.ts";

/** Bounds of one peer's queue of one protocol. */
export interface QueueLimits {
  readonly maxMessages: number;
  readonly maxBytes: number;
}

/** What a queue reports. */
export interface QueueEvents {
  onSent(messages: number, bytes: number): void;
  onDropped(messages: number, reason: "queue-full" | "left"): void;
}

/** Most bytes that are put together into one write. */
const MAX_WRITE_BYTES = 256 * 1024;
/** Pause before a stream that failed is opened again, milliseconds. */
const REOPEN_DELAY_MS = 250;

/**
 * Messages of one protocol to one peer, on one long-lived stream that is opened on first use.
 * When the peer reads too slowly the oldest messages are dropped: consensus sends its newest
 * again, and everything else can be fetched.
 */
export class OutboundQueue {
  readonly #open: () => Promise<Stream>;
  readonly #limits: QueueLimits;
  readonly #events: QueueEvents;
  #messages: Uint8Array[] = [];
  #bytes = 0;
  #stream: Stream | undefined;
  #pumping = false;
  #closed = false;

  constructor(open: () => Promise<Stream>, limits: QueueLimits, events: QueueEvents) {
    this.#open = open;
    this.#limits = limits;
    this.#events = events;
  }

  /** Messages waiting. */
  get length(): number {
    return this.#messages.length;
  }

  push(message: Uint8Array): void {
    if (this.#closed) {
      this.#events.onDropped(1, "left");
      return;
    }
    this.#messages.push(message);
    this.#bytes += message.length;
    this.#dropOldest();
    if (this.#pumping) return;
    this.#pumping = true;
    // What is sent in one turn travels in one write.
    queueMicrotask(() => void this.#pump());
  }

  /** Drops what waits and closes the stream. */
  close(): void {
    this.#closed = true;
    if (this.#messages.length > 0) this.#events.onDropped(this.#messages.length, "left");
    this.#messages = [];
    this.#bytes = 0;
    this.#stream?.abort(new Error("the peer left"));
    this.#stream = undefined;
  }

  #dropOldest(): void {
    let dropped = 0;
    const { maxMessages, maxBytes } = this.#limits;
    const isOver = (): boolean =>
      this.#messages.length - dropped > maxMessages || this.#bytes > maxBytes;
    // The newest always stays, however large it is.
    while (isOver() && dropped < this.#messages.length - 1) {
      this.#bytes -= this.#messages[dropped]?.length ?? 0;
      dropped++;
    }
    if (dropped === 0) return;
    this.#messages.splice(0, dropped);
    this.#events.onDropped(dropped, "queue-full");
  }

  async #pump(): Promise<void> {
    while (!this.#closed && this.#messages.length > 0) {
      try {
        const stream = await this.#writableStream();
        if (!this.#closed && this.#messages.length > 0) stream.send(this.#takeWrite());
      } catch {
        this.#stream?.abort(new Error("the stream failed"));
        this.#stream = undefined;
        // The stream or the connection broke; on a broken connection `close` follows soon.
        await new Promise((resolve) => setTimeout(resolve, REOPEN_DELAY_MS));
      }
    }
    this.#pumping = false;
  }

  async #writableStream(): Promise<Stream> {
    if (this.#stream === undefined || this.#stream.writeStatus !== "writable") {
      const stream = await this.#open();
      stream.addEventListener("message", () => stream.abort(new Error("nothing is expected back")));
      this.#stream = stream;
      if (this.#closed) stream.abort(new Error("the peer left"));
    }
    if (this.#stream.writableNeedsDrain) await this.#stream.onDrain();
    return this.#stream;
  }

  #takeWrite(): Uint8Array {
    let size = 0;
    let count = 0;
    for (const message of this.#messages) {
      if (count > 0 && size + FRAME_HEADER_BYTES + message.length > MAX_WRITE_BYTES) break;
      size += FRAME_HEADER_BYTES + message.length;
      count++;
    }
    invariant(count > 0, "a write holds at least one message");
    const write = new Uint8Array(size);
    const header = new DataView(write.buffer);
    let at = 0;
    for (const message of this.#messages.splice(0, count)) {
      header.setUint32(at, message.length);
      write.set(message, at + FRAME_HEADER_BYTES);
      at += FRAME_HEADER_BYTES + message.length;
      this.#bytes -= message.length;
    }
    this.#events.onSent(count, size - count * FRAME_HEADER_BYTES);
    return write;
  }
}
