import { fromHex, toHex } from "@credlink/primitives";
import { weierstrass } from "@noble/curves/abstract/weierstrass.js";
import { describe, expect, test } from "vitest";
import {
  checkAgreement,
  generateAgreementKey,
  generateKeyPair,
  openAgreementKey,
} from "../../src/index.ts";
import { bytesToNumber, numberToBytes, SM2_CURVE } from "../../src/sm2-curve.ts";
import { thrownCode } from "../support/doors.ts";

const Point = weierstrass(SM2_CURVE);

function byNoble(privateKey: Uint8Array, publicKey: Uint8Array): string {
  const point = Point.fromHex(toHex(publicKey)).multiply(bytesToNumber(privateKey));
  return toHex(numberToBytes(point.toAffine().x));
}

function open(privateKey: Uint8Array) {
  const publicKey = fromHex(Point.BASE.multiply(bytesToNumber(privateKey)).toHex(false));
  return openAgreementKey(privateKey, publicKey);
}

describe("S-9.5-1: Diffie-Hellman over the SM2 curve by OpenSSL", () => {
  test("passes its own known answer", () => {
    expect(() => checkAgreement()).not.toThrow();
  });

  test("both sides compute x of [d]Q, as noble does", () => {
    for (let i = 0; i < 4; i++) {
      const [a, b] = [generateKeyPair(), generateKeyPair()];
      const secret = toHex(openAgreementKey(a.privateKey, a.publicKey).agree(b.publicKey));
      expect(toHex(openAgreementKey(b.privateKey, b.publicKey).agree(a.publicKey))).toBe(secret);
      expect(secret).toBe(byNoble(a.privateKey, b.publicKey));
    }
  });

  test("the smallest and the largest private keys, and secrets with leading zeros", () => {
    const { publicKey } = generateKeyPair();
    for (const scalar of [1n, 2n, SM2_CURVE.n - 2n]) {
      const secret = open(numberToBytes(scalar)).agree(publicKey);
      expect(toHex(secret)).toBe(byNoble(numberToBytes(scalar), publicKey));
      expect(secret.length).toBe(32);
    }
    // The first multiples of G whose x begins with a zero byte.
    const one = open(numberToBytes(1n));
    let found = 0;
    for (
      let point = Point.BASE, i = 0;
      found < 2 && i < 4_000;
      i++, point = point.add(Point.BASE)
    ) {
      const bytes = fromHex(point.toHex(false));
      if (bytes[1] !== 0) continue;
      found++;
      expect(toHex(one.agree(bytes))).toBe(toHex(bytes.subarray(1, 33)));
    }
    expect(found).toBe(2);
  });

  test("fresh keys differ and agree", () => {
    const [a, b] = [generateAgreementKey(), generateAgreementKey()];
    expect(toHex(a.publicKey)).not.toBe(toHex(b.publicKey));
    expect(toHex(a.agree(b.publicKey))).toBe(toHex(b.agree(a.publicKey)));
  });

  test("refuses what is no uncompressed point of the curve, before OpenSSL sees it", async () => {
    const key = generateAgreementKey();
    const good = generateKeyPair().publicKey;
    const off = good.slice();
    off[64] = (off[64] ?? 0) ^ 1;
    const beyond = new Uint8Array(65).fill(0xff);
    beyond[0] = 4;
    const compressed = Uint8Array.of(2 + ((good[64] ?? 0) & 1), ...good.subarray(1, 33));
    const hybrid = Uint8Array.of(6 + ((good[64] ?? 0) & 1), ...good.subarray(1));
    const zero = new Uint8Array(65);
    zero[0] = 4;
    const infinity = Uint8Array.of(0);
    const empty = new Uint8Array(0);
    for (const bad of [
      off,
      beyond,
      compressed,
      hybrid,
      zero,
      infinity,
      empty,
      new Uint8Array(65),
    ]) {
      expect(await thrownCode(() => key.agree(bad))).toBe("CRYPTO_PUBLIC_KEY_INVALID");
    }
  });
});
