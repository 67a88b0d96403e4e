import { type ModuleErrorCode, ModuleRefused } from "./module-refused.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Longest name of an import, an export or a custom section, in bytes. */
const MAX_NAME_BYTES = 128;

/**
 * Reads a module's bytes front to back and never beyond `end`.
 * Every method throws `ModuleRefused` with VM_MODULE_MALFORMED where the bytes are not what the
 * binary format allows. @see WebAssembly Core 2.0 §5.2
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  at: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  byte(): number {
    const value = this.at < this.end ? this.bytes[this.at] : undefined;
    if (value === undefined) throw malformed("ends too early");
    this.at++;
    return value;
  }

  peek(): number {
    const value = this.at < this.end ? this.bytes[this.at] : undefined;
    if (value === undefined) throw malformed("ends too early");
    return value;
  }

  skip(length: number): void {
    if (length > this.end - this.at) throw malformed("ends too early");
    this.at += length;
  }

  /** Unsigned LEB128 of at most 32 bits. */
  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      if (shift === 28 && byte > 0x0f) throw malformed("an integer is wider than 32 bits");
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw malformed("an integer is wider than 32 bits");
  }

  /** Signed LEB128 of at most 32 bits. */
  s32(): number {
    return Number(this.signed(32));
  }

  /** Signed LEB128 of at most 64 bits. */
  s64(): bigint {
    return this.signed(64);
  }

  private signed(width: 32 | 64): bigint {
    let value = 0n;
    for (let shift = 0; shift < width; shift += 7) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << BigInt(shift);
      if (byte >= 0x80) continue;
      const used = shift + 7;
      if (used > width && !isSignExtended(byte, width - shift)) break;
      return BigInt.asIntN(width, (byte & 0x40) === 0 ? value : value - (1n << BigInt(used)));
    }
    throw malformed(`an integer is wider than ${width} bits`);
  }

  name(): string {
    const length = this.u32();
    if (length > MAX_NAME_BYTES) {
      throw new ModuleRefused(
        "VM_MODULE_TOO_LARGE",
        `a name has more than ${MAX_NAME_BYTES} bytes`,
      );
    }
    const start = this.at;
    this.skip(length);
    try {
      return decoder.decode(this.bytes.subarray(start, this.at));
    } catch {
      throw malformed("a name is not UTF-8");
    }
  }

  /** A count that the caller allocates or loops by: judged against `max` and the bytes left. */
  count(max: number, what: string, code: ModuleErrorCode = "VM_MODULE_TOO_LARGE"): number {
    const value = this.u32();
    if (value > max) throw new ModuleRefused(code, `${value} ${what}, ${max} are allowed`);
    if (value > this.end - this.at) throw malformed(`claims ${value} ${what}`);
    return value;
  }
}

/** Whether the bits of the last byte above the integer's width repeat its sign bit. */
function isSignExtended(byte: number, bits: number): boolean {
  const top = (byte & 0x7f) >> (bits - 1);
  return top === 0 || top === 0x7f >> (bits - 1);
}

function malformed(detail: string): ModuleRefused {
  return new ModuleRefused("VM_MODULE_MALFORMED", detail);
}
