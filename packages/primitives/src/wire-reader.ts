import { MAX_DEPTH, MAX_VALUES } from "./codec-scan.ts";
import { AppError } from "./errors.ts";

export type CodecErrorCode =
  | "PRIMITIVES_CODEC_TOO_LARGE"
  | "PRIMITIVES_CODEC_MALFORMED"
  | "PRIMITIVES_CODEC_NOT_CANONICAL"
  | "PRIMITIVES_CODEC_SCHEMA";

export class CodecError extends AppError<{ readonly code: CodecErrorCode }> {}

/** The refusal of a value that is not what its schema says. */
export function schemaError(expected: string): CodecError {
  return new CodecError({ code: "PRIMITIVES_CODEC_SCHEMA" }, `expected ${expected}`);
}

function malformed(problem: string): CodecError {
  return new CodecError({ code: "PRIMITIVES_CODEC_MALFORMED" }, problem);
}

function notCanonical(): CodecError {
  return new CodecError({ code: "PRIMITIVES_CODEC_NOT_CANONICAL" }, "not the canonical encoding");
}

const TWO_32 = 0x1_0000_0000;
/** From here on the head bit of a signed 64-bit integer is set. */
const TWO_63_HIGH = 0x8000_0000;
const LONG_TEXT_BYTES = 64;
/** Arrays have no form with a length of one byte. */
const LEAST_ARRAY = 0x10;

const utf8Decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads msgpack values one after another and refuses every encoding but the canonical one, so
 * that what was read need not be written again to compare. Nothing is allocated by what the input
 * only claims. Its methods throw CodecError.
 */
export class WireReader {
  readonly #input: Uint8Array;
  #at = 0;
  #values = 0;
  #depth = 0;

  constructor(input: Uint8Array) {
    this.#input = input;
  }

  /** Nothing may be left. */
  end(): void {
    if (this.#at !== this.#input.length) throw malformed("has bytes after its end");
  }

  /** The head of the next value, which stays. */
  peek(): number {
    const head = this.#input[this.#at];
    if (head === undefined) throw malformed("ends too early");
    return head;
  }

  /** Takes a null if there is one. */
  takeNull(): boolean {
    if (this.peek() !== 0xc0) return false;
    this.#head();
    return true;
  }

  bool(): boolean {
    const head = this.#head();
    if (head !== 0xc2 && head !== 0xc3) throw schemaError("a boolean");
    return head === 0xc3;
  }

  u32(): number {
    const head = this.#head();
    if (head < 0x80) return head;
    if (head < 0xcc || head > 0xce) throw schemaError("an unsigned 32-bit integer");
    return this.#number(head - 0xcc, 0x80);
  }

  u53(): number {
    const high = this.#wide();
    const low = this.#word();
    if (high > 0x1f_ffff) throw schemaError("a safe integer from 0");
    return high * TWO_32 + low;
  }

  u64(): bigint {
    const high = this.#wide();
    return BigInt(high) * 0x1_0000_0000n + BigInt(this.#word());
  }

  /** A view on the input. */
  bytes(): Uint8Array {
    const head = this.#head();
    if (head < 0xc4 || head > 0xc6) throw schemaError("bytes");
    return this.#take(this.#number(head - 0xc4, 0));
  }

  text(): string {
    const head = this.#head();
    const isShort = head >= 0xa0 && head <= 0xbf;
    if (!isShort && (head < 0xd9 || head > 0xdb)) throw schemaError("text");
    const length = isShort ? head & 0x1f : this.#number(head - 0xd9, 0x20);
    const bytes = this.#take(length);
    if (length <= LONG_TEXT_BYTES) {
      let text = "";
      for (let i = 0; i < length; i++) {
        const byte = bytes[i] as number;
        if (byte >= 0x80) return decodeUtf8(bytes);
        text += String.fromCharCode(byte);
      }
      return text;
    }
    return decodeUtf8(bytes);
  }

  /** Opens an array and returns how many items follow; `closeArray` ends it. */
  openArray(): number {
    const head = this.#head();
    const isShort = head >= 0x90 && head <= 0x9f;
    if (!isShort && head !== 0xdc && head !== 0xdd) throw schemaError("an array");
    const length = isShort ? head & 0x0f : this.#number(head - 0xdb, LEAST_ARRAY);
    // Every item takes a byte at least, so a claim beyond the input is refused at once.
    if (length > this.#input.length - this.#at) throw malformed("ends too early");
    if (length > 0 && this.#depth >= MAX_DEPTH) throw malformed(`nested deeper than ${MAX_DEPTH}`);
    this.#depth++;
    return length;
  }

  closeArray(): void {
    this.#depth--;
  }

  #head(): number {
    if (++this.#values > MAX_VALUES) throw malformed(`more than ${MAX_VALUES} values`);
    const head = this.peek();
    this.#at++;
    return head;
  }

  /** Head and upper half of an integer in nine bytes. */
  #wide(): number {
    const head = this.#head();
    if (head !== 0xd3 && head !== 0xcf) throw schemaError("an integer in nine bytes");
    if (this.#at + 8 > this.#input.length) throw malformed("ends too early");
    const high = this.#word();
    if (head === 0xd3 && high >= TWO_63_HIGH) throw schemaError("an integer from 0");
    if (head === 0xcf && high < TWO_63_HIGH) throw notCanonical();
    return high;
  }

  /**
   * A number in 1, 2 or 4 bytes (`size` 0, 1, 2) that needs as many. `least` is what the first
   * size of its kind begins with: 0x80 for integers, one more than a short head says for lengths.
   */
  #number(size: number, least: number): number {
    const input = this.#input;
    const at = this.#at;
    if (at + (1 << size) > input.length) throw malformed("ends too early");
    const value =
      size === 0
        ? (input[this.#at++] as number)
        : size === 1
          ? ((input[this.#at++] as number) << 8) | (input[this.#at++] as number)
          : this.#word();
    const isFirst = size === 0 || least === LEAST_ARRAY;
    const needed = size === 2 ? 0x1_0000 : isFirst ? least : 0x100;
    if (value < needed) throw notCanonical();
    return value;
  }

  #word(): number {
    const input = this.#input;
    const at = this.#at;
    this.#at += 4;
    return (
      (((input[at] as number) << 24) |
        ((input[at + 1] as number) << 16) |
        ((input[at + 2] as number) << 8) |
        (input[at + 3] as number)) >>>
      0
    );
  }

  #take(length: number): Uint8Array {
    const input = this.#input;
    if (length > input.length - this.#at) throw malformed("ends too early");
    const taken = new Uint8Array(input.buffer, input.byteOffset + this.#at, length);
    this.#at += length;
    return taken;
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8Decoder.decode(bytes);
  } catch {
    throw notCanonical();
  }
}
