import { Uint8ArrayList } from "uint8arraylist";
import { refusedByUs } from "../handshake-channel.ts";

const PREFIX_BYTES = 2;

/** A record as it travels: its length in two bytes, big-endian, in front. */
export function prefixed(record: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(PREFIX_BYTES + record.length);
  new DataView(bytes.buffer).setUint16(0, record.length);
  bytes.set(record, PREFIX_BYTES);
  return bytes;
}

/** Splits a stream of bytes into records of at least and at most so many bytes. */
export class RecordSplitter {
  readonly #buffered = new Uint8ArrayList();
  readonly #limits: { readonly min: number; readonly max: number };

  constructor(limits: { readonly min: number; readonly max: number }) {
    this.#limits = limits;
  }

  get bufferedBytes(): number {
    return this.#buffered.byteLength;
  }

  push(bytes: Uint8Array | Uint8ArrayList): void {
    this.#buffered.append(bytes);
  }

  /**
   * The next record, if it is whole.
   * @throws AdmissionError NODE_ADMISSION_CHANNEL_BROKEN as soon as its length is out of bounds
   */
  next(): Uint8Array | undefined {
    if (this.#buffered.byteLength < PREFIX_BYTES) return undefined;
    const length = this.#buffered.getUint16(0);
    if (length < this.#limits.min || length > this.#limits.max) {
      throw refusedByUs("NODE_ADMISSION_CHANNEL_BROKEN", `a record of ${length} bytes`);
    }
    const end = PREFIX_BYTES + length;
    if (this.#buffered.byteLength < end) return undefined;
    const record = this.#buffered.slice(PREFIX_BYTES, end);
    this.#buffered.consume(end);
    return record;
  }

  /** What no record was made of; the splitter is empty afterwards. */
  rest(): Uint8Array {
    const rest = this.#buffered.slice();
    this.#buffered.consume(this.#buffered.byteLength);
    return rest;
  }
}
