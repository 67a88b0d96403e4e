import {
  bool,
  bytes,
  bytesUpTo,
  type Codec,
  CodecError,
  decode,
  encode,
  fromHex,
  list,
  MAX_DEPTH,
  MAX_VALUES,
  oneOf,
  struct,
  text,
  tryDecode,
  u32,
  u53,
  u64,
  union,
  versioned,
} from "@credlink/primitives";
import { describe, expect, it } from "vitest";

function codeOf<T>(codec: Codec<T>, hex: string, maxBytes?: number): string {
  const result = tryDecode(codec, fromHex(hex), maxBytes === undefined ? {} : { maxBytes });
  return result.ok ? "accepted" : result.code;
}

describe("refused encodings", () => {
  it.each([
    ["a u32 in more bytes than it needs", u32, "cc7f"],
    ["a u32 in three bytes that fits one", u32, "cd0001"],
    ["a u64 with the wrong head", u64, "cf0000000000000001"],
    ["a length in two bytes that fits one", bytesUpTo(9), "c50001ff"],
    ["text in str8 that fits a fixed head", text(9), "d90161"],
    ["a list in array16 that fits a fixed head", list(u32, 9), "dc000101"],
  ] as [string, Codec<unknown>, string][])("not canonical: %s", (_name, codec, hex) => {
    expect(codeOf(codec, hex)).toBe("PRIMITIVES_CODEC_NOT_CANONICAL");
  });

  it("text that is not UTF-8 does not encode back", () => {
    expect(codeOf(text(4), "a1ff")).toBe("PRIMITIVES_CODEC_NOT_CANONICAL");
    expect(codeOf(text(9), "a3eda080")).toBe("PRIMITIVES_CODEC_NOT_CANONICAL");
  });

  it.each([
    ["nothing", ""],
    ["a length beyond the end", "c4ff00"],
    ["a list of 2^32 − 1 items", "ddffffffff"],
    ["a text of 2^32 − 1 bytes", "dbffffffff"],
    ["a head without its length", "c5"],
    ["a half of an integer", "ce0000"],
    ["bytes after the end", "0101"],
    ["a map", "80"],
    ["a float32", "ca00000000"],
    ["a float64", "cb0000000000000000"],
    ["an extension", "d40000"],
    ["a timestamp", "d6ff00000000"],
    ["a negative integer", "ff"],
    ["an int8", "d0ff"],
    ["the head that msgpack never uses", "c1"],
  ])("malformed: %s", (_name, hex) => {
    expect(codeOf(list(u32, 9), hex)).toBe("PRIMITIVES_CODEC_MALFORMED");
  });

  it("a negative 64-bit integer is outside every schema", () => {
    expect(codeOf(u64, "d3ffffffffffffffff")).toBe("PRIMITIVES_CODEC_SCHEMA");
    expect(codeOf(u53, "d3ffffffffffffffff")).toBe("PRIMITIVES_CODEC_SCHEMA");
  });
});

describe("limits at their edges", () => {
  it("size of the whole", () => {
    expect(codeOf(bytesUpTo(9), "c403010203", 5)).toBe("accepted");
    expect(codeOf(bytesUpTo(9), "c403010203", 4)).toBe("PRIMITIVES_CODEC_TOO_LARGE");
  });

  it("depth", () => {
    const nested = (depth: number): string => `${"91".repeat(depth)}01`;
    const codecOf = (depth: number): Codec<unknown> => {
      let codec: Codec<unknown> = u32 as Codec<unknown>;
      for (let i = 0; i < depth; i++) codec = list(codec, 1) as Codec<unknown>;
      return codec;
    };
    expect(codeOf(codecOf(MAX_DEPTH), nested(MAX_DEPTH))).toBe("accepted");
    expect(codeOf(codecOf(MAX_DEPTH + 1), nested(MAX_DEPTH + 1))).toBe(
      "PRIMITIVES_CODEC_MALFORMED",
    );
  });

  it("number of values", () => {
    const items = list(u32, MAX_VALUES);
    expect(decode(items, encode(items, new Array<number>(MAX_VALUES - 1).fill(1))).length).toBe(
      MAX_VALUES - 1,
    );
    expect(tryDecode(items, encode(items, new Array<number>(MAX_VALUES).fill(1)))).toMatchObject({
      ok: false,
      code: "PRIMITIVES_CODEC_MALFORMED",
    });
  });

  it("length of byte strings, text and lists", () => {
    expect(codeOf(bytes(2), "c4020102")).toBe("accepted");
    expect(codeOf(bytes(2), "c40101")).toBe("PRIMITIVES_CODEC_SCHEMA");
    expect(codeOf(bytesUpTo(1), "c4020102")).toBe("PRIMITIVES_CODEC_SCHEMA");
    expect(codeOf(text(3), "a3e4b8ad")).toBe("accepted");
    expect(codeOf(text(2), "a3e4b8ad")).toBe("PRIMITIVES_CODEC_SCHEMA");
    expect(codeOf(list(u32, 2), "920101")).toBe("accepted");
    expect(codeOf(list(u32, 1), "920101")).toBe("PRIMITIVES_CODEC_SCHEMA");
  });

  it("integers", () => {
    expect(() => encode(u32, 2 ** 32)).toThrow(CodecError);
    expect(() => encode(u32, -1)).toThrow(CodecError);
    expect(() => encode(u32, 0.5)).toThrow(CodecError);
    expect(() => encode(u64, 2n ** 64n)).toThrow(CodecError);
    expect(() => encode(u64, -1n)).toThrow(CodecError);
    expect(() => encode(u53, 2 ** 53)).toThrow(CodecError);
    expect(codeOf(u53, "d30020000000000000")).toBe("PRIMITIVES_CODEC_SCHEMA");
    expect(codeOf(u53, "d3001fffffffffffff")).toBe("accepted");
  });

  it("ill-formed Unicode is not encoded", () => {
    expect(() => encode(text(9), "\ud800")).toThrow(CodecError);
  });
});

