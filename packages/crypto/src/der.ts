import { concatBytes, utf8ToText } from "@credlink/primitives";
import { CryptoError } from "./errors.ts";

/** The tags of X.690 that keys, signatures and certificates use. */
export const DER_TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  numericString: 0x12,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One element of a DER encoding; both views point into the input. */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Tag, length and content. */
  readonly raw: Uint8Array;
}

function malformed(detail: string): CryptoError {
  return new CryptoError("CRYPTO_DER_MALFORMED", detail);
}

/**
 * Reads strict DER in order. Indefinite, over-long and long-form lengths where the short form
 * would do, tags above 30 and truncation are refused.
 * @throws CryptoError CRYPTO_DER_MALFORMED from every method.
 * @see X.690 §8.1, §10.1
 */
export class DerReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isEmpty(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The tag that comes next; undefined at the end. */
  get nextTag(): number | undefined {
    return this.#bytes[this.#at];
  }

  /** The next element, which must carry `tag` when one is given. */
  read(tag?: number): DerElement {
    const start = this.#at;
    const found = this.#byte();
    if ((found & 0x1f) === 0x1f) throw malformed("tag above 30");
    if (tag !== undefined && found !== tag) {
      throw malformed(`tag ${found} where ${tag} belongs`);
    }
    const length = this.#length();
    const contentStart = this.#at;
    if (length > this.#bytes.length - contentStart) throw malformed("ends too early");
    this.#at += length;
    return {
      tag: found,
      content: this.#bytes.subarray(contentStart, this.#at),
      raw: this.#bytes.subarray(start, this.#at),
    };
  }

  /** A reader on the content of the next element, a SEQUENCE unless another tag is named. */
  enter(tag: number = DER_TAG.sequence): DerReader {
    return new DerReader(this.read(tag).content);
  }

  /** The same, of an element that holds exactly one other, which is entered in its turn. */
  enterOnly(tag: number): DerReader {
    const outer = this.enter(tag);
    const inner = outer.enter();
    outer.end();
    return inner;
  }

  /** The content of the next INTEGER, which must be minimal. */
  integer(): Uint8Array {
    const { content } = this.read(DER_TAG.integer);
    checkInteger(content);
    return content;
  }

  /** The next INTEGER when it lies in 0 … 2^31−1. */
  smallInteger(): number {
    const content = this.integer();
    if (content.length > 4 || ((content[0] ?? 0) & 0x80) !== 0)
      throw malformed("integer too large");
    return content.reduce((value, byte) => value * 256 + byte, 0);
  }

  /** Refuses whatever follows. */
  end(): void {
    if (!this.isEmpty) throw malformed("bytes after the end");
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw malformed("ends too early");
    return byte;
  }

  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 4) throw malformed("length form");
    let length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + this.#byte();
    if (length < 0x80 || length < 256 ** (count - 1)) throw malformed("length not minimal");
    return length;
  }
}

function checkInteger(content: Uint8Array): void {
  const [first, second] = content;
  if (first === undefined) throw malformed("empty integer");
  if (second === undefined) return;
  const redundant = (first === 0 && second < 0x80) || (first === 0xff && second >= 0x80);
  if (redundant) throw malformed("integer not minimal");
}

/** One element: `tag`, the shortest length, the parts one after another. */
export function derElement(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(...parts);
  const head: number[] = [tag];
  if (content.length < 0x80) {
    head.push(content.length);
  } else {
    const digits: number[] = [];
    for (let rest = content.length; rest > 0; rest = Math.floor(rest / 256)) {
      digits.unshift(rest % 256);
    }
    head.push(0x80 | digits.length, ...digits);
  }
  return concatBytes(Uint8Array.from(head), content);
}

export function derSequence(...parts: readonly Uint8Array[]): Uint8Array {
  return derElement(DER_TAG.sequence, ...parts);
}

