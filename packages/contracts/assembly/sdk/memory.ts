import { bufferRead, hostRevert, inputRead, inputSize } from "./host";

/** A piece of memory. Nothing is ever freed: an instance lives for one call. */
@final
export class Slice {
  constructor(
    public pointer: usize,
    public length: usize,
  ) {}
}

/** Fresh memory, not cleared. */
export function allocate(length: usize): usize {
  return heap.alloc(length);
}

/** The call's arguments. */
export function input(): Slice {
  const length = <usize>inputSize();
  const pointer = allocate(length);
  inputRead(pointer);
  return new Slice(pointer, length);
}

/** The last variable-length answer of the host, which said that it has `length` bytes. */
export function takeBuffer(length: i32): Slice {
  const pointer = allocate(<usize>length);
  bufferRead(pointer);
  return new Slice(pointer, <usize>length);
}

export function isEqual(a: usize, b: usize, length: usize): bool {
  return memory.compare(a, b, length) == 0;
}

/** Equality of two 32-byte values: ids, digests, addresses. */
export function isEqual32(a: usize, b: usize): bool {
  return (
    load<u64>(a) == load<u64>(b) &&
    load<u64>(a, 8) == load<u64>(b, 8) &&
    load<u64>(a, 16) == load<u64>(b, 16) &&
    load<u64>(a, 24) == load<u64>(b, 24)
  );
}

/** The bytes of ASCII text, one each; AssemblyScript keeps strings as UTF-16. */
export function ascii(text: string): Slice {
  const length = <usize>text.length;
  const pointer = allocate(length);
  const from = changetype<usize>(text);
  for (let i: usize = 0; i < length; i++) store<u8>(pointer + i, <u8>load<u16>(from + (i << 1)));
  return new Slice(pointer, length);
}

/** Whether the bytes are this ASCII text. */
export function isAscii(pointer: usize, length: usize, text: string): bool {
  if (length != <usize>text.length) return false;
  const from = changetype<usize>(text);
  for (let i: usize = 0; i < length; i++) {
    if (<u16>load<u8>(pointer + i) != load<u16>(from + (i << 1))) return false;
  }
  return true;
}

/** Ends the call: the receipt's status is `code`, nothing that the call did is kept. */
export function revert(code: string): void {
  const bytes = ascii(code);
  hostRevert(bytes.pointer, bytes.length, 0, 0);
  unreachable();
}

/** `revert` unless `condition` holds. */
export function demand(condition: bool, code: string): void {
  if (!condition) revert(code);
}
