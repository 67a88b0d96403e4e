/** SM3 in plain TypeScript (GB/T 32905-2016): all of the browser door, short messages of Node's. */

import type { Sm3 } from "../platform.ts";

const BLOCK_BYTES = 64;

/** GB/T 32905 §4.1, the initial value. */
const INITIAL: Int32Array = Int32Array.from([
  0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e,
]);

/** GB/T 32905 §4.2: T(j) <<< (j mod 32), computed once. */
const ROUND = Int32Array.from({ length: 64 }, (_, j) => {
  const constant = j < 16 ? 0x79cc4519 : 0x7a879d8a;
  const shift = j % 32;
  return shift === 0 ? constant : (constant << shift) | (constant >>> (32 - shift));
});

// Message expansion of the compression in progress. Compression is synchronous and never
// re-entered, so one buffer serves every computation of this thread.
const W = new Int32Array(68);

/** Reads past the end cannot happen: every index below is bounded by the loops around it. */
function word(words: Int32Array, index: number): number {
  return words[index] as number;
}

function expand(block: Uint8Array, offset: number): void {
  for (let j = 0, at = offset; j < 16; j++, at += 4) {
    W[j] =
      ((block[at] as number) << 24) |
      ((block[at + 1] as number) << 16) |
      ((block[at + 2] as number) << 8) |
      (block[at + 3] as number);
  }
  for (let j = 16; j < 68; j++) {
    const w3 = word(W, j - 3);
    const w13 = word(W, j - 13);
    const x = word(W, j - 16) ^ word(W, j - 9) ^ ((w3 << 15) | (w3 >>> 17));
    // P1(x) = x ^ (x <<< 15) ^ (x <<< 23)
    W[j] =
      x ^
      ((x << 15) | (x >>> 17)) ^
      ((x << 23) | (x >>> 9)) ^
      ((w13 << 7) | (w13 >>> 25)) ^
      word(W, j - 6);
  }
}

/** The registers A to H between the two kinds of rounds. */
const V = new Int32Array(8);

/*
 * Four rounds stand in a row, each with the registers renamed instead of moved: A of a round is
 * the TT1 that the round before put where its D was, E the P0(TT2) that it put where its H was.
 * P0(x) = x ^ (x <<< 9) ^ (x <<< 17).
 */

/** Rounds 0 to 15: FF and GG are parities. */
function firstRounds(state: Int32Array): void {
  let a = word(state, 0);
  let b = word(state, 1);
  let c = word(state, 2);
  let d = word(state, 3);
  let e = word(state, 4);
  let f = word(state, 5);
  let g = word(state, 6);
  let h = word(state, 7);
  let a12 = 0;
  let ss1 = 0;
  let wj = 0;
  let tt2 = 0;
  for (let j = 0; j < 16; j += 4) {
    a12 = (a << 12) | (a >>> 20);
    ss1 = (a12 + e + word(ROUND, j)) | 0;
    ss1 = (ss1 << 7) | (ss1 >>> 25);
    wj = word(W, j);
    d = (d + (a ^ b ^ c) + (ss1 ^ a12) + (wj ^ word(W, j + 4))) | 0;
    tt2 = (h + (e ^ f ^ g) + ss1 + wj) | 0;
    b = (b << 9) | (b >>> 23);
    f = (f << 19) | (f >>> 13);
    h = tt2 ^ ((tt2 << 9) | (tt2 >>> 23)) ^ ((tt2 << 17) | (tt2 >>> 15));
    a12 = (d << 12) | (d >>> 20);
    ss1 = (a12 + h + word(ROUND, j + 1)) | 0;
    ss1 = (ss1 << 7) | (ss1 >>> 25);
    wj = word(W, j + 1);
    c = (c + (d ^ a ^ b) + (ss1 ^ a12) + (wj ^ word(W, j + 5))) | 0;
    tt2 = (g + (h ^ e ^ f) + ss1 + wj) | 0;
    a = (a << 9) | (a >>> 23);
    e = (e << 19) | (e >>> 13);
    g = tt2 ^ ((tt2 << 9) | (tt2 >>> 23)) ^ ((tt2 << 17) | (tt2 >>> 15));
    a12 = (c << 12) | (c >>> 20);
    ss1 = (a12 + g + word(ROUND, j + 2)) | 0;
    ss1 = (ss1 << 7) | (ss1 >>> 25);
    wj = word(W, j + 2);
    b = (b + (c ^ d ^ a) + (ss1 ^ a12) + (wj ^ word(W, j + 6))) | 0;
    tt2 = (f + (g ^ h ^ e) + ss1 + wj) | 0;
    d = (d << 9) | (d >>> 23);
    h = (h << 19) | (h >>> 13);
    f = tt2 ^ ((tt2 << 9) | (tt2 >>> 23)) ^ ((tt2 << 17) | (tt2 >>> 15));
    a12 = (b << 12) | (b >>> 20);
    ss1 = (a12 + f + word(ROUND, j + 3)) | 0;
    ss1 = (ss1 << 7) | (ss1 >>> 25);
    wj = word(W, j + 3);
    a = (a + (b ^ c ^ d) + (ss1 ^ a12) + (wj ^ word(W, j + 7))) | 0;
    tt2 = (e + (f ^ g ^ h) + ss1 + wj) | 0;
    c = (c << 9) | (c >>> 23);
    g = (g << 19) | (g >>> 13);
    e = tt2 ^ ((tt2 << 9) | (tt2 >>> 23)) ^ ((tt2 << 17) | (tt2 >>> 15));
  }
  V[0] = a;
  V[1] = b;
  V[2] = c;
  V[3] = d;
  V[4] = e;
  V[5] = f;
  V[6] = g;
  V[7] = h;
}

