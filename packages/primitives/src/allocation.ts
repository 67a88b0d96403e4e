/** Bytes of a slab, and the most that is cut from one. */
const SLAB_BYTES = 64 * 1024;
const MAX_CUT_BYTES = 4 * 1024;

let slab: ArrayBuffer | null = null;
let slabAt = 0;

/**
 * From now on small byte arrays are views on large slabs, or in memory of their own again: what a
 * simulator says once, and no node. V8 takes ten times as long for a buffer as for a view; but one
 * small array that is kept would keep a whole slab, for years.
 */
export function cutFromSlabs(cut: boolean): void {
  slab = cut ? new ArrayBuffer(SLAB_BYTES) : null;
  slabAt = 0;
}

/** Zeros; in a node in memory of their own. */
export function allocateBytes(length: number): Uint8Array {
  if (slab === null || length > MAX_CUT_BYTES) return new Uint8Array(length);
  if (slabAt + length > SLAB_BYTES) {
    slab = new ArrayBuffer(SLAB_BYTES);
    slabAt = 0;
  }
  const bytes = new Uint8Array(slab, slabAt, length);
  slabAt += length;
  return bytes;
}

/** A copy of the bytes from `from` to `to`, as `allocateBytes` makes them. */
export function copyBytes(bytes: Uint8Array, from = 0, to = bytes.length): Uint8Array {
  if (slab === null) return bytes.slice(from, to);
  const copy = allocateBytes(to - from);
  if (to - from === bytes.length) copy.set(bytes);
  else copy.set(bytes.subarray(from, to));
  return copy;
}
