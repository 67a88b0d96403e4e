import { NetworkError } from "./errors.ts";

/** Bytes of the length in front of every frame. */
export const FRAME_HEADER_BYTES = 4;

/** One frame: u32 big endian length ‖ payload. */
export function encodeFrame(payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + payload.length);
  new DataView(frame.buffer).setUint32(0, payload.length);
  frame.set(payload, FRAME_HEADER_BYTES);
  return frame;
}

/**
 * Cuts a byte stream into frames. The cap is judged on the announced length before anything is
 * allocated, and memory grows with the bytes that really arrived, never with what was announced.
 */
export class FrameDecoder {
  readonly #maxBytes: number;
  #chunks: Uint8Array[] = [];
  #buffered = 0;

  /** @param maxBytes largest payload of a frame, in bytes. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes held that do not make a frame yet. */
  get bufferedBytes(): number {
    return this.#buffered;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
  }

  /**
   * The next whole frame's payload, or undefined when more bytes are needed.
   * @throws NetworkError NODE_NETWORK_FRAME_TOO_LARGE; the stream is of no use afterwards.
   */
  next(): Uint8Array | undefined {
    if (this.#buffered < FRAME_HEADER_BYTES) return undefined;
    const header = this.#peek(FRAME_HEADER_BYTES);
    const length = new DataView(header.buffer, header.byteOffset).getUint32(0);
    if (length > this.#maxBytes) {
      throw new NetworkError(
        "NODE_NETWORK_FRAME_TOO_LARGE",
        `a frame of ${length} bytes, at most ${this.#maxBytes}`,
      );
    }
    if (this.#buffered < FRAME_HEADER_BYTES + length) return undefined;
    return this.#take(FRAME_HEADER_BYTES + length).subarray(FRAME_HEADER_BYTES);
  }

  /** Everything not yet cut into frames; the decoder is empty afterwards. */
  rest(): Uint8Array {
    return this.#take(this.#buffered);
  }

  #peek(length: number): Uint8Array {
    const first = this.#chunks[0];
    if (first !== undefined && first.length >= length) return first.subarray(0, length);
    const taken = this.#take(length);
    this.#chunks.unshift(taken);
    this.#buffered += length;
    return taken;
  }

  #take(length: number): Uint8Array {
    this.#buffered -= length;
    const first = this.#chunks[0];
    if (first !== undefined && first.length >= length) {
      if (first.length === length) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(length);
      return first.subarray(0, length);
    }
    const joined = new Uint8Array(length);
    let at = 0;
    let whole = 0;
    for (const chunk of this.#chunks) {
      const part = Math.min(chunk.length, length - at);
      joined.set(chunk.subarray(0, part), at);
      at += part;
      if (part < chunk.length) {
        this.#chunks[whole] = chunk.subarray(part);
        break;
      }
      whole++;
      if (at === length) break;
    }
    this.#chunks.splice(0, whole);
    return joined;
  }
}