/** Rounds 16 to 63: FF is the majority of A, B, C, and GG chooses F or G by E. */
function lastRounds(state: Int32Array): void {
  let a = word(V, 0);
  let b = word(V, 1);
  let c = word(V, 2);
  let d = word(V, 3);
  let e = word(V, 4);
  let f = word(V, 5);
  let g = word(V, 6);
  let h = word(V, 7);
  let a12 = 0;
  let ss1 = 0;
  let wj = 0;
  let tt2 = 0;
  for (let j = 16; j < 64; j += 4) {
    a12 = (a << 12) | (a >>> 20);
    ss1 = (a12 + e + word(ROUND, j)) | 0;
    ss1 = (ss1 << 7) | (ss1 >>> 25);
    wj = word(W, j);
    d = (d + ((a & b) | (c & (a | b))) + (ss1 ^ a12) + (wj ^ word(W, j + 4))) | 0;
    tt2 = (h + (g ^ (e & (f ^ g))) + ss1 + wj) | 0;
    b = (b << 9) | (b >>> 23);
    f = (f << 19) | (f >>> 13);
    h = tt2 ^ ((tt2 << 9) | (tt2 >>> 23)) ^ ((tt2 << 17) | (tt2 >>> 15));
    a12 = (d << 12) | (d >>> 20);
    ss1 = (a12 + h + word(ROUND, j + 1)) | 0;
    ss1 = (ss1 << 7) | (ss1 >>> 25);
    wj = word(W, j + 1);
    c = (c + ((d & a) | (b & (d | a))) + (ss1 ^ a12) + (wj ^ word(W, j + 5))) | 0;
    tt2 = (g + (f ^ (h & (e ^ f))) + ss1 + wj) | 0;
    a = (a << 9) | (a >>> 23);
    e = (e << 19) | (e >>> 13);
    g = tt2 ^ ((tt2 << 9) | (tt2 >>> 23)) ^ ((tt2 << 17) | (tt2 >>> 15));
    a12 = (c << 12) | (c >>> 20);
    ss1 = (a12 + g + word(ROUND, j + 2)) | 0;
    ss1 = (ss1 << 7) | (ss1 >>> 25);
    wj = word(W, j + 2);
    b = (b + ((c & d) | (a & (c | d))) + (ss1 ^ a12) + (wj ^ word(W, j + 6))) | 0;
    tt2 = (f + (e ^ (g & (h ^ e))) + ss1 + wj) | 0;
    d = (d << 9) | (d >>> 23);
    h = (h << 19) | (h >>> 13);
    f = tt2 ^ ((tt2 << 9) | (tt2 >>> 23)) ^ ((tt2 << 17) | (tt2 >>> 15));
    a12 = (b << 12) | (b >>> 20);
    ss1 = (a12 + f + word(ROUND, j + 3)) | 0;
    ss1 = (ss1 << 7) | (ss1 >>> 25);
    wj = word(W, j + 3);
    a = (a + ((b & c) | (d & (b | c))) + (ss1 ^ a12) + (wj ^ word(W, j + 7))) | 0;
    tt2 = (e + (h ^ (f & (g ^ h))) + ss1 + wj) | 0;
    c = (c << 9) | (c >>> 23);
    g = (g << 19) | (g >>> 13);
    e = tt2 ^ ((tt2 << 9) | (tt2 >>> 23)) ^ ((tt2 << 17) | (tt2 >>> 15));
  }
  state[0] = word(state, 0) ^ a;
  state[1] = word(state, 1) ^ b;
  state[2] = word(state, 2) ^ c;
  state[3] = word(state, 3) ^ d;
  state[4] = word(state, 4) ^ e;
  state[5] = word(state, 5) ^ f;
  state[6] = word(state, 6) ^ g;
  state[7] = word(state, 7) ^ h;
}

