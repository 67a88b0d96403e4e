/*
 * The kernel of SM2 verification. It keeps no secret and takes none: public keys, signatures and
 * messages go in, yes or no comes out. All addresses are of this memory; `memory.grow` is its user's.
 */
import { answers, items, verifyBatch as verifyItems } from "./batch";
import { digest as sm3 } from "./sm3";
import { TABLE } from "./tables";
import {
  buildKeyTable,
  prepare as prepareBase,
  readPoint,
  verifyKnown as verifyWith,
  verifyCold as verifyWithout,
} from "./verify";

/** Makes the table of G: before anything else, once. */
export function prepare(): void {
  prepareBase();
}

/** First byte that the kernel does not use itself. */
export function heapBase(): usize {
  return (__heap_base + 63) & ~63;
}

/** Bytes of a key's table. */
export function tableBytes(): usize {
  return TABLE;
}

/** Where `verifyBatch` reads its items: 100 bytes each, 64 at most. */
export function itemsAddress(): usize {
  return items;
}

/** Where `verifyBatch` puts its answers, one byte each. */
export function answersAddress(): usize {
  return answers;
}

/** Takes x ‖ y, 64 bytes, for `buildTable` and `verifyCold`. @returns whether it is on the curve. */
export function setKey(bytes: usize): bool {
  return readPoint(bytes);
}

/** Builds the table of the key that was set. */
export function buildTable(table: usize): void {
  buildKeyTable(table);
}

/** SM3. */
export function digest(out: usize, message: usize, length: usize): void {
  sm3(out, message, length);
}

/** Whether r ‖ s signs the digest under the key of the table. */
export function verifyKnown(table: usize, signature: usize, hash: usize): bool {
  return verifyWith(table, signature, hash);
}

/** The same under the key that was set, without a table. */
export function verifyCold(signature: usize, hash: usize): bool {
  return verifyWithout(signature, hash);
}

/** Verifies the first `count` items. */
export function verifyBatch(count: i32): void {
  verifyItems(count);
}
