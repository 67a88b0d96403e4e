/** GHASH in plain TypeScript: for machines without WebAssembly, and to test the kernel against. */

/**
 * y ← (y ⊕ block) · h in GF(2^128), bit by bit with masks, so that the time taken does not depend
 * on the hash key or the data (a table would be faster and leak through the cache).
 * @see NIST SP 800-38D §6.3
 */
function absorb(y: Int32Array, h: Int32Array, block: DataView, at: number): void {
  const x = [0, 1, 2, 3].map((i) => (y[i] ?? 0) ^ block.getInt32(at + 4 * i));
  let [v0 = 0, v1 = 0, v2 = 0, v3 = 0] = h;
  let z0 = 0;
  let z1 = 0;
  let z2 = 0;
  let z3 = 0;
  for (const word of x) {
    for (let bit = 31; bit >= 0; bit--) {
      const take = -((word >>> bit) & 1);
      z0 ^= v0 & take;
      z1 ^= v1 & take;
      z2 ^= v2 & take;
      z3 ^= v3 & take;
      const reduce = -(v3 & 1) & 0xe1000000;
      v3 = (v3 >>> 1) | (v2 << 31);
      v2 = (v2 >>> 1) | (v1 << 31);
      v1 = (v1 >>> 1) | (v0 << 31);
      v0 = (v0 >>> 1) ^ reduce;
    }
  }
  y[0] = z0;
  y[1] = z1;
  y[2] = z2;
  y[3] = z3;
}

const BLOCK_BYTES = 16;

/** GHASH under a hash key (16 bytes) over parts, each padded with zeros to whole blocks. */
export function ghashMasked(hashKey: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  const view = new DataView(hashKey.buffer, hashKey.byteOffset, BLOCK_BYTES);
  const h = Int32Array.from([0, 4, 8, 12], (at) => view.getInt32(at));
  const y = new Int32Array(4);
  for (const part of parts) {
    const padded = new Uint8Array(Math.ceil(part.length / BLOCK_BYTES) * BLOCK_BYTES);
    padded.set(part);
    const blocks = new DataView(padded.buffer);
    for (let at = 0; at < padded.length; at += BLOCK_BYTES) absorb(y, h, blocks, at);
  }
  const digest = new Uint8Array(BLOCK_BYTES);
  const out = new DataView(digest.buffer);
  y.forEach((word, i) => {
    out.setInt32(4 * i, word);
  });
  return digest;
}
