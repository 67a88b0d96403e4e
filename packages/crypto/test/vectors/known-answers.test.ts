import { readFileSync } from "node:fs";
import { fromHex, toHex, utf8 } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import { signWithNonce } from "../../src/pure/sm2.ts";
import { sm3 as pureSm3 } from "../../src/pure/sm3.ts";
import { zInput } from "../../src/sm2-curve.ts";
import { doors } from "../support/doors.ts";

interface KnownAnswers {
  readonly sm3: readonly { readonly message: string; readonly digest: string }[];
  readonly sm4: readonly {
    readonly key: string;
    readonly plaintext: string;
    readonly ciphertext: string;
    readonly rounds: number;
  }[];
  readonly sm2: { readonly sign: readonly Readonly<Record<string, string>>[] };
}

const file = new URL("gm-known-answers.json", import.meta.url);
const answers: KnownAnswers = JSON.parse(readFileSync(file, "utf8"));

describe.each(doors)("%s door: known answers", (_, door) => {
  test.each(answers.sm3)("T-4.6.1-3: SM3 of GB/T 32905, 256 bits: $digest", (vector) => {
    expect(toHex(door.sm3(utf8(vector.message)))).toBe(vector.digest);
    const pieces = door.createSm3();
    for (const character of vector.message) pieces.update(utf8(character));
    expect(toHex(pieces.digest())).toBe(vector.digest);
  });

  test.each(answers.sm4)("SM4 of GB/T 32907, $rounds times", (vector) => {
    // CBC over zeros feeds each ciphertext block into the next encryption.
    const data = new Uint8Array(16 * vector.rounds);
    const iv = fromHex(vector.plaintext);
    const output = door.sm4CbcEncrypt({ key: fromHex(vector.key), iv, data });
    expect(toHex(output.subarray(data.length - 16, data.length))).toBe(vector.ciphertext);
  });

  test.each(answers.sm2.sign)("SM2 signature of GB/T 32918.5 verifies", (vector) => {
    const { privateKey = "", publicKey = "", message = "", r = "", s = "" } = vector;
    expect(toHex(door.publicKeyFromPrivate(fromHex(privateKey)))).toBe(publicKey);
    expect(door.sm2Verify(fromHex(publicKey), utf8(message), fromHex(r + s))).toBe(true);
    expect(toHex(door.sm3(zInput(fromHex(publicKey))))).toBe(vector["z"]);
  });

  test("SM4-GCM of RFC 8998 appendix A.1", () => {
    const input = {
      key: fromHex("0123456789abcdeffedcba9876543210"),
      iv: fromHex("00001234567800000000abcd"),
      aad: fromHex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
    };
    const data = fromHex("aabbccddeeffeeaa".replaceAll(/../g, (byte) => byte.repeat(8)));
    const expected =
      "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735" +
      "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d" +
      "83de3541e4c2b58177e065a9bf7b62ec";
    expect(toHex(door.sm4GcmEncrypt({ ...input, data }))).toBe(expected);
    expect(toHex(door.sm4GcmDecrypt({ ...input, data: fromHex(expected) }))).toBe(toHex(data));
  });
});

test("SM2 signature of GB/T 32918.5 with its nonce comes out to the bit", () => {
  for (const vector of answers.sm2.sign) {
    const { privateKey = "", publicKey = "", message = "", k = "", r = "", s = "" } = vector;
    const signature = signWithNonce(fromHex(privateKey), utf8(message), BigInt(`0x${k}`));
    expect(signature === undefined ? "none" : toHex(signature)).toBe(r + s);
    const z = pureSm3(zInput(fromHex(publicKey)));
    expect(toHex(pureSm3(Uint8Array.from([...z, ...utf8(message)])))).toBe(vector["e"]);
  }
});
