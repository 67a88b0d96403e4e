import { concatBytes } from "@credlink/primitives";
import { generateKeyPair, type KeyPair, sm2Sign } from "../../src/index.ts";
import { numberToBytes, SM2_CURVE } from "../../src/sm2-curve.ts";
import { type Case, createSeeded } from "./oracle.ts";

const { n, p } = SM2_CURVE;

type Pick = (exclusiveMax: number) => number;

function flipBit(bytes: Uint8Array, pick: Pick): Uint8Array {
  const flipped = bytes.slice();
  const at = pick(bytes.length);
  flipped[at] = (flipped[at] ?? 0) ^ (1 << pick(8));
  return flipped;
}

function randomMessage(pick: Pick): Uint8Array {
  return Uint8Array.from({ length: 1 + pick(200) }, () => pick(256));
}

/** Leaves a signature alone in half of the cases and spoils it in one of several ways else. */
function mutate(good: Case, other: KeyPair, pick: Pick): Case {
  switch (pick(10)) {
    case 0:
      return { ...good, signature: flipBit(good.signature, pick) };
    case 1:
      return { ...good, message: flipBit(good.message, pick) };
    case 2:
      return { ...good, publicKey: other.publicKey };
    case 3: {
      const { signature } = good;
      return { ...good, signature: concatBytes(signature.subarray(32), signature.subarray(0, 32)) };
    }
    case 4: {
      const s = BigInt(`0x${Buffer.from(good.signature.subarray(32)).toString("hex")}`);
      return {
        ...good,
        signature: concatBytes(good.signature.subarray(0, 32), numberToBytes(n - s)),
      };
    }
    default:
      return good;
  }
}

/** `count` signatures by `keys` keys, about half of them spoilt. */
export function* randomCases(seed: number, count: number, keys: number): Generator<Case> {
  const pick = createSeeded(seed);
  const pairs = Array.from({ length: keys }, generateKeyPair);
  const pairAt = (index: number): KeyPair => pairs[index % keys] ?? generateKeyPair();
  for (let i = 0; i < count; i++) {
    const { privateKey, publicKey } = pairAt(i);
    const message = randomMessage(pick);
    const signature = sm2Sign(privateKey, message);
    yield mutate({ publicKey, message, signature }, pairAt(i + 1), pick);
  }
}

/** A signature whose r or s, as `half` says, starts with a zero byte. */
function shortSignature({ privateKey }: KeyPair, message: Uint8Array, half: 0 | 32): Uint8Array {
  for (;;) {
    const signature = sm2Sign(privateKey, message);
    if (signature[half] === 0) return signature;
  }
}

/** Numbers at the borders of what r and s may be. */
const BORDERS = [0n, 1n, 2n, n - 2n, n - 1n, n, n + 1n, p - 1n, p, p + 1n, (1n << 256n) - 1n];

function borderCases(pair: KeyPair): readonly Case[] {
  const message = new TextEncoder().encode("borders");
  const good = sm2Sign(pair.privateKey, message);
  const r = BigInt(`0x${Buffer.from(good.subarray(0, 32)).toString("hex")}`);
  const s = BigInt(`0x${Buffer.from(good.subarray(32)).toString("hex")}`);
  const numbers: (readonly [bigint, bigint])[] = [];
  for (const border of BORDERS) {
    numbers.push([border, s], [r, border]);
    for (const other of BORDERS) numbers.push([border, other]);
  }
  // r + s = n, and its neighbours.
  for (let i = 1n; i <= 10n; i++) numbers.push([i, n - i], [n - i, i], [r + i, n - r - i]);
  numbers.push([r, n - r], [n - s, s], [r, n - r - 1n], [r, n - r + 1n]);
  return numbers.map(([first, second]) => ({
    publicKey: pair.publicKey,
    message,
    signature: concatBytes(numberToBytes(first), numberToBytes(second)),
  }));
}

/** What is not a point: off the curve, over the field, infinity, other forms and lengths. */
export function badPublicKeys({ publicKey }: KeyPair): readonly Uint8Array[] {
  const x = publicKey.subarray(1, 33);
  const y = publicKey.subarray(33);
  const point = (prefix: number, ...parts: readonly Uint8Array[]): Uint8Array =>
    concatBytes(Uint8Array.of(prefix), ...parts);
  const off = y.slice();
  off[31] = (off[31] ?? 0) ^ 1;
  return [
    point(4, x, off),
    point(4, y, x),
    point(4, numberToBytes(p), y),
    point(4, x, numberToBytes(p)),
    point(4, numberToBytes(0n), numberToBytes(0n)),
    point(4, new Uint8Array(64).fill(255)),
    point(0),
    point(0, x, y),
    point(2, x),
    point(3, x),
    point(5, x, y),
    point(6, x, y),
    point(7, x, y),
    publicKey.subarray(0, 64),
    concatBytes(publicKey, Uint8Array.of(0)),
    publicKey.subarray(1),
    new Uint8Array(0),
  ];
}

function keyCases(pair: KeyPair): readonly Case[] {
  const message = new TextEncoder().encode("keys");
  const signature = sm2Sign(pair.privateKey, message);
  const y = BigInt(`0x${Buffer.from(pair.publicKey.subarray(33)).toString("hex")}`);
  const negated = concatBytes(pair.publicKey.subarray(0, 33), numberToBytes(p - y));
  return [negated, ...badPublicKeys(pair)].map((publicKey) => ({ publicKey, message, signature }));
}

function messageCases(pair: KeyPair): readonly Case[] {
  return [0, 1, 31, 32, 33, 55, 56, 63, 64, 65, 119, 120, 127, 128, 4096].map((length) => {
    const message = new Uint8Array(length).fill(length);
    return { ...pair, message, signature: sm2Sign(pair.privateKey, message) };
  });
}

function lengthCases(pair: KeyPair): readonly Case[] {
  const message = new TextEncoder().encode("lengths");
  const good = sm2Sign(pair.privateKey, message);
  return [0, 1, 32, 63].map((length) => ({
    publicKey: pair.publicKey,
    message,
    signature: good.subarray(0, length),
  }));
}

/** Private keys of few bytes: their leading zeros were dropped, as some tools do. */
export function shortPrivateKeys(): readonly Uint8Array[] {
  return [1, 2, 8, 16, 30, 31, 31, 31].map((length, i) =>
    Uint8Array.from({ length }, (_, at) => 1 + ((at * 37 + i * 11) % 254)),
  );
}

/** Every edge case that can be put as a question of key, message and r ‖ s. */
export function edgeCases(): readonly Case[] {
  const pair = generateKeyPair();
  const message = new TextEncoder().encode("short");
  const short = ([0, 32] as const).flatMap((half) =>
    [1, 2, 3].map(() => ({ ...pair, message, signature: shortSignature(pair, message, half) })),
  );
  return [
    ...borderCases(pair),
    ...keyCases(pair),
    ...keyCases(generateKeyPair()),
    ...messageCases(pair),
    ...lengthCases(pair),
    ...short,
  ];
}
