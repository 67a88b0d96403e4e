import type { BoundInstance } from "./bound-instance.ts";
import { InstructionReader } from "./instructions.ts";
import type { WasmModule } from "./module.ts";
import { bulkOp, op } from "./opcodes.ts";

/** Largest initial memory that is copied to be restored; larger ones are made anew. */
const MAX_SNAPSHOT_PAGES = 16;

/** What a call leaves behind in an instance and no snapshot restores. */
const LASTING: ReadonlySet<number> = new Set([
  bulkOp.dataDrop,
  bulkOp.elementDrop,
  bulkOp.tableInit,
  bulkOp.tableCopy,
]);

/**
 * Whether an instance of the module can be brought back to what it was when it was made. All that
 * an instance keeps from call to call is memory, globals, table and which segments were dropped:
 * memory and mutable globals are restored, the other two never change where no instruction of the
 * module changes them.
 */
export function isRestorable(module: WasmModule): boolean {
  const pages = module.memory?.minimum ?? 0;
  if (pages < 1 || pages > MAX_SNAPSHOT_PAGES) return false;
  return module.bodies.every(({ instructions, end }) => {
    const instruction = new InstructionReader(module.bytes, instructions, end);
    while (!instruction.done) {
      instruction.next();
      if (instruction.code === op.bulk && LASTING.has(instruction.second)) return false;
    }
    return true;
  });
}

/** Memory and globals of an instance that no call has touched: the same for all of a module. */
export class InstanceSnapshot {
  private readonly memoryBytes: number;
  /** Memory up to its last byte that is not zero: segments stand in front, and zeros cost half. */
  private readonly memory: Uint8Array;
  private readonly globals: readonly (bigint | number)[];

  constructor(fresh: BoundInstance) {
    const memory = new Uint8Array(fresh.memory.buffer);
    this.memoryBytes = memory.length;
    this.memory = memory.slice(0, memory.findLastIndex((byte) => byte !== 0) + 1);
    this.globals = fresh.globals.map(({ value }) => value);
  }

  /** Restores an instance of the same module; false where its memory grew, which stays so. */
  restore({ memory, globals, stack, fault }: BoundInstance): boolean {
    // Growing by nothing replaces the buffer too: it is taken from the memory every time.
    const bytes = new Uint8Array(memory.buffer);
    if (bytes.length !== this.memoryBytes) return false;
    bytes.set(this.memory);
    bytes.fill(0, this.memory.length);
    for (const [place, global] of globals.entries()) {
      const value = this.globals[place];
      if (value !== undefined) global.value = value;
    }
    stack.value = 0;
    fault.value = 0;
    return true;
  }
}
