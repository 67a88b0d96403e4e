import { allocateBytes } from "./allocation.ts";

const START_BYTES = 4 * 1024;
/** A buffer that grew beyond this is not kept for the next value. */
const KEPT_BYTES = 1024 * 1024;
/** Up to here a loop is faster than a call into V8. */
const SHORT_BYTES = 64;
const TWO_32 = 0x1_0000_0000;

const utf8Encoder = new TextEncoder();

/** Appends canonical msgpack values to a buffer that grows. */
export class WireWriter {
  #bytes = new Uint8Array(START_BYTES);
  #at = 0;

  /** What was written, in memory of its own; the writer is empty again. */
  take(): Uint8Array {
    const taken = headOf(this.#bytes, this.#at);
    this.clear();
    return taken;
  }

  /** Forgets what was written. */
  clear(): void {
    this.#at = 0;
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = new Uint8Array(START_BYTES);
  }

  /** Null, false or true. */
  constant(value: null | boolean): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = value === null ? 0xc0 : value ? 0xc3 : 0xc2;
  }

  /** An unsigned 32-bit integer in its shortest form. */
  u32(value: number): void {
    this.#reserve(5);
    if (value < 0x80) this.#bytes[this.#at++] = value;
    else this.#sized(value, 0xcc);
  }

  /** A safe integer from 0 in nine bytes. */
  u53(value: number): void {
    this.#reserve(9);
    this.#bytes[this.#at++] = 0xd3;
    this.#word(Math.floor(value / TWO_32));
    this.#word(value % TWO_32);
  }

  /** An unsigned 64-bit integer in nine bytes. */
  u64(value: bigint): void {
    this.#reserve(9);
    this.#bytes[this.#at++] = value < 0x8000_0000_0000_0000n ? 0xd3 : 0xcf;
    this.#word(Number(value >> 32n));
    this.#word(Number(value & 0xffff_ffffn));
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length + 5);
    this.#sized(value.length, 0xc4);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  /** Well-formed text. */
  text(value: string): void {
    this.#reserve(value.length + 5);
    const start = this.#at;
    this.#textHead(value.length);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i);
      if (unit >= 0x80) {
        this.#at = start;
        this.#textOf(utf8Encoder.encode(value));
        return;
      }
      bytes[at++] = unit;
    }
    this.#at = at;
  }

  #textOf(value: Uint8Array): void {
    this.#reserve(value.length + 5);
    this.#textHead(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  #textHead(length: number): void {
    if (length < 0x20) this.#bytes[this.#at++] = 0xa0 | length;
    else this.#sized(length, 0xd9);
  }

  /** The head of an array; its items follow. */
  array(length: number): void {
    this.#reserve(5);
    if (length < 0x10) this.#bytes[this.#at++] = 0x90 | length;
    else if (length < 0x1_0000) this.#half(0xdc, length);
    else {
      this.#bytes[this.#at++] = 0xdd;
      this.#word(length);
    }
  }

  /** A number in one, two or four bytes behind one of three heads in a row. */
  #sized(value: number, head: number): void {
    if (value < 0x100) {
      this.#bytes[this.#at++] = head;
      this.#bytes[this.#at++] = value;
    } else if (value < 0x1_0000) this.#half(head + 1, value);
    else {
      this.#bytes[this.#at++] = head + 2;
      this.#word(value);
    }
  }

  #half(head: number, value: number): void {
    this.#bytes[this.#at++] = head;
    this.#bytes[this.#at++] = value >>> 8;
    this.#bytes[this.#at++] = value;
  }

  #word(value: number): void {
    this.#bytes[this.#at++] = value >>> 24;
    this.#bytes[this.#at++] = value >>> 16;
    this.#bytes[this.#at++] = value >>> 8;
    this.#bytes[this.#at++] = value;
  }

  #reserve(count: number): void {
    const needed = this.#at + count;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
  }
}

/** The first `length` bytes, in memory of their own. */
function headOf(bytes: Uint8Array, length: number): Uint8Array {
  const head = allocateBytes(length);
  if (length > SHORT_BYTES) {
    head.set(bytes.subarray(0, length));
    return head;
  }
  for (let i = 0; i < length; i++) head[i] = bytes[i] as number;
  return head;
}
