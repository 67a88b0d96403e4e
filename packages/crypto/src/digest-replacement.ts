/** A digest of bytes given in parts, which count as one string: 32 bytes of their own. */
export type DigestOfParts = (first: Uint8Array, parts: readonly Uint8Array[]) => Uint8Array;

/** What stands in for SM3 in this process; null, as in every node: nothing does. */
let replacement: DigestOfParts | null = null;

/** Digests made before do not change: a simulation replaces first and then makes its chain. */
export function replaceDigest(digest: DigestOfParts | null): void {
  replacement = digest;
}

/** What `replaceDigest` was called with last. */
export function digestReplacement(): DigestOfParts | null {
  return replacement;
}
