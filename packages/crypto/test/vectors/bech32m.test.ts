import { address, toHex } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import { bytesToWords, decodeBech32m, encodeBech32m, wordsToBytes } from "../../src/bech32m.ts";
import { formatAddress, parseAddress } from "../../src/index.ts";
import { codeOf, good } from "../support/doors.ts";

const VALID = [
  "A1LQFN3A",
  "a1lqfn3a",
  "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6",
  "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
  `1${"1"}${"l".repeat(82)}ludsr8`,
  "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
  "?1v759aa",
];

const INVALID = [
  "\u00201xj0phk",
  "\u007f1g6xzxy",
  "\u00801vctc34",
  "an84characterslonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11d6pts4",
  "qyrz8wqd2c9m",
  "1qyrz8wqd2c9m",
  "y1b0jsk6g",
  "lt1igcx5c0",
  "in1muywd",
  "mm1crxm3i",
  "au1s5cgom",
  "M1VUXWEZ",
  "16plkw9",
  "1p2gdwpf",
  // Bech32 (BIP-173), not bech32m.
  "A12UEL5L",
  "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
  // Mixed case.
  "A1lqfn3a",
];

describe("BIP-350", () => {
  test.each(VALID)("%s is valid and comes out again", (text) => {
    const decoded = decodeBech32m(text);
    expect(decoded).toBeDefined();
    if (decoded !== undefined) expect(encodeBech32m(decoded)).toBe(text.toLowerCase());
  });

  test.each(INVALID)("%s is refused", (text) => {
    expect(decodeBech32m(text)).toBeUndefined();
  });

  test("left-over bits must be fewer than five and zero", () => {
    expect(wordsToBytes([0, 0, 0])).toBeUndefined();
    expect(wordsToBytes([0, 1])).toBeUndefined();
    expect(wordsToBytes([31, 28])).toEqual(Uint8Array.of(255));
  });
});

describe("addresses", () => {
  const bytes = address(Uint8Array.from({ length: 32 }, (_, i) => i * 8));
  const text = formatAddress(bytes);

  test("have one text, fixed for ever", () => {
    expect(text).toBe("cl1qqypqxpq9qcrsszg2pvxq6rs0zqg3yyc5z5tpwxqergd3c8g7ruqcu555z");
    expect(toHex(good(parseAddress(text)))).toBe(toHex(bytes));
  });

  test("every changed character is found", () => {
    for (let at = 0; at < text.length; at++) {
      for (const character of "qp1lz7") {
        if (text[at] === character) continue;
        const changed = text.slice(0, at) + character + text.slice(at + 1);
        expect(codeOf(parseAddress(changed))).toBe("CRYPTO_ADDRESS_MALFORMED");
      }
    }
  });

  test("another prefix or length is refused", () => {
    const words = bytesToWords(bytes);
    for (const wrong of [
      encodeBech32m({ prefix: "bc", words }),
      encodeBech32m({ prefix: "cl", words: bytesToWords(bytes.subarray(1)) }),
      encodeBech32m({ prefix: "cl", words: [...words, 0] }),
      "",
    ]) {
      expect(codeOf(parseAddress(wrong))).toBe("CRYPTO_ADDRESS_MALFORMED");
    }
  });
});
