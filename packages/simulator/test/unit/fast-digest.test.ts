import { sm3, taggedSm3 } from "@credlink/crypto";
import { replaceDigest } from "@credlink/crypto/simulation";
import { concatBytes, toHex } from "@credlink/primitives";
import { createSeededRandom } from "@credlink/testkit";
import { afterEach, describe, expect, it } from "vitest";
import { fastDigest } from "../../src/fast-digest.ts";

const EMPTY = new Uint8Array(0);

afterEach(() => replaceDigest(null));

describe("fast digest", () => {
  it("depends on the bytes, not on how they are parted", () => {
    const random = createSeededRandom(1);
    for (const length of [0, 1, 15, 16, 17, 100, 5_000]) {
      const bytes = random.bytes(length);
      const whole = toHex(fastDigest(bytes, []));
      for (const at of [0, Math.floor(length / 3), length]) {
        const [first, last] = [bytes.subarray(0, at), bytes.subarray(at)];
        expect(toHex(fastDigest(first, [last]))).toBe(whole);
        expect(toHex(fastDigest(EMPTY, [first, EMPTY, last]))).toBe(whole);
      }
    }
  });

  it("tells lengths of zeros apart, also after a longer input", () => {
    fastDigest(new Uint8Array(9_000).fill(255), []);
    const seen = new Set<string>();
    for (let length = 0; length < 200; length++) {
      seen.add(toHex(fastDigest(new Uint8Array(length), [])));
    }
    expect(seen.size).toBe(200);
  });

  it("changes about half of its bits, in each of its 8 words, with any bit of the input", () => {
    const random = createSeededRandom(2);
    const input = random.bytes(70);
    const before = fastDigest(input, []);
    const flips = new Array<number>(8).fill(0);
    for (let bit = 0; bit < 8 * input.length; bit++) {
      const bent = input.slice();
      bent[bit >> 3] = (bent[bit >> 3] as number) ^ (1 << (bit & 7));
      const after = fastDigest(bent, []);
      for (let at = 0; at < 32; at++) {
        const difference = (before[at] as number) ^ (after[at] as number);
        const word = at >> 2;
        flips[word] = (flips[word] as number) + difference.toString(2).replaceAll("0", "").length;
      }
    }
    for (const count of flips) {
      const share = count / (32 * 8 * input.length);
      expect(share).toBeGreaterThan(0.45);
      expect(share).toBeLessThan(0.55);
    }
  });

  it("has no collision among 300,000 counters in any of its four lanes", () => {
    const lanes = [0, 4, 8, 12].map(() => new Set<string>());
    const counter = new Uint8Array(8);
    for (let i = 0; i < 300_000; i++) {
      new DataView(counter.buffer).setUint32(2, i);
      const hex = toHex(fastDigest(counter, []));
      // Pairs of lanes are 64 bits: a collision by chance has odds of 1 in 10^8.
      for (const [at, lane] of lanes.entries()) lane.add((hex + hex).slice(8 * at, 8 * at + 16));
    }
    for (const lane of lanes) expect(lane.size).toBe(300_000);
  });
});

describe("replacing SM3", () => {
  it("holds for both digests of the door until it is taken back", () => {
    const input = new Uint8Array([1, 2, 3]);
    const real = [toHex(sm3(input)), toHex(taggedSm3("credlink/tx/1", input))];
    replaceDigest(fastDigest);
    const domain = new TextEncoder().encode("\rcredlink/tx/1");
    expect(toHex(sm3(input))).toBe(toHex(fastDigest(input, [])));
    expect(toHex(taggedSm3("credlink/tx/1", input))).toBe(
      toHex(fastDigest(concatBytes(domain, input), [])),
    );
    replaceDigest(null);
    expect([toHex(sm3(input)), toHex(taggedSm3("credlink/tx/1", input))]).toEqual(real);
  });
});
