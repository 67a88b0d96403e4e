import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemRandom } from "@credlink/crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { passwordOf, type TokenKey, wrapNewPassword } from "../../src/index.ts";
import { codeOf } from "../support/stores.ts";

const LIBRARIES = [
  "/usr/lib/softhsm/libsofthsm2.so",
  "/usr/lib64/pkcs11/libsofthsm2.so",
  "/opt/homebrew/lib/softhsm/libsofthsm2.so",
];
const library = LIBRARIES.find((path) => existsSync(path));
const binding = process.env.CREDLINK_PKCS11JS;

test("S-9.5-3: a password file is its first line; without the binding a wrapped one is refused", async () => {
  expect(passwordOf("first line\nsecond\n")).toBe("first line");
  expect(passwordOf("with spaces \r\n")).toBe("with spaces ");
  expect(await codeOf(() => passwordOf("{}"))).toBe("KEYS_PKCS11_FAILED");
  const file = {
    ...{ format: "credlink/wrapped-password/1", module: "/none.so", token: "t", key: "k" },
    ...{ pinFile: "/none", binding: "/no/such/pkcs11js", iv: "00".repeat(12), wrapped: "00" },
  };
  expect(await codeOf(() => passwordOf(JSON.stringify(file)))).toBe("KEYS_PKCS11_BINDING");
  const foreign = { ...file, binding: "node:os" };
  expect(await codeOf(() => passwordOf(JSON.stringify(foreign)))).toBe("KEYS_PKCS11_BINDING");
});

describe.skipIf(library === undefined || binding === undefined)("S-9.5-3: with SoftHSM", () => {
  let folder = "";
  let use: TokenKey;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "credlink-hsm-"));
    mkdirSync(join(folder, "tokens"));
    const settings = join(folder, "softhsm2.conf");
    writeFileSync(settings, `directories.tokendir = ${join(folder, "tokens")}\n`);
    process.env.SOFTHSM2_CONF = settings;
    const token = [
      "--init-token",
      "--free",
      "--label",
      "test",
      "--pin",
      "1234",
      "--so-pin",
      "5678",
    ];
    execFileSync("softhsm2-util", token);
    writeFileSync(join(folder, "pin"), "1234\n", { mode: 0o600 });
    writeFileSync(join(folder, "wrong"), "9999\n", { mode: 0o600 });
    use = {
      ...{ module: library ?? "", token: "test", key: "wrap", binding: binding ?? "" },
      pinFile: join(folder, "pin"),
    };
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("the token alone opens what it wrapped, with a fresh password each time", () => {
    const [first, second] = [
      wrapNewPassword(systemRandom, use),
      wrapNewPassword(systemRandom, use),
    ];
    expect(passwordOf(first)).toBe(passwordOf(first));
    expect(passwordOf(first)).toMatch(/^[\w-]{43}$/);
    expect(passwordOf(second)).not.toBe(passwordOf(first));
    expect(first).not.toContain(passwordOf(first));
  });

  test("wrong PINs, other tokens, keys and libraries, and altered files have their codes", async () => {
    const text = wrapNewPassword(systemRandom, use);
    const file = JSON.parse(text) as { readonly wrapped: string };
    const flipped = file.wrapped.replace(/^../, (byte) => (byte === "00" ? "01" : "00"));
    for (const [change, code] of [
      [{ pinFile: join(folder, "wrong") }, "KEYS_PKCS11_PIN"],
      [{ pinFile: join(folder, "none") }, "KEYS_PKCS11_PIN"],
      [{ token: "other" }, "KEYS_PKCS11_TOKEN"],
      [{ key: "other" }, "KEYS_PKCS11_TOKEN"],
      [{ module: "/none.so" }, "KEYS_PKCS11_TOKEN"],
      [{ wrapped: flipped }, "KEYS_PKCS11_FAILED"],
      [{ iv: "00" }, "KEYS_PKCS11_FAILED"],
      [{ more: 1 }, "KEYS_PKCS11_FAILED"],
    ] as const) {
      const altered = JSON.stringify({ ...file, ...change });
      expect(await codeOf(() => passwordOf(altered)), JSON.stringify(change)).toBe(code);
    }
    expect(passwordOf(text)).toMatch(/^[\w-]{43}$/);
  });
});
