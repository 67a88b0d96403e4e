import { fromHex } from "@credlink/primitives";

/**
 * SM4 in plain TypeScript (GB/T 32907-2016), for the browser door. The S-box is a table, so its
 * timing depends on the key where caches are shared; nodes use OpenSSL.
 */

const SBOX = fromHex(
  [
    "d690e9fecce13db716b614c228fb2c052b679a762abe04c3aa44132649860699",
    "9c4250f491ef987a33540b43edcfac62e4b31ca9c908e89580df94fa758f3fa6",
    "4707a7fcf37317ba83593c19e6854fa8686b81b27164da8bf8eb0f4b70569d35",
    "1e240e5e6358d1a225227c3b01217887d40046579fd327524c3602e7a0c4c89e",
    "eabf8ad240c738b5a3f7f2cef96115a1e0ae5da49b341a55ad933230f58cb1e3",
    "1df6e22e8266ca60c02923ab0d534e6fd5db3745defd8e2f03ff6a726d6c5b51",
    "8d1baf92bbddbc7f11d95c411f105ad80ac13188a5cd7bbd2d74d012b8e5b4b0",
    "8969974a0c96777e65b9f109c56ec68418f07dec3adc4d2079ee5f3ed7cb3948",
  ].join(""),
);

/** GB/T 32907 §7.3: the system parameters FK. */
const FK = [0xa3b1bac6, 0x56aa3350, 0x677d9197, 0xb27022dc] as const;

const BLOCK_BYTES = 16;
const ROUNDS = 32;

function rotate(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

/** τ: the S-box on each of four bytes. */
function substitute(x: number): number {
  return (
    ((SBOX[x >>> 24] as number) << 24) |
    ((SBOX[(x >>> 16) & 0xff] as number) << 16) |
    ((SBOX[(x >>> 8) & 0xff] as number) << 8) |
    (SBOX[x & 0xff] as number)
  );
}

/** GB/T 32907 §7.3: CK(i), whose byte j is (4i + j) · 7 mod 256. */
function roundConstant(round: number): number {
  let constant = 0;
  for (let j = 0; j < 4; j++) constant = (constant << 8) | (((4 * round + j) * 7) & 0xff);
  return constant;
}

/** The 32 round keys of a 16-byte key. */
export function expandSm4Key(key: Uint8Array): Int32Array {
  const view = new DataView(key.buffer, key.byteOffset, BLOCK_BYTES);
  const k: number[] = FK.map((parameter, i) => view.getInt32(4 * i) ^ parameter);
  const roundKeys = new Int32Array(ROUNDS);
  for (let i = 0; i < ROUNDS; i++) {
    const [k0 = 0, k1 = 0, k2 = 0, k3 = 0] = k;
    const b = substitute(k1 ^ k2 ^ k3 ^ roundConstant(i));
    const next = k0 ^ b ^ rotate(b, 13) ^ rotate(b, 23);
    roundKeys[i] = next;
    k.shift();
    k.push(next);
  }
  return roundKeys;
}

/** One block of `input` at `at` into `output` at `at`; decrypts when the keys run backwards. */
function transformBlock(
  roundKeys: Int32Array,
  input: Uint8Array,
  output: Uint8Array,
  at: number,
): void {
  const view = new DataView(input.buffer, input.byteOffset + at, BLOCK_BYTES);
  let x0 = view.getInt32(0);
  let x1 = view.getInt32(4);
  let x2 = view.getInt32(8);
  let x3 = view.getInt32(12);
  for (let i = 0; i < ROUNDS; i++) {
    const b = substitute(x1 ^ x2 ^ x3 ^ (roundKeys[i] as number));
    const next = x0 ^ b ^ rotate(b, 2) ^ rotate(b, 10) ^ rotate(b, 18) ^ rotate(b, 24);
    x0 = x1;
    x1 = x2;
    x2 = x3;
    x3 = next;
  }
  const out = new DataView(output.buffer, output.byteOffset + at, BLOCK_BYTES);
  out.setInt32(0, x3);
  out.setInt32(4, x2);
  out.setInt32(8, x1);
  out.setInt32(12, x0);
}

/** One block of 16 bytes. */
export function sm4EncryptBlock(key: Uint8Array, block: Uint8Array): Uint8Array {
  const output = new Uint8Array(BLOCK_BYTES);
  transformBlock(expandSm4Key(key), block, output, 0);
  return output;
}

function xorInto(target: Uint8Array, at: number, other: Uint8Array, otherAt: number): void {
  for (let i = 0; i < BLOCK_BYTES; i++) {
    target[at + i] = (target[at + i] as number) ^ (other[otherAt + i] as number);
  }
}

/** CBC with PKCS#7 padding. */
export function sm4CbcEncrypt(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array {
  const padding = BLOCK_BYTES - (data.length % BLOCK_BYTES);
  const output = new Uint8Array(data.length + padding).fill(padding);
  output.set(data);
  const roundKeys = expandSm4Key(key);
  for (let at = 0; at < output.length; at += BLOCK_BYTES) {
    if (at === 0) xorInto(output, 0, iv, 0);
    else xorInto(output, at, output, at - BLOCK_BYTES);
    transformBlock(roundKeys, output, output, at);
  }
  return output;
}

/** Undoes `sm4CbcEncrypt`; undefined when the padding is wrong. `data` is whole blocks. */
export function sm4CbcDecrypt(
  key: Uint8Array,
  iv: Uint8Array,
  data: Uint8Array,
): Uint8Array | undefined {
  if (data.length === 0 || data.length % BLOCK_BYTES !== 0) return undefined;
  const output = new Uint8Array(data.length);
  const roundKeys = expandSm4Key(key).reverse();
  for (let at = 0; at < data.length; at += BLOCK_BYTES) {
    transformBlock(roundKeys, data, output, at);
    if (at === 0) xorInto(output, 0, iv, 0);
    else xorInto(output, at, data, at - BLOCK_BYTES);
  }
  const padding = output[output.length - 1] ?? 0;
  if (padding < 1 || padding > BLOCK_BYTES) return undefined;
  const start = output.length - padding;
  return output.subarray(start).every((byte) => byte === padding)
    ? output.slice(0, start)
    : undefined;
}

/** CTR: the whole block counts up, modulo 2^128. Encrypts and decrypts. */
export function sm4Ctr(key: Uint8Array, counter: Uint8Array, data: Uint8Array): Uint8Array {
  const roundKeys = expandSm4Key(key);
  const block = counter.slice();
  const stream = new Uint8Array(BLOCK_BYTES);
  const output = data.slice();
  for (let at = 0; at < data.length; at += BLOCK_BYTES) {
    transformBlock(roundKeys, block, stream, 0);
    const end = Math.min(BLOCK_BYTES, data.length - at);
    for (let i = 0; i < end; i++) {
      output[at + i] = (output[at + i] as number) ^ (stream[i] as number);
    }
    for (let i = BLOCK_BYTES - 1; i >= 0; i--) {
      block[i] = ((block[i] as number) + 1) & 0xff;
      if (block[i] !== 0) break;
    }
  }
  return output;
}
