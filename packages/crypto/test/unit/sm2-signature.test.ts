import { concatBytes, toHex } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import {
  generateKeyPair,
  sm2Sign,
  sm2SignatureFromDer,
  sm2SignatureToDer,
} from "../../src/index.ts";
import { numberToBytes, SM2_CURVE } from "../../src/sm2-curve.ts";

const { n } = SM2_CURVE;
const MESSAGE = Uint8Array.of(1, 2, 3);

function integer(...content: readonly number[]): Uint8Array {
  return Uint8Array.of(2, content.length, ...content);
}

function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(...parts);
  return concatBytes(Uint8Array.of(0x30, content.length), content);
}

const ONE = integer(1);

describe("the DER form of a signature", () => {
  test("goes both ways for 200 signatures", () => {
    const { privateKey } = generateKeyPair();
    for (let i = 0; i < 200; i++) {
      const signature = sm2Sign(privateKey, MESSAGE);
      const der = sm2SignatureToDer(signature);
      if (!der.ok) throw new Error(der.code);
      const back = sm2SignatureFromDer(der.value);
      expect(back.ok && toHex(back.value)).toBe(toHex(signature));
    }
  });

  test("keeps small numbers short", () => {
    const der = sm2SignatureToDer(concatBytes(numberToBytes(1n), numberToBytes(0x80n)));
    expect(der.ok && toHex(der.value)).toBe("300702010102020080");
  });

  const order = [0, ...numberToBytes(n)];
  const refused: Readonly<Record<string, Uint8Array>> = {
    nothing: new Uint8Array(0),
    "an empty sequence": sequence(),
    "one number": sequence(ONE),
    "three numbers": sequence(ONE, ONE, ONE),
    "r = 0": sequence(integer(0), ONE),
    "s = 0": sequence(ONE, integer(0)),
    "r = n": sequence(integer(...order), ONE),
    "s = n": sequence(ONE, integer(...order)),
    "r + s = n": sequence(ONE, integer(0, ...numberToBytes(n - 1n))),
    "a negative r": sequence(integer(0x80), ONE),
    "a negative s": sequence(ONE, integer(0xff)),
    "a leading zero": sequence(integer(0, 1), ONE),
    "two leading zeros": sequence(ONE, integer(0, 0, 0x80)),
    "an empty integer": sequence(integer(), ONE),
    "33 bytes that count": sequence(integer(...new Array(33).fill(1)), ONE),
    "a byte after the end": concatBytes(sequence(ONE, ONE), Uint8Array.of(0)),
    "a byte inside after the end": sequence(ONE, ONE, Uint8Array.of(0)),
    "a long-form length": Uint8Array.of(0x30, 0x81, 6, ...ONE, ...ONE),
    "an indefinite length": Uint8Array.of(0x30, 0x80, ...ONE, ...ONE, 0, 0),
    "a set": Uint8Array.of(0x31, 6, ...ONE, ...ONE),
    "an octet string inside": sequence(Uint8Array.of(4, 1, 1), ONE),
    "a long-form length inside": sequence(Uint8Array.of(2, 0x81, 1, 1), ONE),
    "too short": sequence(ONE, ONE).subarray(0, 7),
    "a length past the end": Uint8Array.of(0x30, 7, ...ONE, ...ONE),
  };

  test.each(Object.keys(refused))("with %s is refused", (name) => {
    const result = sm2SignatureFromDer(refused[name] ?? new Uint8Array(0));
    expect(result.ok ? "accepted" : result.code).toBe("CRYPTO_SIGNATURE_MALFORMED");
  });

  test.each([0n, n, n + 1n])("r = %s cannot be encoded", (r) => {
    const result = sm2SignatureToDer(concatBytes(numberToBytes(r), numberToBytes(5n)));
    expect(result.ok ? "accepted" : result.code).toBe("CRYPTO_SIGNATURE_MALFORMED");
  });
});
