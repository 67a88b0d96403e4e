/** CRC-32C (Castagnoli, reflected polynomial 0x82f63b78). @see RFC 3720 appendix B.4 */

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) {
    value = (value & 1) === 1 ? (value >>> 1) ^ 0x82f6_3b78 : value >>> 1;
  }
  return value;
});

/** Checksum of `data`, as an unsigned 32-bit integer; `previous` continues an earlier one. */
export function crc32c(data: Uint8Array, previous = 0): number {
  let crc = ~previous >>> 0;
  for (const byte of data) crc = (TABLE[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
  return ~crc >>> 0;
}
