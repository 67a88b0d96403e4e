import { revert, Slice } from "./memory";

/** Greatest safe integer of the protocol: times, heights and gas never exceed it. */
const MAX_SAFE: u64 = 9007199254740991;

/**
 * Reads the protocol's canonical encoding, a msgpack subset in which every value has one form.
 * Anything else ends the call with the code that the reader was made with.
 *
 * @see docs/protocol.md
 */
@final
export class Reader {
  private end: usize;

  constructor(
    public at: usize,
    length: usize,
    private code: string,
  ) {
    this.end = at + length;
  }

  static of(slice: Slice, code: string): Reader {
    return new Reader(slice.pointer, slice.length, code);
  }

  fail(): void {
    revert(this.code);
  }

  private take(length: usize): usize {
    const from = this.at;
    if (length > this.end - from) this.fail();
    this.at = from + length;
    return from;
  }

  /** Big-endian unsigned integer of one byte, two or four. */
  private wide(size: u32): u32 {
    const from = this.take(size);
    if (size == 1) return <u32>load<u8>(from);
    return size == 2 ? <u32>bswap<u16>(load<u16>(from)) : bswap<u32>(load<u32>(from));
  }

  /** Demands that nothing is left. */
  finish(): void {
    if (this.at != this.end) this.fail();
  }

  /** Whether the next value is null; it is consumed if so. */
  isNull(): bool {
    if (this.at >= this.end || load<u8>(this.at) != 0xc0) return false;
    this.at++;
    return true;
  }

  /** Length of a list of at most `max` values, which follow. */
  list(max: u32): u32 {
    const head = <u32>load<u8>(this.take(1));
    let count: u32 = 0;
    if ((head & 0xf0) == 0x90) count = head & 0x0f;
    else if (head == 0xdc) {
      count = this.wide(2);
      if (count < 16) this.fail();
    } else this.fail();
    if (count > max) this.fail();
    return count;
  }

  /** A list of exactly `fields` values: a struct. */
  struct(fields: u32): void {
    if (this.list(fields) != fields) this.fail();
  }

  /** A byte string of exactly `length` bytes. */
  bytes(length: u32): usize {
    if (this.byteLength(length) != length) this.fail();
    return this.take(length);
  }

  /** A byte string of `length` bytes, or 0 for null. */
  bytesOrNull(length: u32): usize {
    return this.isNull() ? 0 : this.bytes(length);
  }

  /** A byte string of at most `max` bytes. */
  byteString(max: u32): Slice {
    const length = this.byteLength(max);
    return new Slice(this.take(length), length);
  }

  /** Length of the byte string that follows, of at most `max` bytes. */
  private byteLength(max: u32): u32 {
    const head = load<u8>(this.take(1));
    let length: u32 = 0;
    if (head == 0xc4) length = this.wide(1);
    else if (head == 0xc5) {
      length = this.wide(2);
      if (length < 0x100) this.fail();
    } else if (head == 0xc6) {
      length = this.wide(4);
      if (length < 0x10000) this.fail();
    } else this.fail();
    if (length > max) this.fail();
    return length;
  }

  /** Text of at most `max` bytes of UTF-8, which is not judged here. */
  text(max: u32): Slice {
    const head = <u32>load<u8>(this.take(1));
    let length: u32 = 0;
    if ((head & 0xe0) == 0xa0) length = head & 0x1f;
    else if (head == 0xd9) {
      length = this.wide(1);
      if (length < 0x20) this.fail();
    } else if (head == 0xda) {
      length = this.wide(2);
      if (length < 0x100) this.fail();
    } else this.fail();
    if (length > max) this.fail();
    return new Slice(this.take(length), length);
  }

  u32(): u32 {
    const head = <u32>load<u8>(this.take(1));
    if (head < 0x80) return head;
    let value: u32 = 0;
    if (head == 0xcc) {
      value = this.wide(1);
      if (value < 0x80) this.fail();
    } else if (head == 0xcd) {
      value = this.wide(2);
      if (value < 0x100) this.fail();
    } else if (head == 0xce) {
      value = this.wide(4);
      if (value < 0x10000) this.fail();
    } else this.fail();
    return value;
  }

  u64(): u64 {
    const head = load<u8>(this.take(1));
    const value = bswap<u64>(load<u64>(this.take(8)));
    if (head == 0xd3) {
      if (<i64>value < 0) this.fail();
    } else if (head == 0xcf) {
      if (<i64>value >= 0) this.fail();
    } else this.fail();
    return value;
  }

  /** An integer up to 2^53 − 1: heights and milliseconds. */
  u53(): i64 {
    const value = this.u64();
    if (value > MAX_SAFE) this.fail();
    return <i64>value;
  }

  bool(): bool {
    const head = load<u8>(this.take(1));
    if (head != 0xc2 && head != 0xc3) this.fail();
    return head == 0xc3;
  }

  /** Steps over one value of any kind. */
  skip(): void {
    let open: u32 = 1;
    while (open > 0) {
      open--;
      if (this.at >= this.end) this.fail();
      const head = <u32>load<u8>(this.at);
      if (head < 0x80 || head == 0xc0 || head == 0xc2 || head == 0xc3) this.at++;
      else if ((head & 0xf0) == 0x90 || head == 0xdc) open += this.list(0xffff);
      else if ((head & 0xe0) == 0xa0 || head == 0xd9 || head == 0xda) this.text(0xffff);
      else if (head >= 0xc4 && head <= 0xc6) this.byteString(0xffffffff);
      else if (head == 0xcf || head == 0xd3) this.u64();
      else this.u32();
    }
  }
}