/** INTEGER of an unsigned big-endian number, in its shortest form. */
export function derUnsigned(bigEndian: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bigEndian.length - 1 && bigEndian[start] === 0) start++;
  const digits = bigEndian.length === 0 ? Uint8Array.of(0) : bigEndian.subarray(start);
  const sign = (digits[0] ?? 0) >= 0x80 ? [Uint8Array.of(0)] : [];
  return derElement(DER_TAG.integer, ...sign, digits);
}

/** BIT STRING of whole bytes. */
export function derBitString(bytes: Uint8Array): Uint8Array {
  return derElement(DER_TAG.bitString, Uint8Array.of(0), bytes);
}

/** OBJECT IDENTIFIER from its dotted text. @see X.690 §8.19 */
export function derObjectIdentifier(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const content: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const digits = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
      digits.unshift(0x80 | (left % 128));
    }
    content.push(...digits);
  }
  return derElement(DER_TAG.objectIdentifier, Uint8Array.from(content));
}

/** The text of a content in UTF-8. @throws CryptoError CRYPTO_DER_MALFORMED */
export function derText(content: Uint8Array): string {
  try {
    return utf8ToText(content);
  } catch (error) {
    throw new CryptoError("CRYPTO_DER_MALFORMED", "not UTF-8", { cause: error });
  }
}

/** The dotted text of an OBJECT IDENTIFIER's content. @throws CryptoError CRYPTO_DER_MALFORMED */
export function objectIdentifierText(content: Uint8Array): string {
  checkObjectIdentifier(content);
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f);
    if (!Number.isSafeInteger(arc)) throw malformed("object identifier too large");
    if (byte >= 0x80) continue;
    arcs.push(arc);
    arc = 0;
  }
  const [joined = 0, ...rest] = arcs;
  const first = Math.min(2, Math.floor(joined / 40));
  return [first, joined - 40 * first, ...rest].join(".");
}

const MAX_DEPTH = 24;

function checkBitString(content: Uint8Array): void {
  const [unused = 8, ...rest] = content;
  const last = rest.at(-1) ?? 0;
  const isValid = unused === 0 || (unused < 8 && rest.length > 0 && last % 2 ** unused === 0);
  if (!isValid) throw malformed("bit string padding");
}

function checkObjectIdentifier(content: Uint8Array): void {
  let isFirstOfArc = true;
  for (const byte of content) {
    if (isFirstOfArc && byte === 0x80) throw malformed("object identifier not minimal");
    isFirstOfArc = byte < 0x80;
  }
  if (content.length === 0 || !isFirstOfArc) throw malformed("object identifier cut short");
}

function checkPrimitive({ tag, content }: DerElement): void {
  switch (tag) {
    case DER_TAG.boolean:
      if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) {
        throw malformed("boolean");
      }
      return;
    case DER_TAG.integer:
    case DER_TAG.enumerated:
      checkInteger(content);
      return;
    case DER_TAG.bitString:
      checkBitString(content);
      return;
    case DER_TAG.null:
      if (content.length !== 0) throw malformed("null with content");
      return;
    case DER_TAG.objectIdentifier:
      checkObjectIdentifier(content);
      return;
    default:
  }
}

/**
 * Checks that the bytes are exactly one element in strict DER, at every depth. Schema libraries
 * read BER, where one value has many encodings; behind this check it has one.
 * @throws CryptoError CRYPTO_DER_MALFORMED
 */
export function assertStrictDer(bytes: Uint8Array): void {
  const visit = (reader: DerReader, depth: number): void => {
    if (depth > MAX_DEPTH) throw malformed("nested too deeply");
    while (!reader.isEmpty) {
      const element = reader.read();
      const isConstructed = (element.tag & 0x20) !== 0;
      const isUniversal = element.tag < 0x40;
      if (isConstructed && isUniversal && element.tag < DER_TAG.sequence) {
        throw malformed("string in pieces");
      }
      if (isConstructed) visit(new DerReader(element.content), depth + 1);
      else checkPrimitive(element);
    }
  };
  const outer = new DerReader(bytes);
  const { raw } = outer.read();
  outer.end();
  visit(new DerReader(raw), 0);
}
