import { createHash, hash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_SHORT_BYTES, sm3OfParts } from "../../src/pure/sm3.ts";
import { createLazySm3 } from "../../src/sm3/sm3-of-all.ts";
import { doors } from "../support/doors.ts";

/** OpenSSL's digest, in a form that is easily compared. */
function openssl(...parts: readonly Uint8Array[]): string {
  const computation = createHash("sm3");
  for (const part of parts) computation.update(part);
  return computation.digest("hex");
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** Bytes that differ in every place and for every length. */
function message(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 167 + length * 29 + (i >> 5)) & 0xff);
}

it("of many goes one by one where the kernel answers otherwise than the single digest", () => {
  const single = (first: Uint8Array, rest: readonly Uint8Array[]) =>
    createHash("sha256")
      .update(Buffer.concat([first, ...rest]))
      .digest();
  const lazy = createLazySm3(single);
  expect(lazy.prepare()).toBe(false);
  const messages = [[message(3)], [message(70)]];
  expect(lazy.digestOfAll(message(1), messages).map(hex)).toEqual(
    messages.map((one) => hex(single(message(1), one))),
  );
});

/** A message cut into pieces, empty ones included. */
const parts = fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 5 });

describe.each(doors)("SM3 of the %s door", (_, suite) => {
  it("is OpenSSL's at every length around the blocks, each after longer and shorter ones", () => {
    for (let length = 0; length <= 400; length++) {
      for (const at of [length, 400 - length]) {
        const data = message(at);
        expect(hex(suite.sm3(data)), `${at} bytes`).toBe(hash("sm3", data, "hex"));
      }
    }
  });

  it("reads a view at its place, and answers memory of its own", () => {
    const around = message(300);
    for (const [from, to] of [
      [1, 65],
      [7, 126],
      [3, 290],
    ] as const) {
      const view = around.subarray(from, to);
      const digest = suite.sm3(view);
      const text = hex(digest);
      suite.sm3(message(90));
      expect(hex(digest)).toBe(text);
      expect(text).toBe(openssl(view));
    }
  });

  it("of many is OpenSSL's of each, whatever their lengths and however many there are", () => {
    const lengths = fc.array(fc.constantFrom(0, 1, 54, 55, 56, 64, 65, 119, 120, 300, 4_087), {
      maxLength: 23,
    });
    fc.assert(
      fc.property(lengths, (each) => {
        const messages = each.map((length, i) => [Uint8Array.of(i), message(length)]);
        expect(suite.sm3OfAll(messages).map(hex)).toEqual(messages.map((one) => openssl(...one)));
        const domain = "credlink/many/1";
        expect(suite.taggedSm3OfAll(domain, messages).map(hex)).toEqual(
          messages.map((one) => hex(suite.taggedSm3(domain, ...one))),
        );
      }),
      { numRuns: 200 },
    );
  });

  it("of many at every number of blocks that fits side by side, and one more", () => {
    for (let length = 0; length <= 4_200; length += 31) {
      const messages = [0, 1, 2, 3].map((i) => [message(length + i)]);
      expect(suite.sm3OfAll(messages).map(hex)).toEqual(messages.map((one) => openssl(...one)));
    }
  });

  it("under a domain is OpenSSL's of the domain's bytes and all parts", () => {
    fc.assert(
      fc.property(parts, fc.integer({ min: 1, max: 130 }), (pieces, domainLength) => {
        const domain = "d".repeat(domainLength);
        const prefix = Buffer.concat([Uint8Array.of(domain.length), Buffer.from(domain)]);
        expect(hex(suite.taggedSm3(domain, ...pieces))).toBe(openssl(prefix, ...pieces));
      }),
      { numRuns: 500 },
    );
  });

  it("in pieces is OpenSSL's, short digests in between or not", () => {
    fc.assert(
      fc.property(parts, (pieces) => {
        const computation = suite.createSm3();
        for (const piece of pieces) {
          computation.update(piece);
          suite.sm3(piece);
        }
        expect(hex(computation.digest())).toBe(openssl(...pieces));
      }),
      { numRuns: 300 },
    );
  });
});

it("a message in parts is the message, up to the longest that two blocks hold", () => {
  for (let length = 0; length <= MAX_SHORT_BYTES; length++) {
    const data = message(length);
    for (const cut of [0, 1, length >> 1, length]) {
      const pieces = [data.subarray(cut), new Uint8Array(0)];
      expect(hex(sm3OfParts(data.subarray(0, cut), pieces)), `${length}/${cut}`).toBe(
        openssl(data),
      );
    }
  }
});
