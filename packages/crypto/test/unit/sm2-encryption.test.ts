import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { concatBytes, fromHex, toHex, utf8 } from "@credlink/primitives";
import { sm2 as smCrypto } from "sm-crypto";
import { describe, expect, test } from "vitest";
import { nodePlatform } from "../../src/node/platform.ts";
import { purePlatform } from "../../src/pure/platform.ts";
import { encryptWithNonce } from "../../src/sm2-encryption.ts";
import { badPublicKeys } from "../support/cases.ts";
import { doors, thrownCode } from "../support/doors.ts";

const vectorFile = new URL("../vectors/sm2-encryption.json", import.meta.url);
const vector: Readonly<
  Record<"privateKey" | "publicKey" | "message" | "k" | "point" | "digest" | "ciphertext", string>
> = JSON.parse(readFileSync(vectorFile, "utf8"));
const bytesOf = (name: keyof typeof vector): Uint8Array => fromHex(vector[name]);

/** The point, digest and ciphertext of our DER, as C1 ‖ C3 ‖ C2 in hex without the leading 04. */
function rawOf(der: Uint8Array): string {
  const parts: string[] = [];
  for (let at = der[1] === 0x81 ? 3 : 2; at < der.length; ) {
    const length = der[at + 1] === 0x81 ? (der[at + 2] ?? 0) : (der[at + 1] ?? 0);
    const start = at + (der[at + 1] === 0x81 ? 3 : 2);
    const content = der.subarray(start, start + length);
    const number = toHex(content).replace(/^00/, "").padStart(64, "0");
    parts.push(der[at] === 0x02 ? number : toHex(content));
    at = start + length;
  }
  return parts.join("");
}

test.each([
  ["node", nodePlatform],
  ["browser", purePlatform],
] as const)(
  "S-9.5-0: %s platform: the example of GB/T 32918.5 annex C, to the bit",
  (_, platform) => {
    const message = utf8(vector.message);
    const der = encryptWithNonce(platform, bytesOf("publicKey"), message, bytesOf("k"));
    const expected = concatBytes(bytesOf("point"), bytesOf("digest"), bytesOf("ciphertext"));
    expect(rawOf(der ?? new Uint8Array(0))).toBe(toHex(expected));
  },
);

describe.each(doors)("%s door: SM2 encryption", (_, door) => {
  const { privateKey, publicKey } = door.generateKeyPair();

  test("S-9.5-0: the example's ciphertext opens, at every length both doors open each other's", () => {
    const der = encryptWithNonce(
      purePlatform,
      bytesOf("publicKey"),
      utf8("encryption standard"),
      bytesOf("k"),
    );
    const opened = door.sm2Decrypt(bytesOf("privateKey"), der ?? new Uint8Array(0));
    expect(new TextDecoder().decode(opened)).toBe("encryption standard");
    for (const length of [1, 16, 31, 32, 33, 64, 65, 127, 128, 300, 4_096]) {
      const message = Uint8Array.from({ length }, (_byte, i) => (i * 11 + length) & 0xff);
      const ciphertext = door.sm2Encrypt(publicKey, message);
      for (const [, other] of doors) {
        expect(toHex(other.sm2Decrypt(privateKey, ciphertext))).toBe(toHex(message));
      }
    }
  });

  test("sm-crypto reads what we write", () => {
    const message = "密钥分发 key distribution";
    const raw = rawOf(door.sm2Encrypt(publicKey, utf8(message)));
    const cipherMode = 1;
    expect(smCrypto.doDecrypt(raw, toHex(privateKey), cipherMode)).toBe(message);
  });

  test("S-9.7-1: altered bytes, another key and other bytes are refused alike", async () => {
    const ciphertext = door.sm2Encrypt(publicKey, utf8("sixteen byte key"));
    const code = "CRYPTO_CIPHERTEXT_INVALID";
    for (let at = 0; at < ciphertext.length; at += at < 8 ? 1 : 7) {
      const altered = ciphertext.map((byte, i) => (i === at ? byte ^ 1 : byte));
      expect(await thrownCode(() => door.sm2Decrypt(privateKey, altered)), `byte ${at}`).toBe(code);
    }
    const stranger = door.generateKeyPair().privateKey;
    expect(await thrownCode(() => door.sm2Decrypt(stranger, ciphertext))).toBe(code);
    for (const bytes of [new Uint8Array(0), utf8("text"), ciphertext.subarray(1)]) {
      expect(await thrownCode(() => door.sm2Decrypt(privateKey, bytes))).toBe(code);
    }
  });

  test("keys off the curve and lengths out of range have their codes", async () => {
    const message = utf8("m");
    for (const bad of badPublicKeys({ privateKey, publicKey })) {
      const run = () => door.sm2Encrypt(bad, message);
      expect(await thrownCode(run)).toBe("CRYPTO_PUBLIC_KEY_INVALID");
    }
    for (const length of [0, 4_097]) {
      const run = () => door.sm2Encrypt(publicKey, new Uint8Array(length));
      expect(await thrownCode(run)).toBe("CRYPTO_LENGTH_INVALID");
    }
    const run = () => door.sm2Decrypt(new Uint8Array(32), door.sm2Encrypt(publicKey, message));
    expect(await thrownCode(run)).toBe("CRYPTO_PRIVATE_KEY_INVALID");
  });

  test("S-9.5-2b: a signer keeps no view on the key that it was given, so it can be wiped", async () => {
    const pair = door.generateKeyPair();
    const given = pair.privateKey.slice();
    const signer = door.createSm2Signer(given);
    door.wipe(given);
    expect(given.every((byte) => byte === 0)).toBe(true);
    const message = utf8("after wiping");
    const signature = await signer.sign(message);
    expect(door.sm2Verify(pair.publicKey, message, signature)).toBe(true);
  });
});

function hasOpenssl(): boolean {
  try {
    return /^OpenSSL 3/.test(execFileSync("openssl", ["version"]).toString());
  } catch {
    return false;
  }
}

test.skipIf(!hasOpenssl())(
  "S-9.5-0: OpenSSL's command opens what we encrypt, and we what it does",
  () => {
    const [, door] = doors[0] ?? [];
    if (door === undefined) throw new Error("no door");
    const folder = mkdtempSync(join(tmpdir(), "credlink-sm2-"));
    const at = (name: string): string => join(folder, name);
    try {
      const { privateKey, publicKey } = door.generateKeyPair();
      writeFileSync(at("key.pem"), door.plaintextPrivateKey(privateKey), { mode: 0o600 });
      writeFileSync(at("ours.bin"), door.sm2Encrypt(publicKey, utf8("from us")));
      const options = { cwd: folder };
      const decrypt = ["pkeyutl", "-decrypt", "-inkey", "key.pem", "-in", "ours.bin"];
      expect(execFileSync("openssl", decrypt, options).toString()).toBe("from us");
      writeFileSync(at("text"), "from OpenSSL");
      const encrypt = ["pkeyutl", "-encrypt", "-inkey", "key.pem", "-in", "text"];
      const theirs = new Uint8Array(execFileSync("openssl", encrypt, options));
      expect(new TextDecoder().decode(door.sm2Decrypt(privateKey, theirs))).toBe("from OpenSSL");
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
