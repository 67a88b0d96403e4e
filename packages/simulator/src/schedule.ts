import type { Unit } from "./worker-pool.ts";

/** Hands out the seeds of a command unit by unit and says when a slice of them is whole. */
export class Schedule {
  readonly #slices: Iterator<Unit>;
  readonly #unitSeeds: number;
  readonly #open = new Map<number, { readonly slice: Unit; left: number }>();
  #slice: Unit | null = null;
  #at = 0;

  constructor(slices: Iterable<Unit>, unitSeeds: number) {
    this.#slices = slices[Symbol.iterator]();
    this.#unitSeeds = unitSeeds;
  }

  /** The next seeds to run, or null. */
  next(): Unit | null {
    if (this.#slice === null || this.#at === this.#slice.count) {
      const { value, done } = this.#slices.next();
      if (done === true) return null;
      const slice: Unit = value;
      this.#slice = slice;
      this.#at = 0;
      this.#open.set(slice.from, { slice, left: slice.count });
    }
    const { from, count } = this.#slice;
    const unit = { from: from + this.#at, count: Math.min(this.#unitSeeds, count - this.#at) };
    this.#at += unit.count;
    return unit;
  }

  /** The slice that a finished part belongs to. */
  sliceOf({ from }: Unit): Unit {
    for (const { slice } of this.#open.values()) {
      if (from >= slice.from && from < slice.from + slice.count) return slice;
    }
    throw new RangeError(`seed ${from} was not handed out`);
  }

  /** Marks a part as finished; true when nothing of its slice is left. */
  finish(part: Unit): boolean {
    const { from } = this.sliceOf(part);
    const open = this.#open.get(from);
    if (open === undefined) return false;
    open.left -= part.count;
    if (open.left > 0) return false;
    this.#open.delete(from);
    return true;
  }
}

/** Cuts the seeds of a command into slices; the last one may be shorter. */
export function* sliceSeeds(from: number, count: number, sliceSeedCount: number): Generator<Unit> {
  const end = from + count;
  for (let at = from; at < end; at += sliceSeedCount) {
    yield { from: at, count: Math.min(sliceSeedCount, end - at) };
  }
}
