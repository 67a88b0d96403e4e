import { textOfBytes, utf8ToText } from "@credlink/primitives";
import { Stop } from "./stop.ts";
import type { WasmMemory } from "./wasm/engine.ts";

/** An `i32` operand, signed as the engine passes it. */
export type Word = number;

/** A length operand as the unsigned number it is. */
export function lengthOf(word: Word): number {
  return word >>> 0;
}

const MAX_ASCII = 0x7f;

/** A contract's memory as the host reads and writes it: every pointer is judged. */
export class HostMemory {
  private memory: WasmMemory | null = null;
  private view: Uint8Array = new Uint8Array(0);

  bind(memory: WasmMemory): void {
    this.memory = memory;
  }

  /**
   * Start of a piece that lies inside the memory; pointer and length are unsigned.
   * @throws Stop VM_HOST_POINTER
   */
  place(at: Word, length: Word): number {
    const start = lengthOf(at);
    if (start + lengthOf(length) > this.bytes().length) throw new Stop("VM_HOST_POINTER");
    return start;
  }

  /** A copy of a piece. @throws Stop VM_HOST_POINTER */
  read(at: Word, length: Word): Uint8Array {
    const start = this.place(at, length);
    return this.bytes().slice(start, start + lengthOf(length));
  }

  /** A piece where it lies: for what is done with before the module goes on. @throws Stop VM_HOST_POINTER */
  look(at: Word, length: Word): Uint8Array {
    const start = this.place(at, length);
    return this.bytes().subarray(start, start + lengthOf(length));
  }

  /** A piece that `place` judged, as `textOfBytes` writes it. */
  name(start: number, length: number): string {
    return textOfBytes(this.bytes(), start, start + length);
  }

  /** A piece as text of at most `max` bytes. @throws Stop VM_HOST_POINTER, VM_HOST_ARGUMENT */
  readText(at: Word, length: Word, max: number): string {
    const start = this.place(at, length);
    if (lengthOf(length) > max) throw new Stop("VM_HOST_ARGUMENT", "text too long");
    const end = start + lengthOf(length);
    const bytes = this.bytes();
    let bits = 0;
    for (let i = start; i < end; i++) bits |= bytes[i] ?? 0;
    // Names are short and ASCII: a decoder's call costs more than they do.
    if (bits <= MAX_ASCII) return textOfBytes(bytes, start, end);
    try {
      return utf8ToText(bytes.subarray(start, end));
    } catch {
      throw new Stop("VM_HOST_ARGUMENT", "text is not UTF-8");
    }
  }

  /** Puts bytes at a place that `place` judged. */
  write(start: number, bytes: Uint8Array): void {
    this.bytes().set(bytes, start);
  }

  /**
   * The memory as it is now. Growing detaches the buffer and puts another in its place, which
   * leaves the view without bytes: asking the view is cheaper than asking the memory each time.
   *
   * @see https://www.w3.org/TR/wasm-js-api-2/#refresh-the-memory-buffer
   */
  private bytes(): Uint8Array {
    if (this.view.length === 0) {
      if (this.memory === null) throw new Stop("VM_HOST_ARGUMENT", "called before its method");
      this.view = new Uint8Array(this.memory.buffer);
    }
    return this.view;
  }
}
