/**
 * A byte string as a map key: one character of one byte each. `apply` on the typed array is nine
 * times as fast as spreading it, and as fast as anything portable.
 */
export function byteKey(bytes: Uint8Array): string {
  if (bytes.length <= 1_024) return Reflect.apply(String.fromCharCode, null, bytes);
  let key = "";
  for (let at = 0; at < bytes.length; at += 1_024) key += byteKey(bytes.subarray(at, at + 1_024));
  return key;
}
