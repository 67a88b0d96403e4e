/** SM3 in plain TypeScript (GB/T 32905-2016), for the browser door. */

import type { Sm3 } from "../platform.ts";

const BLOCK_BYTES = 64;

/** GB/T 32905 §4.1, the initial value. */
const INITIAL = [
  0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e,
] as const;

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

/** GB/T 32905 §5.3.3: one compression of 64 bytes at `offset` into `state`. */
function compress(state: Int32Array, block: Uint8Array, offset: number): void {
  expand(block, offset);
  let a = word(state, 0);
  let b = word(state, 1);
  let c = word(state, 2);
  let d = word(state, 3);
  let e = word(state, 4);
  let f = word(state, 5);
  let g = word(state, 6);
  let h = word(state, 7);
  for (let j = 0; j < 64; j++) {
    const a12 = (a << 12) | (a >>> 20);
    const sum = (a12 + e + word(ROUND, j)) | 0;
    const ss1 = (sum << 7) | (sum >>> 25);
    const ss2 = ss1 ^ a12;
    // FF and GG: parity for the first 16 rounds, majority and choice after.
    const ff = j < 16 ? a ^ b ^ c : (a & b) | (a & c) | (b & c);
    const gg = j < 16 ? e ^ f ^ g : (e & f) | (~e & g);
    const wj = word(W, j);
    const tt1 = (ff + d + ss2 + (wj ^ word(W, j + 4))) | 0;
    const tt2 = (gg + h + ss1 + wj) | 0;
    d = c;
    c = (b << 9) | (b >>> 23);
    b = a;
    a = tt1;
    h = g;
    g = (f << 19) | (f >>> 13);
    f = e;
    // P0(x) = x ^ (x <<< 9) ^ (x <<< 17)
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

const finalBlocks = new Uint8Array(2 * BLOCK_BYTES);

/** Pads the last `rest` (< 64 bytes) of a message of `length` bytes and returns the digest. */
function finish(state: Int32Array, rest: Uint8Array, length: number): Uint8Array {
  finalBlocks.fill(0);
  finalBlocks.set(rest);
  finalBlocks[rest.length] = 0x80;
  const end = rest.length < 56 ? BLOCK_BYTES : 2 * BLOCK_BYTES;
  const view = new DataView(finalBlocks.buffer);
  view.setUint32(end - 8, Math.floor(length / 0x2000_0000));
  view.setUint32(end - 4, (length * 8) >>> 0);
  for (let at = 0; at < end; at += BLOCK_BYTES) compress(state, finalBlocks, at);
  const digest = new Uint8Array(32);
  const out = new DataView(digest.buffer);
  for (let i = 0; i < 8; i++) out.setInt32(4 * i, word(state, i));
  return digest;
}

/** SM3 of a whole message: 32 bytes. @see GB/T 32905-2016 */
export function sm3(data: Uint8Array): Uint8Array {
  const state = Int32Array.from(INITIAL);
  const whole = data.length - (data.length % BLOCK_BYTES);
  for (let at = 0; at < whole; at += BLOCK_BYTES) compress(state, data, at);
  return finish(state, data.subarray(whole), data.length);
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
    return finish(this.#state, this.#pending.subarray(0, this.#pendingBytes), this.#length);
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
