import type { WireValue } from "@credlink/primitives";
import {
  isBankCardNumber,
  isCreditCode,
  isIdentityNumber,
  isInvoiceNumber,
  isMobileNumber,
} from "./check-digits.ts";
import type { FieldKind } from "./payload.ts";

const encoder = new TextEncoder();

/** Text that is not empty, of at most `maxBytes` bytes of UTF-8. */
export function words(maxBytes: number): FieldKind {
  return {
    name: `text of 1 to ${maxBytes} bytes`,
    holds: (value) =>
      typeof value === "string" &&
      value.length > 0 &&
      value.isWellFormed() &&
      encoder.encode(value).length <= maxBytes,
  };
}

function textThat(name: string, test: (text: string) => boolean): FieldKind {
  return { name, holds: (value) => typeof value === "string" && test(value) };
}

export const creditCode: FieldKind = textThat("a unified social credit code", isCreditCode);
export const identityNumber: FieldKind = textThat("a citizen identity number", isIdentityNumber);
export const bankCardNumber: FieldKind = textThat("a bank card number", isBankCardNumber);
export const mobileNumber: FieldKind = textThat("a mobile number", isMobileNumber);
export const invoiceNumber: FieldKind = textThat("an invoice number of 20 digits", isInvoiceNumber);
/** A number with a fraction travels as decimal text. */
export const decimal: FieldKind = textThat("a decimal number", (text) =>
  /^(?:0|[1-9]\d{0,17})(?:\.\d{1,9})?$/.test(text),
);
/** A calendar month. */
export const month: FieldKind = textThat("a month as YYYY-MM", (text) =>
  /^(?:19|20)\d{2}-(?:0[1-9]|1[0-2])$/.test(text),
);

export function choice(...values: readonly string[]): FieldKind {
  return textThat(`one of ${values.join(", ")}`, (text) => values.includes(text));
}

const MAX_AMOUNT = 10n ** 15n;

/** Whole fen. */
export const fen: FieldKind = {
  name: "an amount in whole fen",
  holds: (value) => typeof value === "bigint" && value >= 0n && value <= MAX_AMOUNT,
};

/** Milliseconds since 1970-01-01T00:00:00Z. */
export const time: FieldKind = {
  name: "a time in milliseconds",
  holds: (value) => typeof value === "bigint" && value >= 0n && value < 2n ** 53n,
};

export const count: FieldKind = {
  name: "a whole number",
  holds: (value) => typeof value === "number",
};

export const flag: FieldKind = {
  name: "true or false",
  holds: (value) => typeof value === "boolean",
};

/** A digest, an id or an address: 32 bytes. */
export const digest32: FieldKind = {
  name: "32 bytes",
  holds: (value) => value instanceof Uint8Array && value.length === 32,
};

function isList(value: WireValue): value is readonly WireValue[] {
  return Array.isArray(value);
}

/** One to `max` values of a kind. */
export function listOf(kind: FieldKind, max: number): FieldKind {
  return {
    name: `1 to ${max} of: ${kind.name}`,
    holds: (value) =>
      isList(value) && value.length >= 1 && value.length <= max && value.every(kind.holds),
  };
}

/** Values of given kinds, by place. */
export function tuple(...kinds: readonly FieldKind[]): FieldKind {
  return {
    name: `[${kinds.map(({ name }) => name).join(", ")}]`,
    holds: (value) =>
      isList(value) &&
      value.length === kinds.length &&
      kinds.every((kind, i) => kind.holds(value[i] ?? null)),
  };
}

const named: readonly FieldKind[] = [
  creditCode,
  identityNumber,
  bankCardNumber,
  mobileNumber,
  invoiceNumber,
  decimal,
  month,
  fen,
  time,
  count,
  flag,
  digest32,
];

/** The kind that a name of the registry says; one that this build does not know holds anything. */
export function kindNamed(name: string): FieldKind {
  const known = named.find((kind) => kind.name === name);
  if (known !== undefined) return known;
  const [, bytes] = /^text of 1 to ([1-9]\d{0,5}) bytes$/.exec(name) ?? [];
  if (bytes !== undefined) return words(Number(bytes));
  const [, max, inner] = /^1 to ([1-9]\d{0,4}) of: (.+)$/.exec(name) ?? [];
  if (max !== undefined && inner !== undefined) return listOf(kindNamed(inner), Number(max));
  const [, values] = /^one of (.+)$/.exec(name) ?? [];
  return values === undefined ? { name, holds: () => true } : choice(...values.split(", "));
}
