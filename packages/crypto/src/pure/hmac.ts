import { Sm3State } from "./sm3.ts";

const BLOCK_BYTES = 64;

/** A keyed SM3 whose two padded key blocks are already compressed. @see RFC 2104 §4 */
function keyedStates(key: Uint8Array): readonly [inner: Sm3State, outer: Sm3State] {
  const block = new Uint8Array(BLOCK_BYTES);
  block.set(key.length > BLOCK_BYTES ? new Sm3State().update(key).digest() : key);
  const inner = new Sm3State().update(block.map((byte) => byte ^ 0x36));
  const outer = new Sm3State().update(block.map((byte) => byte ^ 0x5c));
  return [inner, outer];
}

/** HMAC-SM3: 32 bytes. @see RFC 2104, GB/T 15852.2 */
export function hmacSm3(key: Uint8Array, data: Uint8Array): Uint8Array {
  const [inner, outer] = keyedStates(key);
  return outer.update(inner.update(data).digest()).digest();
}

/** PBKDF2 with HMAC-SM3. @see RFC 8018 §5.2 */
export function pbkdf2HmacSm3(
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  lengthBytes: number,
): Uint8Array {
  const [inner, outer] = keyedStates(password);
  const hmac = (data: Uint8Array): Uint8Array =>
    outer.clone().update(inner.clone().update(data).digest()).digest();
  const derived = new Uint8Array(lengthBytes);
  const indexed = new Uint8Array(salt.length + 4);
  indexed.set(salt);
  for (let at = 0, index = 1; at < lengthBytes; at += 32, index++) {
    new DataView(indexed.buffer).setUint32(salt.length, index);
    let u = hmac(indexed);
    const block = u.slice();
    for (let i = 1; i < iterations; i++) {
      u = hmac(u);
      for (let j = 0; j < 32; j++) block[j] = (block[j] ?? 0) ^ (u[j] ?? 0);
    }
    derived.set(block.subarray(0, lengthBytes - at), at);
  }
  return derived;
}
