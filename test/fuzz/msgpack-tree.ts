/** A value to write in msgpack, with forms that no encoder of ours would choose. */
export type PackValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly PackValue[]
  | { readonly raw: Uint8Array };

const utf8 = new TextEncoder();

function bigEndian(value: number | bigint, width: number): number[] {
  const bytes: number[] = [];
  for (let rest = BigInt(value), i = 0; i < width; i++, rest >>= 8n) {
    bytes.unshift(Number(rest & 0xffn));
  }
  return bytes;
}

/** A head with a length: in its shortest form, or in one `wider` steps longer. */
function head(
  length: number,
  forms: readonly (readonly [number, number, number])[],
  wider: number,
): number[] {
  const fitting = forms.filter(([, , max]) => length <= max);
  const [prefix, width] = fitting[Math.min(wider, fitting.length - 1)] ?? [0xc6, 4];
  return width === 0 ? [prefix | length] : [prefix, ...bigEndian(length, width)];
}

const TEXT = [
  [0xa0, 0, 31],
  [0xd9, 1, 255],
  [0xda, 2, 65_535],
  [0xdb, 4, 2 ** 32],
] as const;
const BYTES = [
  [0xc4, 1, 255],
  [0xc5, 2, 65_535],
  [0xc6, 4, 2 ** 32],
] as const;
const LIST = [
  [0x90, 0, 15],
  [0xdc, 2, 65_535],
  [0xdd, 4, 2 ** 32],
] as const;

function numberBytes(value: number, wider: number): number[] {
  if (!Number.isInteger(value)) {
    const float = new Uint8Array(8);
    new DataView(float.buffer).setFloat64(0, value);
    return [0xcb, ...float];
  }
  if (value < 0) return [0xd3, ...bigEndian(value, 8)];
  const forms = [
    [0, 0, 127],
    [0xcc, 1, 255],
    [0xcd, 2, 65_535],
    [0xce, 4, 2 ** 32 - 1],
    [0xcf, 8, Number.MAX_SAFE_INTEGER],
  ] as const;
  return head(value, forms, wider);
}

function bytesOf(value: PackValue, wider: () => number): number[] {
  if (value === null) return [0xc0];
  if (typeof value === "boolean") return [value ? 0xc3 : 0xc2];
  if (typeof value === "bigint") return [0xcf, ...bigEndian(value, 8)];
  if (typeof value === "number") {
    return numberBytes(value, wider());
  }
  if (typeof value === "string") {
    const text = utf8.encode(value);
    return [...head(text.length, TEXT, wider()), ...text];
  }
  if (value instanceof Uint8Array) return [...head(value.length, BYTES, wider()), ...value];
  if ("raw" in value) return [...value.raw];
  return [...head(value.length, LIST, wider()), ...value.flatMap((item) => bytesOf(item, wider))];
}

/** Writes a value; `wider` says for each head how many forms longer than the shortest it is. */
export function writePack(value: PackValue, wider: () => number = () => 0): Uint8Array {
  return Uint8Array.from(bytesOf(value, wider));
}
