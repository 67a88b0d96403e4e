import { allocate, Slice } from "./memory";

/** Writes the protocol's canonical encoding; grows by doubling. */
@final
export class Writer {
  private start: usize;
  private at: usize;
  private end: usize;

  constructor(capacity: usize) {
    this.start = allocate(capacity);
    this.at = this.start;
    this.end = this.start + capacity;
  }

  get length(): usize {
    return this.at - this.start;
  }

  slice(): Slice {
    return new Slice(this.start, this.length);
  }

  private reserve(length: usize): usize {
    const from = this.at;
    if (from + length > this.end) return this.grow(length);
    this.at = from + length;
    return from;
  }

  private grow(length: usize): usize {
    const used = this.length;
    const capacity = (used + length) << 1;
    const fresh = allocate(capacity);
    memory.copy(fresh, this.start, used);
    this.start = fresh;
    this.at = fresh + used + length;
    this.end = fresh + capacity;
    return fresh + used;
  }

  private byte(value: u32): void {
    store<u8>(this.reserve(1), <u8>value);
  }

  private wide(value: u64, size: u32): void {
    const to = this.reserve(size);
    for (let i: u32 = 0; i < size; i++) {
      store<u8>(to + i, <u8>(value >> (<u64>(size - 1 - i) << 3)));
    }
  }

  /** Bytes as they are: an encoding that exists already. */
  raw(pointer: usize, length: usize): void {
    memory.copy(this.reserve(length), pointer, length);
  }

  /** Head of a list: `count` values must follow. */
  list(count: u32): void {
    if (count < 16) this.byte(0x90 | count);
    else {
      this.byte(0xdc);
      this.wide(count, 2);
    }
  }

  nothing(): void {
    this.byte(0xc0);
  }

  bool(value: bool): void {
    this.byte(value ? 0xc3 : 0xc2);
  }

  u32(value: u32): void {
    if (value < 0x80) this.byte(value);
    else if (value < 0x100) {
      this.byte(0xcc);
      this.wide(value, 1);
    } else if (value < 0x10000) {
      this.byte(0xcd);
      this.wide(value, 2);
    } else {
      this.byte(0xce);
      this.wide(value, 4);
    }
  }

  u64(value: u64): void {
    this.byte(<i64>value < 0 ? 0xcf : 0xd3);
    store<u64>(this.reserve(8), bswap<u64>(value));
  }

  bytes(pointer: usize, length: u32): void {
    if (length < 0x100) {
      this.byte(0xc4);
      this.wide(length, 1);
    } else if (length < 0x10000) {
      this.byte(0xc5);
      this.wide(length, 2);
    } else {
      this.byte(0xc6);
      this.wide(length, 4);
    }
    this.raw(pointer, length);
  }

  /** A byte string, or null for pointer 0. */
  bytesOrNull(pointer: usize, length: u32): void {
    if (pointer == 0) this.nothing();
    else this.bytes(pointer, length);
  }

  /** Text whose UTF-8 bytes stand at `pointer`. */
  text(pointer: usize, length: u32): void {
    if (length < 0x20) this.byte(0xa0 | length);
    else if (length < 0x100) {
      this.byte(0xd9);
      this.wide(length, 1);
    } else {
      this.byte(0xda);
      this.wide(length, 2);
    }
    this.raw(pointer, length);
  }

  /** Text of ASCII characters. */
  ascii(text: string): void {
    const length = <u32>text.length;
    if (length < 0x20) this.byte(0xa0 | length);
    else {
      this.byte(0xd9);
      this.wide(length, 1);
    }
    const to = this.reserve(length);
    const from = changetype<usize>(text);
    for (let i: u32 = 0; i < length; i++) store<u8>(to + i, <u8>load<u16>(from + (i << 1)));
  }
}