describe("schema", () => {
  const message = union<{ type: "a"; value: number } | { type: "b"; value: boolean; note: string }>(
    {
      a: [1, struct({ value: u32 })],
      b: [2, struct({ value: bool, note: text(4) })],
    },
  );

  it("a union tells its variants apart by tag", () => {
    for (const value of [
      { type: "a", value: 5 },
      { type: "b", value: true, note: "x" },
    ] as const) {
      expect(decode(message, encode(message, value))).toEqual(value);
    }
    expect(codeOf(message, "920305")).toBe("PRIMITIVES_CODEC_SCHEMA");
    expect(codeOf(message, "9201c3")).toBe("PRIMITIVES_CODEC_SCHEMA");
    expect(codeOf(message, "90")).toBe("PRIMITIVES_CODEC_SCHEMA");
  });

  it("a struct with a place too few or too many is refused", () => {
    const pair = struct({ a: u32, b: u32 });
    expect(codeOf(pair, "9101")).toBe("PRIMITIVES_CODEC_SCHEMA");
    expect(codeOf(pair, "93010101")).toBe("PRIMITIVES_CODEC_SCHEMA");
  });

  it("a closed vocabulary refuses other words", () => {
    const word = oneOf("active", "left");
    expect(decode(word, encode(word, "left"))).toBe("left");
    expect(codeOf(word, "a3796573")).toBe("PRIMITIVES_CODEC_SCHEMA");
  });

  it("decoding does not change or keep the encoder's buffer", () => {
    const codec = list(bytesUpTo(4), 2);
    const first = encode(codec, [new Uint8Array([1]), new Uint8Array([2])]);
    const copy = first.slice();
    encode(codec, [new Uint8Array([9]), new Uint8Array([9])]);
    expect(first).toEqual(copy);
    expect(first.buffer.byteLength).toBe(first.length);
  });

  it("a Node Buffer decodes to plain byte arrays", () => {
    const value = decode(bytes(2), Buffer.from("c4020102", "hex"));
    expect(Buffer.isBuffer(value)).toBe(false);
  });
});

describe("structs of several versions", () => {
  interface Thing {
    readonly version: number;
    readonly name: string;
    readonly colour?: string;
  }
  const fields = { version: u32, name: text(8) };
  const thing = versioned<Thing>({
    1: struct<Thing>(fields),
    2: struct<Thing>({ ...fields, colour: text(8) }),
  });

  it("each version has its own fields, and comes back as it was", () => {
    const first = { version: 1, name: "a" };
    const second = { version: 2, name: "a", colour: "red" };
    expect(encode(thing, first)).toEqual(encode(struct(fields), first));
    expect(decode(thing, encode(thing, first))).toEqual(first);
    expect(decode(thing, encode(thing, second))).toEqual(second);
  });

  it("refuses a version that is not known, or that has another number of fields", () => {
    expect(() => encode(thing, { version: 3, name: "a" })).toThrow(CodecError);
    for (const hex of ["9202a161", "9301a161a3726564", "9303a161a3726564", "9101", "90", "01"]) {
      expect(codeOf(thing, hex), hex).toBe("PRIMITIVES_CODEC_SCHEMA");
    }
  });
});
