import { allocateBytes } from "@credlink/primitives";

const LANES = 4;
const BLOCK_BYTES = 4 * LANES;
const DIGEST_BYTES = 32;

let words = new Uint32Array(1024);
let bytes = new Uint8Array(words.buffer);

function reserve(length: number): void {
  if (length <= bytes.length) return;
  const larger = new Uint8Array(2 * length + BLOCK_BYTES - ((2 * length) % BLOCK_BYTES));
  larger.set(bytes);
  bytes = larger;
  words = new Uint32Array(larger.buffer);
}

function finalMix(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/** Puts the parts one after another into the buffer and pads them with zeros to whole blocks. */
function gather(first: Uint8Array, parts: readonly Uint8Array[]): number {
  let length = first.length;
  for (const part of parts) length += part.length;
  reserve(length + BLOCK_BYTES);
  bytes.set(first);
  let at = first.length;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  bytes.fill(0, length, length + BLOCK_BYTES);
  return length;
}

/**
 * Stands for SM3 in bulk runs: MurmurHash3 with 128 bits of state, drawn out to 32 bytes. Every
 * bit of the input matters, two inputs of a run collide by chance about once in 2^64 digests, and
 * anybody could make them collide on purpose; simulated traitors do not.
 *
 * @see Appleby, MurmurHash3_x86_128
 */
export function fastDigest(first: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  const length = gather(first, parts);
  const count = Math.ceil(length / BLOCK_BYTES) * LANES;
  const input = words;
  let [a, b, c, d] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 0x3c6ef372];
  for (let at = 0; at < count; at += LANES) {
    let k = Math.imul(input[at] as number, 0x239b961b);
    a ^= Math.imul((k << 15) | (k >>> 17), 0xab0e9789);
    a = (Math.imul((((a << 19) | (a >>> 13)) + b) | 0, 5) + 0x561ccd1b) | 0;
    k = Math.imul(input[at + 1] as number, 0xab0e9789);
    b ^= Math.imul((k << 16) | (k >>> 16), 0x38b34ae5);
    b = (Math.imul((((b << 17) | (b >>> 15)) + c) | 0, 5) + 0x0bcaa747) | 0;
    k = Math.imul(input[at + 2] as number, 0x38b34ae5);
    c ^= Math.imul((k << 17) | (k >>> 15), 0xa1e38b93);
    c = (Math.imul((((c << 15) | (c >>> 17)) + d) | 0, 5) + 0x96cd1c35) | 0;
    k = Math.imul(input[at + 3] as number, 0xa1e38b93);
    d ^= Math.imul((k << 18) | (k >>> 14), 0x239b961b);
    d = (Math.imul((((d << 13) | (d >>> 19)) + a) | 0, 5) + 0x32ac3b17) | 0;
  }
  return finish(a ^ length, b ^ length, c ^ length, d ^ length);
}

function finish(first: number, second: number, third: number, fourth: number): Uint8Array {
  let a = (first + second + third + fourth) | 0;
  let b = (second + a) | 0;
  let c = (third + a) | 0;
  let d = (fourth + a) | 0;
  a = finalMix(a);
  b = finalMix(b);
  c = finalMix(c);
  d = finalMix(d);
  a = (a + b + c + d) | 0;
  b = (b + a) | 0;
  c = (c + a) | 0;
  d = (d + a) | 0;
  const digest = allocateBytes(DIGEST_BYTES);
  putLane(digest, 0, a);
  putLane(digest, 4, b);
  putLane(digest, 8, c);
  putLane(digest, 12, d);
  return digest;
}

/** One lane, and sixteen bytes on what it gives when it is mixed once more. */
function putLane(digest: Uint8Array, at: number, lane: number): void {
  putWord(digest, at, lane);
  putWord(digest, at + BLOCK_BYTES, finalMix(lane ^ 0x5bd1e995));
}

// Byte by byte: V8 keeps small arrays in its own heap until their buffer is asked for.
function putWord(digest: Uint8Array, at: number, word: number): void {
  digest[at] = word;
  digest[at + 1] = word >>> 8;
  digest[at + 2] = word >>> 16;
  digest[at + 3] = word >>> 24;
}
