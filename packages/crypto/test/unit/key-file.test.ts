import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toHex } from "@credlink/primitives";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { generateKeyPair, loadKeyFile, saveKeyFile } from "../../src/index.ts";
import { doors, thrownCode } from "../support/doors.ts";

const { privateKey } = generateKeyPair();
const FAST = { iterations: 1_024 };
const PASSWORD = "密码 Test-2026";

describe.each(doors)("K1: %s door: keys in PEM", (_, door) => {
  test("the other door opens what this one closed", () => {
    const pem = door.encryptPrivateKey(privateKey, PASSWORD, FAST);
    for (const [, other] of doors) {
      expect(toHex(other.decryptPrivateKey(pem, PASSWORD))).toBe(toHex(privateKey));
    }
    expect(door.encryptPrivateKey(privateKey, PASSWORD, FAST)).not.toBe(pem);
  });

  test("wrong passwords have one code, however the padding falls", async () => {
    const pem = door.encryptPrivateKey(privateKey, PASSWORD, FAST);
    for (let i = 0; i < 300; i++) {
      const run = () => door.decryptPrivateKey(pem, `wrong ${i}`);
      expect(await thrownCode(run)).toBe("CRYPTO_KEY_PASSWORD_WRONG");
    }
  });

  test("plaintext needs leave", async () => {
    const pem = door.plaintextPrivateKey(privateKey);
    expect(await thrownCode(() => door.decryptPrivateKey(pem, PASSWORD))).toBe(
      "CRYPTO_KEY_PLAINTEXT",
    );
    expect(toHex(door.decryptPrivateKey(pem, { allowPlaintext: true }))).toBe(toHex(privateKey));
  });

  test("empty passwords and few iterations are refused", async () => {
    for (const run of [
      () => door.encryptPrivateKey(privateKey, ""),
      () => door.encryptPrivateKey(privateKey, PASSWORD, { iterations: 1_023 }),
      () => door.encryptPrivateKey(privateKey, PASSWORD, { iterations: 2e7 }),
    ]) {
      expect(await thrownCode(run)).toBe("CRYPTO_LENGTH_INVALID");
    }
  });
});

describe("key files", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "credlink-key-"));
  });
  afterAll(() => rm(folder, { recursive: true }));
  const at = (name: string): string => join(folder, name);

  test("are made for their owner alone and never overwritten", async () => {
    await saveKeyFile(at("a.key"), privateKey, { password: PASSWORD, ...FAST });
    expect((await stat(at("a.key"))).mode & 0o777).toBe(0o600);
    expect(toHex(await loadKeyFile(at("a.key"), { password: PASSWORD }))).toBe(toHex(privateKey));
    const before = await readFile(at("a.key"), "utf8");
    const again = () => saveKeyFile(at("a.key"), privateKey, { plaintext: true });
    expect(await thrownCode(again)).toBe("CRYPTO_KEY_FILE_EXISTS");
    expect(await readFile(at("a.key"), "utf8")).toBe(before);
  });

  test.each([0o640, 0o604, 0o660, 0o602, 0o610])("of mode %o are refused", async (mode) => {
    const path = at(`mode-${mode}.key`);
    await saveKeyFile(path, privateKey, { plaintext: true });
    const access = { allowPlaintext: true };
    expect(toHex(await loadKeyFile(path, access))).toBe(toHex(privateKey));
    await chmod(path, mode);
    expect(await thrownCode(() => loadKeyFile(path, access))).toBe("CRYPTO_KEY_FILE_MODE");
  });

  test("that are links, folders, missing or something else are refused", async () => {
    await saveKeyFile(at("real.key"), privateKey, { plaintext: true });
    await symlink(at("real.key"), at("link.key"));
    await writeFile(at("text.key"), "hello", { mode: 0o600 });
    await writeFile(at("large.key"), new Uint8Array(100_000), { mode: 0o600 });
    const access = { allowPlaintext: true };
    for (const [name, code] of [
      ["link.key", "CRYPTO_KEY_FILE_UNREADABLE"],
      ["missing.key", "CRYPTO_KEY_FILE_UNREADABLE"],
      [".", "CRYPTO_KEY_FILE_MODE"],
      ["text.key", "CRYPTO_PEM_MALFORMED"],
      ["large.key", "CRYPTO_KEY_FILE_MALFORMED"],
    ] as const) {
      expect(await thrownCode(() => loadKeyFile(at(name), access))).toBe(code);
    }
    expect(await thrownCode(() => loadKeyFile(at("real.key"), {}))).toBe("CRYPTO_KEY_PLAINTEXT");
  });
});
