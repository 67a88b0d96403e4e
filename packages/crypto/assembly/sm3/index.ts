/*
 * SM3 (GB/T 32905-2016) of four messages at once: each register of the compression is a vector
 * whose lane i belongs to message i.
 */

/** Messages side by side. */
const LANES: usize = 4;
const BLOCK: usize = 64;
/** Bytes of a message with its padding that a lane has room for. */
const LANE: usize = 4096;

const room = memory.data(16384, 16);
const digests = memory.data(128, 16);
/** Message expansion, 68 vectors. */
const expanded = memory.data(1088, 16);
/** The chaining value, 8 vectors. */
const state = memory.data(128, 16);

/** §4.1, the initial value. */
const INITIAL = memory.data<u32>([
  0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e,
]);
/** §4.2: T(j) <<< (j mod 32), set by the first call. */
const constants = memory.data(256, 16);

// @ts-ignore: decorator
@inline
function turned(x: v128, by: i32): v128 {
  return v128.or(i32x4.shl(x, by), i32x4.shr_u(x, 32 - by));
}

// @ts-ignore: decorator
@inline
function word(j: usize): v128 {
  return v128.load(expanded + (j << 4));
}

/** Sixteen bytes as four words, big-endian. */
// @ts-ignore: decorator
@inline
function words(at: usize): v128 {
  const bytes = v128.load(at);
  return v128.shuffle<u8>(bytes, bytes, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}

/** Turns four vectors of one message each into four of one word each; and back. */
// @ts-ignore: decorator
@inline
function transpose(to: usize, m0: v128, m1: v128, m2: v128, m3: v128): void {
  const low01 = v128.shuffle<u32>(m0, m1, 0, 4, 1, 5);
  const low23 = v128.shuffle<u32>(m2, m3, 0, 4, 1, 5);
  const high01 = v128.shuffle<u32>(m0, m1, 2, 6, 3, 7);
  const high23 = v128.shuffle<u32>(m2, m3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<u64>(low01, low23, 0, 2));
  v128.store(to, v128.shuffle<u64>(low01, low23, 1, 3), 16);
  v128.store(to, v128.shuffle<u64>(high01, high23, 0, 2), 32);
  v128.store(to, v128.shuffle<u64>(high01, high23, 1, 3), 48);
}

/** §5.3.2: the expansion of one block of each message. */
function expand(block: usize): void {
  for (let i: usize = 0; i < 4; i++) {
    const at = block + (i << 4);
    transpose(
      expanded + (i << 6),
      words(at),
      words(at + LANE),
      words(at + 2 * LANE),
      words(at + 3 * LANE),
    );
  }
  for (let j: usize = 16; j < 68; j++) {
    const x = v128.xor(v128.xor(word(j - 16), word(j - 9)), turned(word(j - 3), 15));
    const p1 = v128.xor(v128.xor(x, turned(x, 15)), turned(x, 23));
    const next = v128.xor(v128.xor(p1, turned(word(j - 13), 7)), word(j - 6));
    v128.store(expanded + (j << 4), next);
  }
}

/** SS1 of round j: ((A <<< 12) + E + (T(j) <<< j)) <<< 7. */
// @ts-ignore: decorator
@inline
function ss1Of(j: usize, a12: v128, e: v128): v128 {
  const t = v128.load32_splat(constants + (j << 2));
  return turned(i32x4.add(i32x4.add(a12, e), t), 7);
}

/** TT1: FF + D + SS2 + W'(j). */
// @ts-ignore: decorator
@inline
function tt1Of(j: usize, ff: v128, d: v128, ss1: v128, a12: v128): v128 {
  const sum = i32x4.add(i32x4.add(ff, d), v128.xor(ss1, a12));
  return i32x4.add(sum, v128.xor(word(j), word(j + 4)));
}

/** P0(TT2), where TT2 = GG + H + SS1 + W(j). */
// @ts-ignore: decorator
@inline
function newEOf(j: usize, gg: v128, h: v128, ss1: v128): v128 {
  const tt2 = i32x4.add(i32x4.add(gg, h), i32x4.add(ss1, word(j)));
  return v128.xor(v128.xor(tt2, turned(tt2, 9)), turned(tt2, 17));
}

// @ts-ignore: decorator
@inline
function parity(x: v128, y: v128, z: v128): v128 {
  return v128.xor(v128.xor(x, y), z);
}

/** Where x and y agree they are the majority, elsewhere z is. */
// @ts-ignore: decorator
@inline
function majority(x: v128, y: v128, z: v128): v128 {
  return v128.bitselect(z, x, v128.xor(x, y));
}

/** §5.3.3: one compression of a block of each message. */
function compress(block: usize): void {
  expand(block);
  let a = v128.load(state);
  let b = v128.load(state, 16);
  let c = v128.load(state, 32);
  let d = v128.load(state, 48);
  let e = v128.load(state, 64);
  let f = v128.load(state, 80);
  let g = v128.load(state, 96);
  let h = v128.load(state, 112);
  for (let j: usize = 0; j < 16; j++) {
    const a12 = turned(a, 12);
    const ss1 = ss1Of(j, a12, e);
    const tt1 = tt1Of(j, parity(a, b, c), d, ss1, a12);
    const newE = newEOf(j, parity(e, f, g), h, ss1);
    d = c;
    c = turned(b, 9);
    b = a;
    a = tt1;
    h = g;
    g = turned(f, 19);
    f = e;
    e = newE;
  }
  for (let j: usize = 16; j < 64; j++) {
    const a12 = turned(a, 12);
    const ss1 = ss1Of(j, a12, e);
    const tt1 = tt1Of(j, majority(a, b, c), d, ss1, a12);
    const newE = newEOf(j, v128.bitselect(f, g, e), h, ss1);
    d = c;
    c = turned(b, 9);
    b = a;
    a = tt1;
    h = g;
    g = turned(f, 19);
    f = e;
    e = newE;
  }
  v128.store(state, v128.xor(v128.load(state), a));
  v128.store(state, v128.xor(v128.load(state, 16), b), 16);
  v128.store(state, v128.xor(v128.load(state, 32), c), 32);
  v128.store(state, v128.xor(v128.load(state, 48), d), 48);
  v128.store(state, v128.xor(v128.load(state, 64), e), 64);
  v128.store(state, v128.xor(v128.load(state, 80), f), 80);
  v128.store(state, v128.xor(v128.load(state, 96), g), 96);
  v128.store(state, v128.xor(v128.load(state, 112), h), 112);
}

/** Words 4·half to 4·half + 3 of the four digests. */
function putHalf(half: usize): void {
  const from = state + (half << 6);
  transpose(
    expanded,
    v128.load(from),
    v128.load(from, 16),
    v128.load(from, 32),
    v128.load(from, 48),
  );
  for (let lane: usize = 0; lane < LANES; lane++) {
    v128.store(digests + (lane << 5) + (half << 4), words(expanded + (lane << 4)));
  }
}

/** Where the messages stand, with their padding: `laneBytes` apart. */
export function roomAddress(): usize {
  return room;
}

/** Bytes of a message with its padding that there is room for. */
export function laneBytes(): usize {
  return LANE;
}

/** Where the four digests are put, 32 bytes each. */
export function digestsAddress(): usize {
  return digests;
}

/** Digests of the four messages at `roomAddress`, each of `blocks` blocks with its padding. */
export function hash(blocks: usize): void {
  if (load<u32>(constants) == 0) {
    for (let j: u32 = 0; j < 64; j++) {
      const t: u32 = j < 16 ? 0x79cc4519 : 0x7a879d8a;
      store<u32>(constants + (j << 2), rotl<u32>(t, j));
    }
  }
  for (let i: usize = 0; i < 8; i++) {
    v128.store(state + (i << 4), v128.load32_splat(INITIAL + (i << 2)));
  }
  for (let i: usize = 0; i < blocks; i++) compress(room + i * BLOCK);
  putHalf(0);
  putHalf(1);
}
