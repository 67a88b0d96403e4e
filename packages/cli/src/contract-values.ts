import { formatAddress, parseAddress } from "@credlink/crypto";
import {
  address,
  encode,
  fromHex,
  toHex,
  tryDecode,
  type WireValue,
  wireValue,
} from "@credlink/primitives";
import { CliError } from "./errors.ts";

/**
 * Arguments of a contract's method from JSON: lists are structs and lists, text is text, numbers below
 * 2^32 are u32; `{"u64": "5"}`, `{"bytes": "0a…"}`, `{"address": "cl1…"}` and `{"text": …}` stand
 * for what JSON has no word for.
 *
 * @throws CliError CLI_USAGE
 */
export function encodeContractArgs(json: string): Uint8Array {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new CliError("CLI_USAGE", `the arguments are no JSON: ${json.slice(0, 80)}`);
  }
  if (!Array.isArray(value)) throw new CliError("CLI_USAGE", "arguments are a JSON list");
  return encode(wireValue, wireOf(value));
}

function wireOf(value: unknown): WireValue {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.map(wireOf);
  if (typeof value === "number") {
    if (Number.isInteger(value) && value >= 0 && value < 2 ** 32) return value;
    throw new CliError("CLI_USAGE", `${value} is no u32; write {"u64": "${value}"}`);
  }
  const [entry, ...rest] = Object.entries(value ?? {});
  if (entry === undefined || rest.length > 0) throw unknownForm(value);
  const [kind, content] = entry;
  if (kind === "u64") return wide(content);
  if (typeof content !== "string") throw unknownForm(value);
  if (kind === "bytes" && /^(?:[0-9a-fA-F]{2})*$/.test(content)) return fromHex(content);
  if (kind === "address") {
    const parsed = parseAddress(content);
    if (parsed.ok) return parsed.value;
  }
  throw unknownForm(value);
}

function wide(content: unknown): bigint {
  const text = String(content);
  if (!/^\d{1,20}$/.test(text) || BigInt(text) >= 2n ** 64n) {
    throw new CliError("CLI_USAGE", `${text} is no u64`);
  }
  return BigInt(text);
}

function unknownForm(value: unknown): CliError {
  return new CliError("CLI_USAGE", `no form of an argument: ${JSON.stringify(value)}`);
}

/** What a method returned, in the form of its arguments; null when it is no canonical value. */
export function describeReturned(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return null;
  const decoded = tryDecode(wireValue, bytes);
  return decoded.ok ? describe(decoded.value) : null;
}

function describe(value: WireValue): unknown {
  if (typeof value === "bigint") return { u64: String(value) };
  if (value instanceof Uint8Array) {
    // Ids, digests and addresses all have 32 bytes; only the reader knows which it is.
    return value.length === 32
      ? { bytes: toHex(value), address: formatAddress(address(value)) }
      : { bytes: toHex(value) };
  }
  if (Array.isArray(value)) return value.map(describe);
  return value;
}
