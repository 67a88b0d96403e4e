import { toHex, utf8ToText } from "@credlink/primitives";
import type { Place } from "../scan/source/syntax.ts";

/** One call of the host, as it went. */
export interface HostCall {
  readonly name: string;
  /** What it was given, for people. */
  readonly given: string;
  /** The same and what it answered. */
  readonly detail: string;
  /** What it cost. */
  readonly gas: number;
  /** What the contract had left after it. */
  readonly gasLeft: number;
  /** Where the contract's own code called, null without a source map. */
  readonly at: Place | null;
  /** The functions that were running, innermost first. */
  readonly stack: readonly Place[];
}

const SHOWN_BYTES = 48;
const SHOWN_CHARACTERS = 64;

/** Operands of a call of the host, with the bytes that they point to. */
export function describeOperands(
  name: string,
  values: readonly (number | bigint)[],
  memory: ArrayBuffer,
): string {
  const [a = 0, b = 0, c = 0, d = 0] = values.map(Number);
  const hex = (at: number, length: number): string => hexOf(bytesOf(memory, at, length));
  const text = (at: number, length: number): string => textOf(bytesOf(memory, at, length));
  switch (name) {
    case "state_get":
    case "state_delete":
    case "return_value":
      return hex(a, b);
    case "state_put":
      return `${hex(a, b)} := ${hex(c, d)}`;
    case "state_range":
      return `${hex(a, b)} to ${hex(c, d)}`;
    case "event":
      return `${text(a, b)} ${hex(c, d)}`;
    case "revert":
      return text(a, b);
    case "contract_call":
      return `${text(a, b)}.${text(c, d)}`;
    default:
      return "";
  }
}

function bytesOf(memory: ArrayBuffer, at: number, length: number): Uint8Array {
  return new Uint8Array(memory).slice(at >>> 0, (at >>> 0) + (length >>> 0));
}

function hexOf(bytes: Uint8Array): string {
  const text = toHex(bytes.subarray(0, SHOWN_BYTES));
  return bytes.length > SHOWN_BYTES ? `${text}… (${bytes.length} bytes)` : text;
}

function textOf(bytes: Uint8Array): string {
  try {
    return utf8ToText(bytes.subarray(0, SHOWN_CHARACTERS));
  } catch {
    return hexOf(bytes);
  }
}
