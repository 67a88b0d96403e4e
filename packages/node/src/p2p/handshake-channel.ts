import { decode, encode } from "@credlink/primitives";
import type { MessageStream, StreamCloseEvent, StreamMessageEvent } from "@libp2p/interface";
import {
  type AdmissionMessage,
  admissionMessageCodec,
  MAX_ADMISSION_FRAME_BYTES,
} from "./admission-messages.ts";
import { AdmissionError, type AdmissionErrorCode } from "./errors.ts";
import { encodeFrame, FrameDecoder } from "./frames.ts";

/** Refused by us, with a code. */
export function refusedByUs(code: AdmissionErrorCode, detail: string, cause?: unknown) {
  return new AdmissionError({ code, by: "us" }, detail, { cause });
}

/**
 * Admission messages over a stream that noise has secured. Bytes that follow the last message
 * are given back to the stream on `release`, for the multiplexer that comes next.
 */
export class HandshakeChannel {
  readonly #stream: MessageStream;
  readonly #signal: AbortSignal;
  readonly #frames = new FrameDecoder(MAX_ADMISSION_FRAME_BYTES);
  #closed = false;
  #wake: (() => void) | undefined;

  /** @param signal ends every wait with NODE_ADMISSION_TIMEOUT. */
  constructor(stream: MessageStream, signal: AbortSignal) {
    this.#stream = stream;
    this.#signal = signal;
    stream.addEventListener("message", this.#onMessage);
    stream.addEventListener("close", this.#onClose);
    signal.addEventListener("abort", this.#onAbort);
  }

  /** @throws AdmissionError NODE_ADMISSION_ABORTED when the stream is closed. */
  send(message: AdmissionMessage): void {
    try {
      this.#stream.send(encodeFrame(encode(admissionMessageCodec, message)));
    } catch (cause) {
      throw refusedByUs("NODE_ADMISSION_ABORTED", "the connection closed", cause);
    }
  }

  /** @throws AdmissionError NODE_ADMISSION_TIMEOUT, _ABORTED, _MALFORMED. */
  async receive(): Promise<AdmissionMessage> {
    for (;;) {
      const message = this.#next();
      if (message !== undefined) return message;
      if (this.#signal.aborted) throw refusedByUs("NODE_ADMISSION_TIMEOUT", "deadline passed");
      if (this.#closed) throw refusedByUs("NODE_ADMISSION_ABORTED", "the peer hung up");
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Waits until the peer hangs up, at most `graceMs`, so that a verdict just sent arrives. */
  async drain(graceMs: number): Promise<void> {
    if (this.#closed) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      this.#stream.addEventListener("close", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  release(): void {
    this.#stream.removeEventListener("message", this.#onMessage);
    this.#stream.removeEventListener("close", this.#onClose);
    this.#signal.removeEventListener("abort", this.#onAbort);
    const rest = this.#frames.rest();
    if (rest.length > 0 && !this.#closed) this.#stream.unshift(rest);
  }

  #next(): AdmissionMessage | undefined {
    try {
      const frame = this.#frames.next();
      return frame === undefined ? undefined : decode(admissionMessageCodec, frame);
    } catch (cause) {
      throw refusedByUs("NODE_ADMISSION_MALFORMED", String(cause), cause);
    }
  }

  readonly #onMessage = (event: StreamMessageEvent): void => {
    this.#frames.push(event.data.subarray());
    if (this.#frames.bufferedBytes > 4 * MAX_ADMISSION_FRAME_BYTES) {
      this.#stream.abort(refusedByUs("NODE_ADMISSION_MALFORMED", "too many bytes"));
    }
    this.#wake?.();
  };

  readonly #onClose = (_event: StreamCloseEvent): void => {
    this.#closed = true;
    this.#wake?.();
  };

  readonly #onAbort = (): void => this.#wake?.();
}
