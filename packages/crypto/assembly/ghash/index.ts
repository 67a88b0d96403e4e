/*
 * GHASH in constant time: no branch and no address depends on the hash key or on the data.
 *
 * Polynomials over GF(2) are multiplied by integer multiplication of numbers that have three zero
 * bits between any two that count. At most fifteen products of one bit add up at a place, which
 * four bits hold, so that no carry reaches the next place that counts; sixteen do at the last one,
 * whose carry leaves the word. The upper half of a product is the lower half of the product of the
 * mirrored factors, mirrored. See NIST SP 800-38D §6.3 and 6.4; the way is that of BearSSL's
 * "ctmul64" (T. Pornin).
 *
 * A block is two words, the first eight bytes in the upper one, both read big-endian.
 */

/** Bytes of a block. */
const BLOCK: usize = 16;

/** H ‖ Y, then as many bytes of data as `absorb` takes at once. */
const state = memory.data(32, 16);

/** Bytes of data that stand in memory at once. */
const ROOM: usize = 65536;
const room = memory.data(65536, 16);

/** The lower 64 bits of the product of two polynomials. */
// @ts-ignore: decorator
@inline
function product(x: u64, y: u64): u64 {
  const x0 = x & 0x1111111111111111;
  const x1 = x & 0x2222222222222222;
  const x2 = x & 0x4444444444444444;
  const x3 = x & 0x8888888888888888;
  const y0 = y & 0x1111111111111111;
  const y1 = y & 0x2222222222222222;
  const y2 = y & 0x4444444444444444;
  const y3 = y & 0x8888888888888888;
  const z0 = (x0 * y0) ^ (x1 * y3) ^ (x2 * y2) ^ (x3 * y1);
  const z1 = (x0 * y1) ^ (x1 * y0) ^ (x2 * y3) ^ (x3 * y2);
  const z2 = (x0 * y2) ^ (x1 * y1) ^ (x2 * y0) ^ (x3 * y3);
  const z3 = (x0 * y3) ^ (x1 * y2) ^ (x2 * y1) ^ (x3 * y0);
  return (
    (z0 & 0x1111111111111111) |
    (z1 & 0x2222222222222222) |
    (z2 & 0x4444444444444444) |
    (z3 & 0x8888888888888888)
  );
}

/** The 64 bits in the opposite order. */
// @ts-ignore: decorator
@inline
function mirror(x: u64): u64 {
  x = ((x & 0x5555555555555555) << 1) | ((x >> 1) & 0x5555555555555555);
  x = ((x & 0x3333333333333333) << 2) | ((x >> 2) & 0x3333333333333333);
  x = ((x & 0x0f0f0f0f0f0f0f0f) << 4) | ((x >> 4) & 0x0f0f0f0f0f0f0f0f);
  return bswap<u64>(x);
}

/** Where H (16 bytes) and Y (16 bytes) stand. */
export function stateAddress(): usize {
  return state;
}

/** Where data is put for `absorb`: `roomBytes` at the most. */
export function roomAddress(): usize {
  return room;
}

/** Bytes that fit there. */
export function roomBytes(): usize {
  return ROOM;
}

/** Y ← (Y ⊕ block) · H for each of `blocks` blocks at `roomAddress`. */
export function absorb(blocks: usize): void {
  const h1 = bswap<u64>(load<u64>(state));
  const h0 = bswap<u64>(load<u64>(state, 8));
  const h2 = h0 ^ h1;
  const h0m = mirror(h0);
  const h1m = mirror(h1);
  const h2m = h0m ^ h1m;
  let y1 = bswap<u64>(load<u64>(state, 16));
  let y0 = bswap<u64>(load<u64>(state, 24));
  for (let at = room, end = room + blocks * BLOCK; at < end; at += BLOCK) {
    y1 ^= bswap<u64>(load<u64>(at));
    y0 ^= bswap<u64>(load<u64>(at, 8));
    const y0m = mirror(y0);
    const y1m = mirror(y1);

    // Karatsuba: three products of 64 bits by 64, each of them twice for its two halves.
    const low = product(y0, h0);
    const high = product(y1, h1);
    const middle = product(y0 ^ y1, h2) ^ low ^ high;
    const lowM = product(y0m, h0m);
    const highM = product(y1m, h1m);
    const middleM = product(y0m ^ y1m, h2m) ^ lowM ^ highM;

    let v0 = low;
    let v1 = (mirror(lowM) >> 1) ^ middle;
    let v2 = high ^ (mirror(middleM) >> 1);
    let v3 = mirror(highM) >> 1;

    // GCM writes the bits of a block from the left: the product is one place too far to the right.
    v3 = (v3 << 1) | (v2 >> 63);
    v2 = (v2 << 1) | (v1 >> 63);
    v1 = (v1 << 1) | (v0 >> 63);
    v0 = v0 << 1;

    // Modulo x^128 + x^7 + x^2 + x + 1, two words at a time.
    v2 ^= v0 ^ (v0 >> 1) ^ (v0 >> 2) ^ (v0 >> 7);
    v1 ^= (v0 << 63) ^ (v0 << 62) ^ (v0 << 57);
    v3 ^= v1 ^ (v1 >> 1) ^ (v1 >> 2) ^ (v1 >> 7);
    v2 ^= (v1 << 63) ^ (v1 << 62) ^ (v1 << 57);
    y0 = v2;
    y1 = v3;
  }
  store<u64>(state, bswap<u64>(y1), 16);
  store<u64>(state, bswap<u64>(y0), 24);
}
