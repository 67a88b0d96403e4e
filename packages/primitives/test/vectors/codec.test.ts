import {
  bool,
  bytes,
  bytesUpTo,
  type Codec,
  decode,
  encode,
  fromHex,
  list,
  nullable,
  struct,
  text,
  toHex,
  u32,
  u53,
  u64,
} from "@credlink/primitives";
import { describe, expect, it } from "vitest";

function golden<T>(name: string, codec: Codec<T>, value: T, hex: string): void {
  it(name, () => {
    expect(toHex(encode(codec, value))).toBe(hex);
    expect(decode(codec, fromHex(hex))).toEqual(value);
  });
}

describe("golden bytes of the canonical codec", () => {
  golden("u32 in one byte", u32, 127, "7f");
  golden("u32 in two bytes", u32, 128, "cc80");
  golden("u32 in three bytes", u32, 256, "cd0100");
  golden("u32 in five bytes", u32, 65_536, "ce00010000");
  golden("the largest u32", u32, 0xffff_ffff, "ceffffffff");
  golden("u64 always takes nine bytes", u64, 1n, "d30000000000000001");
  golden("u64 from 2^63 on changes its head", u64, 2n ** 63n, "cf8000000000000000");
  golden("the largest u64", u64, 2n ** 64n - 1n, "cfffffffffffffffff");
  golden("u53 travels as a u64", u53, 1_700_000_000_000, "d30000018bcfe56800");
  golden("the empty byte string", bytesUpTo(8), new Uint8Array(), "c400");
  golden("255 bytes", bytes(255), new Uint8Array(255), `c4ff${"00".repeat(255)}`);
  golden("256 bytes", bytes(256), new Uint8Array(256), `c50100${"00".repeat(256)}`);
  golden("65,536 bytes", bytes(65_536), new Uint8Array(65_536), `c600010000${"00".repeat(65_536)}`);
  golden("31 bytes of text", text(31), "a".repeat(31), `bf${"61".repeat(31)}`);
  golden("32 bytes of text", text(32), "a".repeat(32), `d920${"61".repeat(32)}`);
  golden("text beyond ASCII", text(300), "中".repeat(86), `da0102${"e4b8ad".repeat(86)}`);
  golden("a short text beyond ASCII", text(30), "凭证", "a6e587ade8af81");
  golden("text of an astral character", text(4), "𠮷", "a4f0a0aeb7");
  golden("null", nullable(u32), null, "c0");
  golden("true and false", list(bool, 2), [true, false], "92c3c2");
  golden("15 items", list(u32, 15), new Array<number>(15).fill(1), `9f${"01".repeat(15)}`);
  golden("16 items", list(u32, 16), new Array<number>(16).fill(1), `dc0010${"01".repeat(16)}`);
  golden(
    "a struct is its fields in order",
    struct({ height: u53, name: text(8), parents: list(bytes(2), 4) }),
    { height: 7, name: "block", parents: [new Uint8Array([1, 2])] },
    "93d30000000000000007a5626c6f636b91c4020102",
  );
});
