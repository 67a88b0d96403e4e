import { allocateBytes } from "./allocation.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** @throws TypeError when the bytes are not UTF-8. */
export function utf8ToText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const DIGITS = utf8("0123456789abcdef");
const digestDigits = new Uint8Array(64);

/** Lower-case hexadecimal, two digits a byte. */
export function toHex(bytes: Uint8Array): string {
  if (bytes.length === 32) return hexOfDigest(bytes);
  let text = "";
  for (const byte of bytes) text += HEX[byte];
  return text;
}

/** Digests name most things in maps: at once, without a string for every two digits. */
function hexOfDigest(bytes: Uint8Array): string {
  for (let i = 0; i < 32; i++) {
    const byte = bytes[i] as number;
    digestDigits[2 * i] = DIGITS[byte >>> 4] as number;
    digestDigits[2 * i + 1] = DIGITS[byte & 15] as number;
  }
  return textOfBytes(digestDigits);
}

/** Longest piece that goes through `units`; keys of the state are shorter. */
const MAX_UNITS = 160;
/** An array of each length that was asked for: engines take its elements as arguments at once. */
const units: (number[] | undefined)[] = [];

/**
 * Text of one character a byte, of all bytes or those from `from` to before `to`: byte strings as
 * keys of a Map. Through a plain array it takes half as long as from the bytes themselves.
 */
export function textOfBytes(bytes: Uint8Array, from = 0, to = bytes.length): string {
  const length = to - from;
  if (length > MAX_UNITS) {
    return Reflect.apply(String.fromCharCode, null, bytes.subarray(from, to));
  }
  let codes = units[length];
  if (codes === undefined) {
    codes = Array.from({ length }, () => 0);
    units[length] = codes;
  }
  for (let i = 0; i < length; i++) codes[i] = bytes[from + i] as number;
  return String.fromCharCode(...codes);
}

const HEX_TEXT = /^(?:[0-9a-fA-F]{2})*$/;

/** @throws TypeError when the text is not an even number of hexadecimal digits. */
export function fromHex(text: string): Uint8Array {
  if (!HEX_TEXT.test(text)) throw new TypeError("not hexadecimal text");
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  }
  return bytes;
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = allocateBytes(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Equality of public bytes. Secrets are compared with crypto's `equalSecrets`. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Lexicographic order: negative, zero or positive as `Array.prototype.sort` wants it. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
