/* SM3 (GB/T 32905-2016). */

/** §4.1, the initial value. */
const INITIAL = memory.data<u32>([
  0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e,
]);

const state = memory.data(32, 8);
/** Message expansion, 68 words. */
const expanded = memory.data(68 * 4, 8);
/** The rest of a message with its padding: one block or two. */
const rest = memory.data(128, 8);
const BLOCK: usize = 64;

// @ts-ignore: decorator
@inline
function word(j: usize): u32 {
  return load<u32>(expanded + (j << 2));
}

function expand(block: usize): void {
  for (let j: usize = 0; j < 16; j++) {
    store<u32>(expanded + (j << 2), bswap<u32>(load<u32>(block + (j << 2))));
  }
  for (let j: usize = 16; j < 68; j++) {
    const x = word(j - 16) ^ word(j - 9) ^ rotl<u32>(word(j - 3), 15);
    const p1 = x ^ rotl<u32>(x, 15) ^ rotl<u32>(x, 23);
    store<u32>(expanded + (j << 2), p1 ^ rotl<u32>(word(j - 13), 7) ^ word(j - 6));
  }
}

/** §5.3.3: one compression of 64 bytes into the state. */
function compress(block: usize): void {
  expand(block);
  let a = load<u32>(state);
  let b = load<u32>(state, 4);
  let c = load<u32>(state, 8);
  let d = load<u32>(state, 12);
  let e = load<u32>(state, 16);
  let f = load<u32>(state, 20);
  let g = load<u32>(state, 24);
  let h = load<u32>(state, 28);
  for (let j: usize = 0; j < 64; j++) {
    const isFirst = j < 16;
    const a12 = rotl<u32>(a, 12);
    const constant: u32 = isFirst ? 0x79cc4519 : 0x7a879d8a;
    const ss1 = rotl<u32>(a12 + e + rotl<u32>(constant, <u32>j), 7);
    const ff = isFirst ? a ^ b ^ c : (a & b) | (c & (a | b));
    const gg = isFirst ? e ^ f ^ g : g ^ (e & (f ^ g));
    const tt1 = ff + d + (ss1 ^ a12) + (word(j) ^ word(j + 4));
    const tt2 = gg + h + ss1 + word(j);
    d = c;
    c = rotl<u32>(b, 9);
    b = a;
    a = tt1;
    h = g;
    g = rotl<u32>(f, 19);
    f = e;
    e = tt2 ^ rotl<u32>(tt2, 9) ^ rotl<u32>(tt2, 17);
  }
  store<u32>(state, load<u32>(state) ^ a);
  store<u32>(state, load<u32>(state, 4) ^ b, 4);
  store<u32>(state, load<u32>(state, 8) ^ c, 8);
  store<u32>(state, load<u32>(state, 12) ^ d, 12);
  store<u32>(state, load<u32>(state, 16) ^ e, 16);
  store<u32>(state, load<u32>(state, 20) ^ f, 20);
  store<u32>(state, load<u32>(state, 24) ^ g, 24);
  store<u32>(state, load<u32>(state, 28) ^ h, 28);
}

/** out = SM3 of `length` bytes, 32 of them. `out` may lie in the message. */
export function digest(out: usize, message: usize, length: usize): void {
  memory.copy(state, INITIAL, 32);
  const whole = length & ~(BLOCK - 1);
  for (let at: usize = 0; at < whole; at += BLOCK) compress(message + at);
  const left = length - whole;
  memory.fill(rest, 0, 2 * BLOCK);
  memory.copy(rest, message + whole, left);
  store<u8>(rest + left, 0x80);
  const end: usize = left + 9 <= BLOCK ? BLOCK : 2 * BLOCK;
  store<u64>(rest + end - 8, bswap<u64>(<u64>length << 3));
  for (let at: usize = 0; at < end; at += BLOCK) compress(rest + at);
  for (let i: usize = 0; i < 32; i += 4) store<u32>(out + i, bswap<u32>(load<u32>(state + i)));
}