/** GB/T 32905 §5.3.3: one compression of 64 bytes at `offset` into `state`. */
function compress(state: Int32Array, block: Uint8Array, offset: number): void {
  expand(block, offset);
  firstRounds(state);
  lastRounds(state);
}

const finalBlocks = new Uint8Array(2 * BLOCK_BYTES);

/**
 * Ends a message of `length` bytes, of which the last `rest` (fewer than two blocks with the
 * padding) stand in `finalBlocks`, and returns the digest.
 */
function finish(state: Int32Array, rest: number, length: number): Uint8Array {
  const end = rest + PADDING_BYTES <= BLOCK_BYTES ? BLOCK_BYTES : 2 * BLOCK_BYTES;
  finalBlocks[rest] = 0x80;
  finalBlocks.fill(0, rest + 1, end - 8);
  putWord(finalBlocks, end - 8, Math.floor(length / 0x2000_0000));
  putWord(finalBlocks, end - 4, length * 8);
  for (let at = 0; at < end; at += BLOCK_BYTES) compress(state, finalBlocks, at);
  const digest = new Uint8Array(32);
  for (let i = 0; i < 8; i++) putWord(digest, 4 * i, word(state, i));
  return digest;
}

function putWord(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
}

/** One bit and the length: what every message is padded with at least. */
const PADDING_BYTES = 9;
/** Longest message that `sm3OfParts` takes: two blocks with the padding. */
export const MAX_SHORT_BYTES = 2 * BLOCK_BYTES - PADDING_BYTES;

const NO_PARTS: readonly Uint8Array[] = [];

// State of the one-shot digest in progress, for the same reason as `W`.
const shortState = new Int32Array(8);

/**
 * SM3 of a short message given in parts, which are not put together first: 32 bytes.
 * Together they have at most `MAX_SHORT_BYTES`.
 */
export function sm3OfParts(first: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  finalBlocks.set(first);
  let at = first.length;
  for (const part of parts) {
    finalBlocks.set(part, at);
    at += part.length;
  }
  for (let i = 0; i < 8; i++) shortState[i] = word(INITIAL, i);
  if (at < BLOCK_BYTES) return finish(shortState, at, at);
  compress(shortState, finalBlocks, 0);
  finalBlocks.copyWithin(0, BLOCK_BYTES, at);
  return finish(shortState, at - BLOCK_BYTES, at);
}

/** SM3 of a whole message: 32 bytes. @see GB/T 32905-2016 */
export function sm3(data: Uint8Array): Uint8Array {
  if (data.length <= MAX_SHORT_BYTES) return sm3OfParts(data, NO_PARTS);
  const state = Int32Array.from(INITIAL);
  const whole = data.length - (data.length % BLOCK_BYTES);
  for (let at = 0; at < whole; at += BLOCK_BYTES) compress(state, data, at);
  finalBlocks.set(data.subarray(whole));
  return finish(state, data.length - whole, data.length);
}

/** SM3 in pieces, with a copy of the state for HMAC's two fixed prefixes. */
export class Sm3State implements Sm3 {
  readonly #state: Int32Array;
  readonly #pending = new Uint8Array(BLOCK_BYTES);
  #pendingBytes = 0;
  #length = 0;

  constructor(state: ArrayLike<number> = INITIAL) {
    this.#state = Int32Array.from(state);
  }

  update(data: Uint8Array): this {
    this.#length += data.length;
    let at = 0;
    if (this.#pendingBytes > 0) {
      at = Math.min(BLOCK_BYTES - this.#pendingBytes, data.length);
      this.#pending.set(data.subarray(0, at), this.#pendingBytes);
      this.#pendingBytes += at;
      if (this.#pendingBytes < BLOCK_BYTES) return this;
      compress(this.#state, this.#pending, 0);
      this.#pendingBytes = 0;
    }
    for (; at + BLOCK_BYTES <= data.length; at += BLOCK_BYTES) compress(this.#state, data, at);
    this.#pending.set(data.subarray(at));
    this.#pendingBytes = data.length - at;
    return this;
  }

  digest(): Uint8Array {
    finalBlocks.set(this.#pending);
    return finish(this.#state, this.#pendingBytes, this.#length);
  }

  /** An independent computation that has seen the same bytes. */
  clone(): Sm3State {
    const copy = new Sm3State(this.#state);
    copy.#pending.set(this.#pending);
    copy.#pendingBytes = this.#pendingBytes;
    copy.#length = this.#length;
    return copy;
  }
}

/** Starts an SM3 computation that takes its message in pieces. */
export function createSm3(): Sm3 {
  return new Sm3State();
}
