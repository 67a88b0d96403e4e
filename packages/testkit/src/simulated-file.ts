import { copyBytes } from "@credlink/primitives";
import type { SeededRandom } from "./seeded-random.ts";

/**
 * What became of what was not synced when the machine went down: nothing survived, or all of it;
 * of every write some sectors ("torn"); all but the oldest write of a file ("reordered"); all
 * bytes, but no file made, renamed or removed since its folder was synced ("unnamed").
 */
export type CrashOutcome = "lost" | "kept" | "torn" | "reordered" | "unnamed";

/** Every outcome, for whoever tries them all. */
export const crashOutcomes: readonly CrashOutcome[] = [
  "lost",
  "kept",
  "torn",
  "reordered",
  "unnamed",
];

/** Bytes that a disk writes at once or not at all. */
export const SECTOR_BYTES = 512;

interface PendingWrite {
  readonly offset: number;
  /** null: a truncation to `offset`. */
  readonly bytes: Uint8Array | null;
}

/** Bytes that grow. */
class Content {
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(256);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  read(offset: number, length: number): Uint8Array {
    return copyBytes(
      this.#buffer,
      Math.min(offset, this.#size),
      Math.min(offset + length, this.#size),
    );
  }

  apply(write: PendingWrite): void {
    if (write.bytes === null) {
      this.#reserve(write.offset);
      if (write.offset < this.#size) this.#buffer.fill(0, write.offset, this.#size);
      this.#size = write.offset;
      return;
    }
    const end = write.offset + write.bytes.length;
    this.#reserve(end);
    this.#buffer.set(write.bytes, write.offset);
    this.#size = Math.max(this.#size, end);
  }

  #reserve(size: number): void {
    if (size <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(size, this.#buffer.length * 2));
    larger.set(this.#buffer);
    this.#buffer = larger;
  }
}

/** One file: what processes see, and what would survive a loss of power now. */
export class SimulatedInode {
  #volatile = new Content();
  readonly #durable = new Content();
  #pending: PendingWrite[] = [];

  get size(): number {
    return this.#volatile.size;
  }

  read(offset: number, length: number): Uint8Array {
    return this.#volatile.read(offset, length);
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#change({ offset, bytes: copyBytes(bytes) });
  }

  truncate(size: number): void {
    this.#change({ offset: size, bytes: null });
  }

  #change(write: PendingWrite): void {
    this.#volatile.apply(write);
    this.#pending.push(write);
  }

  /** How many changes wait for a sync: a sync that began now covers exactly these. */
  get pending(): number {
    return this.#pending.length;
  }

  /** Makes the oldest `count` changes durable. */
  sync(count: number): void {
    for (const write of this.#pending.splice(0, count)) this.#durable.apply(write);
  }

  /** A failed sync: the system forgets what it could not write and calls the pages clean. */
  failSync(count: number): void {
    this.#pending.splice(0, count);
  }

  /** What survives on the platter, for checkers. */
  durableBytes(from = 0): Uint8Array {
    return this.#durable.read(from, this.#durable.size);
  }

  /** Damages what is stored: `change` gets a copy of the durable bytes and returns the new ones. */
  damage(change: (bytes: Uint8Array) => Uint8Array): void {
    const changed = change(this.durableBytes());
    this.#durable.apply({ offset: 0, bytes: null });
    this.#durable.apply({ offset: 0, bytes: changed });
    this.crash("lost", undefined);
  }

  /** Power goes: only the durable bytes and what `outcome` saves of the rest remain. */
  crash(outcome: CrashOutcome, random: SeededRandom | undefined): void {
    const pending = this.#pending;
    this.#pending = [];
    if (outcome !== "lost" && outcome !== "torn") {
      const first = outcome === "reordered" ? 1 : 0;
      for (const write of pending.slice(first)) this.#durable.apply(write);
    }
    if (outcome === "torn" && random !== undefined) this.#tear(pending, random);
    this.#volatile = new Content();
    this.#volatile.apply({ offset: 0, bytes: this.#durable.read(0, this.#durable.size) });
  }

  #tear(pending: readonly PendingWrite[], random: SeededRandom): void {
    for (const write of pending) {
      if (write.bytes === null || write.bytes.length === 0) {
        if (random.chance(0.5)) this.#durable.apply(write);
        continue;
      }
      // Whole sectors survive or vanish, in any order: the disk may reorder what was not synced.
      const end = write.offset + write.bytes.length;
      for (let from = write.offset; from < end; ) {
        const to = Math.min(end, (Math.floor(from / SECTOR_BYTES) + 1) * SECTOR_BYTES);
        if (random.chance(0.5)) {
          const bytes = write.bytes.subarray(from - write.offset, to - write.offset);
          this.#durable.apply({ offset: from, bytes });
        }
        from = to;
      }
    }
  }
}
