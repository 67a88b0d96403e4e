import { systemRandom } from "@credlink/crypto";
import { InvariantError, toHex } from "@credlink/primitives";
import fc from "fast-check";
import { combine, split } from "shamir-secret-sharing";
import { expect, test } from "vitest";
import { combineShares, type Share, splitSecret } from "../../src/index.ts";

/** The audited library's shares are the values with the index at their end. */
const toLibrary = ({ index, bytes }: Share): Uint8Array => Uint8Array.of(...bytes, index);
const fromLibrary = (share: Uint8Array): Share => ({
  index: share.at(-1) ?? 0,
  bytes: share.slice(0, -1),
});

const scheme = fc
  .record({
    secret: fc.uint8Array({ minLength: 1, maxLength: 40 }),
    count: fc.integer({ min: 2, max: 12 }),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
    order: fc.infiniteStream(fc.nat()),
  })
  .map(({ secret, count, part, order }) => ({
    ...{ secret, count, threshold: 2 + Math.floor(part * (count - 2)) },
    shuffle: <T>(items: readonly T[]): T[] =>
      items
        .map((item) => ({ item, place: order.next().value ?? 0 }))
        .sort((a, b) => a.place - b.place)
        .map(({ item }) => item),
  }));

test("S-9.7-3: any threshold of shares gives the secret, also by the audited library", async () => {
  await fc.assert(
    fc.asyncProperty(scheme, async ({ secret, count, threshold, shuffle }) => {
      const shares = shuffle(splitSecret(systemRandom, secret, { threshold, count }));
      const enough = shares.slice(0, threshold);
      expect(toHex(combineShares(enough))).toBe(toHex(secret));
      expect(toHex(combineShares(shares))).toBe(toHex(secret));
      expect(toHex(await combine(enough.map(toLibrary)))).toBe(toHex(secret));
      const theirs = shuffle(await split(Uint8Array.from(secret), count, threshold));
      const ours = theirs.slice(0, threshold).map(fromLibrary);
      expect(toHex(combineShares(ours))).toBe(toHex(secret));
    }),
    { numRuns: 60 },
  );
});

test("S-9.7-3: one share less says nothing: every secret is as likely", () => {
  // With threshold 2 a share's byte is secret ⊕ c·x with c uniform: all 256 values, for any secret.
  for (const secret of [0, 1, 255]) {
    const seen = new Set<number>();
    for (let c = 0; c < 256; c++) {
      const random = { bytes: () => Uint8Array.of(c), integer: () => 0 };
      const options = { threshold: 2, count: 3 };
      const [, , third] = splitSecret(random, Uint8Array.of(secret), options);
      seen.add(third?.bytes[0] ?? -1);
    }
    expect(seen.size).toBe(256);
  }
});

test("known answers: a polynomial worked by hand over the field of FIPS 197", () => {
  // f(x) = 57 + 83·x: FIPS 197 §4.2 has 57 · 83 = c1 and §4.2.1 has 57 · 02 = ae.
  const random = { bytes: () => Uint8Array.of(0x57), integer: () => 0 };
  const shares = splitSecret(random, Uint8Array.of(0), { threshold: 2, count: 0x83 });
  expect(shares[0x82]?.bytes[0]).toBe(0xc1);
  expect(shares[0x01]?.bytes[0]).toBe(0xae);
  expect(shares[0x03]?.bytes[0]).toBe(0x47);
  expect(shares[0x07]?.bytes[0]).toBe(0x8e);
  expect(shares[0x0f]?.bytes[0]).toBe(0x07);
  expect(shares[0x12]?.bytes[0]).toBe(0xfe);
});

test("numbers out of bounds are the caller's mistake", () => {
  const secret = Uint8Array.of(1);
  for (const [threshold, count] of [
    [1, 2],
    [3, 2],
    [2, 256],
    [2.5, 4],
  ] as const) {
    expect(() => splitSecret(systemRandom, secret, { threshold, count })).toThrow(InvariantError);
  }
  splitSecret(systemRandom, secret, { threshold: 255, count: 255 });
  const share = { index: 1, bytes: secret };
  for (const shares of [[], [share], [share, share], [share, { index: 0, bytes: secret }]]) {
    expect(() => combineShares(shares)).toThrow(InvariantError);
  }
});
