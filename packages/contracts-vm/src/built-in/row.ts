import { type Codec, decode, encode } from "@credlink/primitives";
import { VmError } from "../errors.ts";

/** One place of the state and what stands there. */
export interface Row<T> {
  readonly contract: string;
  readonly key: Uint8Array;
  readonly codec: Codec<T>;
}

/** @throws VmError VM_STATE_CORRUPT: only the executor writes rows of built-in contracts. */
export function decodeRow<T>(row: Row<T>, value: Uint8Array): T {
  try {
    return decode(row.codec, value);
  } catch (error) {
    throw new VmError("VM_STATE_CORRUPT", `a row of ${row.contract}`, { cause: error });
  }
}

/** The row of a state, or null where nothing stands. @throws VmError VM_STATE_CORRUPT */
export function readRow<T>(
  state: { get(contract: string, key: Uint8Array): Uint8Array | null },
  row: Row<T>,
): T | null {
  const value = state.get(row.contract, row.key);
  return value === null ? null : decodeRow(row, value);
}

/** Puts a value into a row of a state, free of gas: what a block does by itself. */
export function writeRow<T>(
  state: { set(contract: string, key: Uint8Array, value: Uint8Array): void },
  { contract, key, codec }: Row<T>,
  value: T,
): void {
  state.set(contract, key, encode(codec, value));
}

/**
 * `decodeRow` that decodes a value once, and what `derive` makes of it: a value of the state never
 * changes, so its own memory names its decoding, and both are forgotten together.
 */
export function rememberDecoded<T, D extends object>(
  derive: (decoded: T) => D,
): (row: Row<T>, value: Uint8Array) => D {
  const decoded = new WeakMap<Uint8Array, D>();
  return (row, value) => {
    let known = decoded.get(value);
    if (known === undefined) {
      known = derive(decodeRow(row, value));
      decoded.set(value, known);
    }
    return known;
  };
}
