import type { MessageStream, StreamMessageEvent } from "@libp2p/interface";
import { refusedByUs } from "../handshake-channel.ts";
import { prefixed, RecordSplitter } from "./record-splitter.ts";

/** More than any message of the handshake has: a key, its tag, a payload and its tag. */
export const MAX_HANDSHAKE_MESSAGE_BYTES = 1_024;

/** The messages of a handshake over a raw stream, one at a time. */
export class HandshakeRecords {
  readonly #stream: MessageStream;
  readonly #signal: AbortSignal | undefined;
  readonly #records = new RecordSplitter({ min: 1, max: MAX_HANDSHAKE_MESSAGE_BYTES });
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(stream: MessageStream, signal: AbortSignal | undefined) {
    this.#stream = stream;
    this.#signal = signal;
    stream.addEventListener("message", this.#onMessage);
    stream.addEventListener("close", this.#onClose);
    signal?.addEventListener("abort", this.#onAbort);
  }

  /** @throws AdmissionError NODE_ADMISSION_ABORTED when the stream is closed */
  send(message: Uint8Array): void {
    try {
      this.#stream.send(prefixed(message));
    } catch (cause) {
      throw refusedByUs("NODE_ADMISSION_ABORTED", "the connection closed", cause);
    }
  }

  /** @throws AdmissionError NODE_ADMISSION_CHANNEL_BROKEN, _TIMEOUT, _ABORTED */
  async receive(): Promise<Uint8Array> {
    for (;;) {
      const message = this.#records.next();
      if (message !== undefined) return message;
      if (this.#signal?.aborted) throw refusedByUs("NODE_ADMISSION_TIMEOUT", "deadline passed");
      if (this.#closed) throw refusedByUs("NODE_ADMISSION_ABORTED", "the peer hung up");
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Ends listening; bytes beyond the handshake go back to the stream. */
  release(): void {
    this.#stream.removeEventListener("message", this.#onMessage);
    this.#stream.removeEventListener("close", this.#onClose);
    this.#signal?.removeEventListener("abort", this.#onAbort);
    const rest = this.#records.rest();
    if (rest.length > 0 && !this.#closed) this.#stream.unshift(rest);
  }

  readonly #onMessage = (event: StreamMessageEvent): void => {
    this.#records.push(event.data);
    // Both sides send by turns: there is never more than one message, and the admission's first.
    if (this.#records.bufferedBytes > 64 * MAX_HANDSHAKE_MESSAGE_BYTES) {
      this.#stream.abort(refusedByUs("NODE_ADMISSION_CHANNEL_BROKEN", "too many bytes"));
    }
    this.#wake?.();
  };

  readonly #onClose = (): void => {
    this.#closed = true;
    this.#wake?.();
  };

  readonly #onAbort = (): void => this.#wake?.();
}
