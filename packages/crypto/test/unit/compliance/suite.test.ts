import { createCipheriv, createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { concatBytes, InvariantError, toHex, utf8 } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import * as browser from "../../../src/browser.ts";
import { gcmDecrypt, gcmEncrypt } from "../../../src/gcm.ts";
import * as node from "../../../src/index.ts";
import { badPublicKeys } from "../../support/cases.ts";
import { codeOf, doors, good, thrownCode } from "../../support/doors.ts";

const KEY = utf8("0123456789abcdef");
const IV = utf8("fedcba9876543210");
const MESSAGE = utf8("全链路凭证");

test("the browser door has everything of the Node door except files, threads and agreements", () => {
  const onlyNode = Object.keys(node).filter((name) => !(name in browser));
  expect(onlyNode.sort()).toEqual([
    "checkAgreement",
    "createVerificationPool",
    "generateAgreementKey",
    "loadKeyFile",
    "openAgreementKey",
    "saveKeyFile",
  ]);
  expect(Object.keys(browser).filter((name) => !(name in node))).toEqual([]);
});

describe.each(doors)("%s door", (_, door) => {
  test("T-4.6.1-3: SM3, whole and in pieces, agrees with OpenSSL for every length to 300", () => {
    for (let length = 0; length <= 300; length++) {
      const data = Uint8Array.from({ length }, (_byte, i) => (i * 7 + length) & 0xff);
      const expected = createHash("sm3").update(data).digest("hex");
      expect(toHex(door.sm3(data))).toBe(expected);
      const cut = length % 97;
      const pieces = door.createSm3().update(data.subarray(0, cut)).update(data.subarray(cut));
      expect(toHex(pieces.digest())).toBe(expected);
    }
  });

  test("taggedSm3 puts the domain and its length in front", () => {
    const expected = door.sm3(concatBytes(Uint8Array.of(3), utf8("a/1"), utf8("xy"), utf8("z")));
    expect(toHex(door.taggedSm3("a/1", utf8("xy"), utf8("z")))).toBe(toHex(expected));
    expect(toHex(door.taggedSm3("a/2", utf8("xyz")))).not.toBe(toHex(expected));
    expect(() => door.taggedSm3("")).toThrow(InvariantError);
    expect(() => door.taggedSm3("ä")).toThrow(InvariantError);
    expect(() => door.taggedSm3("a".repeat(256))).toThrow(InvariantError);
  });

  test("HMAC-SM3 and PBKDF2-HMAC-SM3 agree with OpenSSL", () => {
    for (const length of [0, 1, 32, 63, 64, 65, 200]) {
      const key = new Uint8Array(length).fill(length);
      const expected = createHmac("sm3", key).update(MESSAGE).digest("hex");
      expect(toHex(door.hmacSm3(key, MESSAGE))).toBe(expected);
    }
    for (const [iterations, length] of [
      [1, 16],
      [2, 32],
      [7, 33],
      [50, 100],
    ] as const) {
      const expected = pbkdf2Sync(KEY, IV, iterations, length, "sm3").toString("hex");
      expect(toHex(door.pbkdf2HmacSm3(KEY, IV, iterations, length))).toBe(expected);
    }
  });

  test("SM4 in CBC and CTR agrees with OpenSSL for every length to 70", () => {
    for (let length = 0; length <= 70; length++) {
      const data = new Uint8Array(length).fill(length);
      for (const [mode, encrypt, decrypt] of [
        ["sm4-cbc", door.sm4CbcEncrypt, door.sm4CbcDecrypt],
        ["sm4-ctr", sm4Ctr, sm4Ctr],
      ] as const) {
        const cipher = createCipheriv(mode, KEY, IV);
        const expected = Buffer.concat([cipher.update(data), cipher.final()]).toString("hex");
        const ciphertext = encrypt({ key: KEY, iv: IV, data });
        expect(toHex(ciphertext)).toBe(expected);
        expect(toHex(decrypt({ key: KEY, iv: IV, data: ciphertext }))).toBe(toHex(data));
      }
    }
    function sm4Ctr(input: { key: Uint8Array; iv: Uint8Array; data: Uint8Array }): Uint8Array {
      return door.sm4Ctr({ key: input.key, counter: input.iv, data: input.data });
    }
  });

  test("SM4-CTR carries over all sixteen bytes", () => {
    const counter = new Uint8Array(16).fill(0xff);
    const cipher = createCipheriv("sm4-ctr", KEY, counter);
    const expected = cipher.update(new Uint8Array(64)).toString("hex");
    const output = door.sm4CtrEncrypt({ key: KEY, counter, data: new Uint8Array(64) });
    expect(toHex(output)).toBe(expected);
  });

  test("SM4-GCM refuses every flipped bit of tag, ciphertext, vector and data", async () => {
    const input = { key: KEY, iv: IV.subarray(0, 12), aad: MESSAGE };
    const data = door.sm4GcmEncrypt({ ...input, data: utf8("secret") });
    expect(toHex(door.sm4GcmDecrypt({ ...input, data }))).toBe(toHex(utf8("secret")));
    const flip = (bytes: Uint8Array, bit: number): Uint8Array =>
      bytes.map((byte, i) => (i === bit >>> 3 ? byte ^ (1 << (bit & 7)) : byte));
    for (let bit = 0; bit < 8 * data.length; bit++) {
      const run = () => door.sm4GcmDecrypt({ ...input, data: flip(data, bit) });
      expect(await thrownCode(run)).toBe("CRYPTO_TAG_INVALID");
    }
    for (const spoilt of [
      { ...input, aad: flip(MESSAGE, 9) },
      { ...input, iv: flip(input.iv, 9) },
      { ...input, key: flip(KEY, 9) },
      { key: KEY, iv: input.iv },
    ]) {
      expect(await thrownCode(() => door.sm4GcmDecrypt({ ...spoilt, data }))).toBe(
        "CRYPTO_TAG_INVALID",
      );
    }
    const short = () => door.sm4GcmDecrypt({ ...input, data: data.subarray(0, 15) });
    expect(await thrownCode(short)).toBe("CRYPTO_TAG_INVALID");
  });

  test("wrong lengths and paddings have their codes", async () => {
    const data = new Uint8Array(16);
    const short = KEY.subarray(1);
    for (const run of [
      () => door.sm4CbcEncrypt({ key: short, iv: IV, data }),
      () => door.sm4CbcDecrypt({ key: KEY, iv: short, data }),
      () => door.sm4CbcDecrypt({ key: KEY, iv: IV, data: short }),
      () => door.sm4CbcDecrypt({ key: KEY, iv: IV, data: new Uint8Array(0) }),
      () => door.sm4Ctr({ key: KEY, counter: short, data }),
      () => door.sm4GcmEncrypt({ key: KEY, iv: IV, data }),
    ]) {
      expect(await thrownCode(run)).toBe("CRYPTO_LENGTH_INVALID");
    }
    // One block whose plaintext ends in 0: no padding ends so.
    const open = door.sm4CbcEncrypt({ key: KEY, iv: IV, data: new Uint8Array(16) });
    const bad = () => door.sm4CbcDecrypt({ key: KEY, iv: IV, data: open.subarray(0, 16) });
    expect(await thrownCode(bad)).toBe("CRYPTO_PADDING_INVALID");
  });

  test("a signer and the other door agree", async () => {
    const { privateKey, publicKey } = door.generateKeyPair();
    const signer = door.createSm2Signer(privateKey);
    expect(toHex(signer.publicKey)).toBe(toHex(publicKey));
    const signature = await signer.sign(MESSAGE);
    expect(signature.length).toBe(64);
    for (const [, other] of doors) {
      expect(other.sm2Verify(publicKey, MESSAGE, signature)).toBe(true);
      expect(other.sm2Verify(publicKey, utf8("other"), signature)).toBe(false);
    }
  });

  test("private keys outside 1 … n−2 are refused", async () => {
    const order = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";
    const hexes = ["", "00", order, `${order.slice(0, -2)}22`, "ff".repeat(32), `00${order}`];
    for (const hex of hexes) {
      const key = Uint8Array.from(Buffer.from(hex, "hex"));
      const code = "CRYPTO_PRIVATE_KEY_INVALID";
      expect(await thrownCode(() => door.publicKeyFromPrivate(key))).toBe(code);
      expect(await thrownCode(() => door.sm2Sign(key, MESSAGE))).toBe(code);
      expect(await thrownCode(() => door.createSm2Signer(key))).toBe(code);
    }
    const largest = Uint8Array.from(Buffer.from(`${order.slice(0, -2)}21`, "hex"));
    const publicKey = door.publicKeyFromPrivate(largest);
    expect(door.sm2Verify(publicKey, MESSAGE, door.sm2Sign(largest, MESSAGE))).toBe(true);
  });

  test("addresses are 32 bytes, cl1…, and only of points on the curve", async () => {
    const pair = door.generateKeyPair();
    const address = door.addressFromPublicKey(pair.publicKey);
    expect(toHex(address)).toBe(toHex(door.taggedSm3("credlink/address/1", pair.publicKey)));
    const text = door.formatAddress(address);
    expect(text).toMatch(/^cl1[02-9ac-hj-np-z]{58}$/);
    expect(toHex(good(door.parseAddress(text)))).toBe(toHex(address));
    expect(codeOf(door.parseAddress(text.toUpperCase()))).toBe("accepted");
    for (const publicKey of badPublicKeys(pair)) {
      expect(door.isValidPublicKey(publicKey)).toBe(false);
      const run = () => door.addressFromPublicKey(publicKey);
      expect(await thrownCode(run)).toBe("CRYPTO_PUBLIC_KEY_INVALID");
    }
    expect(door.isValidPublicKey(pair.publicKey)).toBe(true);
  });

  test("equalSecrets and the randomness", () => {
    expect(door.equalSecrets(KEY, KEY.slice())).toBe(true);
    expect(door.equalSecrets(KEY, IV)).toBe(false);
    expect(door.equalSecrets(KEY, KEY.subarray(1))).toBe(false);
    expect(door.randomBytes(200_000).length).toBe(200_000);
    expect(toHex(door.randomBytes(32))).not.toBe(toHex(door.randomBytes(32)));
    const counts = new Array<number>(6).fill(0);
    for (let i = 0; i < 6_000; i++) {
      const value = door.systemRandom.integer(6);
      counts[value] = (counts[value] ?? 0) + 1;
    }
    expect(counts.length).toBe(6);
    // Twelve standard deviations: a uniform source never fails this.
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(350);
    expect(() => door.systemRandom.integer(0)).toThrow(InvariantError);
  });
});

test("the GCM construction is that of OpenSSL, shown with AES in the cipher's place", () => {
  const aes = {
    sm4EncryptBlock: (key: Uint8Array, block: Uint8Array) =>
      Uint8Array.from(createCipheriv("aes-128-ecb", key, null).update(block)),
    sm4Ctr: (input: { key: Uint8Array; counter: Uint8Array; data: Uint8Array }) =>
      Uint8Array.from(createCipheriv("aes-128-ctr", input.key, input.counter).update(input.data)),
  };
  for (let length = 0; length < 80; length++) {
    const iv = new Uint8Array(12).fill(length);
    const aad = new Uint8Array((length * 3) % 50).fill(7);
    const data = Uint8Array.from({ length }, (_, i) => i * length);
    const cipher = createCipheriv("aes-128-gcm", KEY, iv).setAAD(aad);
    const parts = [cipher.update(data), cipher.final(), cipher.getAuthTag()];
    const sealed = gcmEncrypt(aes, { key: KEY, iv, aad, data });
    expect(toHex(sealed)).toBe(Buffer.concat(parts).toString("hex"));
    expect(toHex(gcmDecrypt(aes, { key: KEY, iv, aad, data: sealed }))).toBe(toHex(data));
  }
});
