/** Bech32m text of bytes. @see BIP-350, BIP-173 */

const ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3] as const;
/** What the checksum of a valid bech32m text comes to. */
const BECH32M = 0x2bc830a3;
const MAX_CHARACTERS = 90;
const CHECKSUM_WORDS = 6;

/** A decoded text: its prefix in lower case, and five bits a word. */
export interface Bech32m {
  readonly prefix: string;
  readonly words: readonly number[];
}

function polymod(words: readonly number[]): number {
  let sum = 1;
  for (const word of words) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ word;
    GENERATORS.forEach((generator, i) => {
      if (((top >>> i) & 1) === 1) sum ^= generator;
    });
  }
  return sum;
}

function expandPrefix(prefix: string): number[] {
  const codes = [...prefix].map((character) => character.charCodeAt(0));
  return [...codes.map((code) => code >>> 5), 0, ...codes.map((code) => code & 31)];
}

/** The text of five-bit words under a lower-case prefix. */
export function encodeBech32m({ prefix, words }: Bech32m): string {
  const open = [...expandPrefix(prefix), ...words, ...new Array<number>(CHECKSUM_WORDS).fill(0)];
  const sum = polymod(open) ^ BECH32M;
  const checksum = [25, 20, 15, 10, 5, 0].map((shift) => (sum >>> shift) & 31);
  return `${prefix}1${[...words, ...checksum].map((word) => ALPHABET[word]).join("")}`;
}

/** Prefix and words of a text of at most 90 characters; undefined when it is not bech32m. */
export function decodeBech32m(text: string): Bech32m | undefined {
  if (text.length > MAX_CHARACTERS || !/^[\x21-\x7e]+$/.test(text)) return undefined;
  const lower = text.toLowerCase();
  if (text !== lower && text !== text.toUpperCase()) return undefined;
  const separator = lower.lastIndexOf("1");
  if (separator < 1 || separator + 1 + CHECKSUM_WORDS > lower.length) return undefined;
  const prefix = lower.slice(0, separator);
  const words = [...lower.slice(separator + 1)].map((character) => ALPHABET.indexOf(character));
  if (words.includes(-1)) return undefined;
  if (polymod([...expandPrefix(prefix), ...words]) !== BECH32M) return undefined;
  return { prefix, words: words.slice(0, -CHECKSUM_WORDS) };
}

/** Regroups bytes into five-bit words, zero bits last. */
export function bytesToWords(bytes: Uint8Array): number[] {
  const words: number[] = [];
  let bits = 0;
  let buffer = 0;
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      words.push((buffer >>> bits) & 31);
    }
  }
  if (bits > 0) words.push((buffer << (5 - bits)) & 31);
  return words;
}

/** Undoes `bytesToWords`; undefined when the bits left over are five or more, or not zero. */
export function wordsToBytes(words: readonly number[]): Uint8Array | undefined {
  const bytes: number[] = [];
  let bits = 0;
  let buffer = 0;
  for (const word of words) {
    buffer = ((buffer << 5) | word) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((buffer >>> bits) & 0xff);
    }
  }
  if (bits >= 5 || (buffer & ((1 << bits) - 1)) !== 0) return undefined;
  return Uint8Array.from(bytes);
}
