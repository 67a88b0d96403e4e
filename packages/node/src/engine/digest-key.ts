/** A byte string as a map key: one character of one byte each, cheaper than hexadecimal. */
export function byteKey(bytes: Uint8Array): string {
  let key = "";
  for (let at = 0; at < bytes.length; at += 1_024) {
    key += String.fromCharCode(...bytes.subarray(at, at + 1_024));
  }
  return key;
}
