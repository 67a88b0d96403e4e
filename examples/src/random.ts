import { taggedSm3 } from "@credlink/crypto";
import { invariant, type Random, utf8 } from "@credlink/primitives";

/** Deterministic randomness for examples: the same seed gives the same month everywhere. */
export interface ExampleRandom extends Random {
  /** Uniform integer in [from, to]. */
  between(from: number, to: number): number;
  pick<T>(items: readonly T[]): T;
  /** That many decimal digits; the first is not 0. */
  digits(length: number): string;
}

/** SM3 in counter mode over the seed. Never for keys of anything but examples and tests. */
export function createExampleRandom(seed: string): ExampleRandom {
  const name = utf8(seed);
  let block = new Uint8Array(0);
  let at = 0;
  let counter = 0;
  const byte = (): number => {
    if (at === block.length) {
      const number = new Uint8Array(8);
      new DataView(number.buffer).setBigUint64(0, BigInt(counter++));
      block = new Uint8Array(taggedSm3("credlink/example/1", number, name));
      at = 0;
    }
    const value = block[at++];
    invariant(value !== undefined, "a block has bytes left");
    return value;
  };
  const integer = (exclusiveMax: number): number => {
    invariant(exclusiveMax > 0 && exclusiveMax <= 2 ** 32, "a range of 1 to 2^32");
    const limit = 2 ** 32 - (2 ** 32 % exclusiveMax);
    for (;;) {
      const value = ((byte() * 256 + byte()) * 256 + byte()) * 256 + byte();
      if (value < limit) return value % exclusiveMax;
    }
  };
  return {
    bytes: (length) => Uint8Array.from({ length }, byte),
    integer,
    between: (from, to) => from + integer(to - from + 1),
    pick: (items) => {
      const item = items[integer(items.length)];
      invariant(item !== undefined, "something to pick from");
      return item;
    },
    digits: (length) =>
      Array.from({ length }, (_, i) => (i === 0 ? 1 + integer(9) : integer(10))).join(""),
  };
}
