import { invariant, type Random } from "@credlink/primitives";

const INTEGER_BYTES = 7;
const INTEGER_RANGE = 2 ** 53;

/** Uniform integer in [0, exclusiveMax) from a source of uniform bytes, by rejection. */
function uniformInteger(bytes: (length: number) => Uint8Array, exclusiveMax: number): number {
  invariant(
    Number.isSafeInteger(exclusiveMax) && exclusiveMax > 0,
    "the bound of a random integer is a positive safe integer",
  );
  const limit = INTEGER_RANGE - (INTEGER_RANGE % exclusiveMax);
  for (;;) {
    const [top = 0, ...rest] = bytes(INTEGER_BYTES);
    const value = rest.reduce((sum, byte) => sum * 256 + byte, top & 0x1f);
    if (value < limit) return value % exclusiveMax;
  }
}

/** The Random interface over a cryptographic source of bytes. */
export function createRandom(bytes: (length: number) => Uint8Array): Random {
  return { bytes, integer: (exclusiveMax) => uniformInteger(bytes, exclusiveMax) };
}
