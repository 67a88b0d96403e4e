import { toHex } from "@credlink/primitives";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createGhashKernel } from "../../src/ghash/kernel.ts";
import { ghashMasked } from "../../src/ghash/masked.ts";
import { createSm4Gcm, sm4GcmDecrypt, sm4GcmEncrypt } from "../../src/index.ts";
import { thrownCode } from "../support/doors.ts";

const block = fc.uint8Array({ minLength: 16, maxLength: 16 });

test("the GHASH kernel gives the sums of the code that goes bit by bit", () => {
  const kernel = createGhashKernel();
  fc.assert(
    fc.property(
      block,
      fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 4 }),
      (key, parts) => {
        expect(toHex(kernel(key, parts))).toBe(toHex(ghashMasked(key, parts)));
      },
    ),
  );
});

test("the GHASH kernel at its edges: all bits set, one bit, more than its memory holds", () => {
  const kernel = createGhashKernel();
  const full = new Uint8Array(48).fill(0xff);
  const bit = (at: number, length: number): Uint8Array =>
    Uint8Array.from({ length }, (_, i) => (i === at >> 3 ? 128 >> (at & 7) : 0));
  for (let at = 0; at < 128; at++) {
    for (const data of [full, bit(127 - at, 16)]) {
      for (const key of [bit(at, 16), full.subarray(0, 16)]) {
        expect(toHex(kernel(key, [data]))).toBe(toHex(ghashMasked(key, [data])));
      }
    }
  }
  for (const length of [65_535, 65_536, 65_537, 131_089]) {
    const data = Uint8Array.from({ length }, (_, i) => (i * i) >>> 3);
    const key = full.subarray(0, 16);
    expect(toHex(kernel(key, [data]))).toBe(toHex(ghashMasked(key, [data])));
  }
});

test("S-9.5-0: a keyed cipher seals and opens as the operation with a key each time", async () => {
  await fc.assert(
    fc.asyncProperty(
      block,
      fc.uint8Array({ minLength: 12, maxLength: 12 }),
      fc.uint8Array({ maxLength: 40 }),
      fc.uint8Array({ maxLength: 200 }),
      fc.nat(),
      async (key, iv, aad, data, where) => {
        const gcm = createSm4Gcm(key);
        const sealed = gcm.seal({ iv, aad, data });
        expect(toHex(sealed)).toBe(toHex(sm4GcmEncrypt({ key, iv, aad, data })));
        expect(toHex(gcm.open({ iv, aad, data: sealed }))).toBe(toHex(data));
        expect(toHex(sm4GcmDecrypt({ key, iv, aad, data: sealed }))).toBe(toHex(data));
        const spoilt = sealed.slice();
        const at = where % spoilt.length;
        spoilt[at] = (spoilt[at] ?? 0) ^ (1 << (where & 7));
        const run = () => gcm.open({ iv, aad, data: spoilt });
        expect(await thrownCode(run)).toBe("CRYPTO_TAG_INVALID");
      },
    ),
    { numRuns: 60 },
  );
});

test("a keyed cipher keeps no view on the key it was given, and none is used once wiped", () => {
  const key = new Uint8Array(16).fill(7);
  const gcm = createSm4Gcm(key);
  const iv = new Uint8Array(12);
  const data = Uint8Array.of(1, 2, 3);
  const sealed = toHex(gcm.seal({ iv, data }));
  key.fill(0);
  expect(toHex(gcm.seal({ iv, data }))).toBe(sealed);
  gcm.wipe();
  expect(() => gcm.seal({ iv, data })).toThrow("wiped");
});
