import type { AbortOptions, MessageStream, StreamCloseEvent } from "@libp2p/interface";
import { AbstractMessageStream, type SendResult } from "@libp2p/utils";
import { Uint8ArrayList } from "uint8arraylist";
import {
  MAX_NOISE_MESSAGE_BYTES,
  MAX_NOISE_PLAINTEXT_BYTES,
  NOISE_TAG_BYTES,
} from "./noise-primitives.ts";
import { prefixed, RecordSplitter } from "./record-splitter.ts";
import type { NoiseSession } from "./xx-handshake.ts";

/**
 * A stream under a session's ciphers. Every record is judged before anything of it is passed on;
 * the first one that does not decrypt ends the stream, for nothing after it could.
 */
class RecordStream extends AbstractMessageStream {
  readonly #stream: MessageStream;
  readonly #session: NoiseSession;
  readonly #onBroken: (error: unknown) => void;
  // A record carries at least one byte beside its tag: an empty one would be work for nothing.
  readonly #records = new RecordSplitter({
    min: NOISE_TAG_BYTES + 1,
    max: MAX_NOISE_MESSAGE_BYTES,
  });

  constructor(stream: MessageStream, session: NoiseSession, onBroken: (error: unknown) => void) {
    const { log, inactivityTimeout, maxReadBufferLength, direction } = stream;
    super({ log, inactivityTimeout, maxReadBufferLength, direction });
    this.#stream = stream;
    this.#session = session;
    this.#onBroken = onBroken;
    stream.addEventListener("message", (event) => this.#decrypt(event.data));
    stream.addEventListener("close", (event) => this.#ended(event));
    stream.addEventListener("drain", () => this.safeDispatchEvent("drain"));
    stream.addEventListener("remoteCloseWrite", () => this.onRemoteCloseWrite());
  }

  override sendData(data: Uint8ArrayList): SendResult {
    const sealed = new Uint8ArrayList();
    for (let at = 0; at < data.byteLength; at += MAX_NOISE_PLAINTEXT_BYTES) {
      const end = Math.min(at + MAX_NOISE_PLAINTEXT_BYTES, data.byteLength);
      sealed.append(prefixed(this.#session.send.seal(data.subarray(at, end))));
    }
    return { sentBytes: data.byteLength, canSendMore: this.#stream.send(sealed) };
  }

  override sendReset(error: Error): void {
    this.#stream.abort(error);
  }

  override sendPause(): void {
    this.#stream.pause();
  }

  override sendResume(): void {
    this.#stream.resume();
  }

  override async close(options?: AbortOptions): Promise<void> {
    await this.#stream.close(options);
  }

  #decrypt(data: Uint8Array | Uint8ArrayList): void {
    try {
      this.#records.push(data);
      for (let next = this.#records.next(); next !== undefined; next = this.#records.next()) {
        if (this.status === "aborted" || this.status === "reset") return;
        this.onData(this.#session.receive.open(next));
      }
    } catch (error) {
      this.#onBroken(error);
      this.abort(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #ended(event: StreamCloseEvent): void {
    this.#session.send.wipe();
    // What arrived before the end may still be read, a refusal among it.
    if (this.#stream.readBufferLength === 0) this.#session.receive.wipe();
    if (event.error === undefined) this.onTransportClosed();
    else if (event.local === true) this.abort(event.error);
    else this.onRemoteReset();
  }
}

/** @param onBroken told of a record that did not decrypt, before the stream is aborted */
export function createRecordStream(
  stream: MessageStream,
  session: NoiseSession,
  onBroken: (error: unknown) => void,
): MessageStream {
  return new RecordStream(stream, session, onBroken);
}
