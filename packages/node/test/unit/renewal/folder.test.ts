import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadKeyFile } from "@credlink/crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { forgetCode, readCode, refuseCode } from "../../../src/renewal/code-file.ts";
import {
  finishSwitch,
  makeNextKey,
  noteAnnounced,
  renewalFiles,
  switchOver,
} from "../../../src/renewal/folder.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "renewal-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const text = (path: string) => readFileSync(path, "utf8");

async function begun() {
  const identity = { certificate: join(dir, "node.crt"), key: join(dir, "node.key") };
  writeFileSync(identity.certificate, "old certificate");
  writeFileSync(identity.key, "old key", { mode: 0o600 });
  await makeNextKey(identity, "password");
  const files = renewalFiles(identity);
  const nextKey = text(files.key);
  writeFileSync(files.certificate, "new certificate");
  await noteAnnounced(identity);
  return { identity, files, nextKey };
}

describe("S-9.5-2a: the keys of a renewal", () => {
  test("the next one is encrypted, its owner's alone, and never made over", async () => {
    const { identity, files } = await begun();
    expect(statSync(files.key).mode & 0o777).toBe(0o600);
    expect(statSync(files.folder).mode & 0o777).toBe(0o700);
    expect(await loadKeyFile(files.key, { password: "password" })).toHaveLength(32);
    await expect(makeNextKey(identity, "password")).rejects.toMatchObject({
      code: "CRYPTO_KEY_FILE_EXISTS",
    });
  });

  test("a switch archives the old ones and leaves nothing under way", async () => {
    const { identity, files, nextKey } = await begun();
    await switchOver(identity, "4a01");
    expect(text(identity.certificate)).toBe("new certificate");
    expect(text(identity.key)).toBe(nextKey);
    expect(text(join(files.archive, "4a01.crt"))).toBe("old certificate");
    expect(text(join(files.archive, "4a01.key"))).toBe("old key");
    expect(statSync(join(files.archive, "4a01.key")).mode & 0o777).toBe(0o600);
    for (const path of [files.key, files.certificate, files.announced, files.switching]) {
      expect(existsSync(path)).toBe(false);
    }
  });

  test.each(["nothing", "certificate", "both", "removing"])(
    "a crash after %s was put in place: the next start ends the switch",
    async (done) => {
      const { identity, files, nextKey } = await begun();
      writeFileSync(files.switching, "");
      if (done !== "nothing") writeFileSync(identity.certificate, "new certificate");
      if (done === "both" || done === "removing") writeFileSync(identity.key, nextKey);
      if (done === "removing") rmSync(files.certificate);
      await finishSwitch(identity);
      expect(text(identity.certificate)).toBe("new certificate");
      expect(text(identity.key)).toBe(nextKey);
      expect(existsSync(files.switching)).toBe(false);
      expect(existsSync(files.key)).toBe(false);
    },
  );

  test("a key under way is left alone while no switch was begun", async () => {
    const { identity, files, nextKey } = await begun();
    await finishSwitch(identity);
    expect(text(identity.key)).toBe("old key");
    expect(text(files.key)).toBe(nextKey);
  });
});

describe("S-9.4-6: the one-time code comes by a file of the node's user", () => {
  test("is read once it is there, put aside when refused, removed when used", async () => {
    const path = join(dir, "code");
    expect(await readCode(path)).toBeNull();
    writeFileSync(path, "", { mode: 0o600 });
    expect(await readCode(path)).toBeNull();
    writeFileSync(path, "AAAAA-BBBBB\nmore\n");
    expect(await readCode(path)).toBe("AAAAA-BBBBB");
    await refuseCode(path);
    expect(await readCode(path)).toBeNull();
    expect(existsSync(`${path}.refused`)).toBe(true);
    await refuseCode(path);
    await forgetCode(path);
  });

  test.each([0o640, 0o604, 0o644])("mode %o is refused", async (mode) => {
    const path = join(dir, "code");
    writeFileSync(path, "AAAAA\n", { mode });
    await expect(readCode(path)).rejects.toMatchObject({ code: "NODE_RENEWAL_CODE_OPEN" });
  });

  test("256 bytes are read, 257 refused", async () => {
    const path = join(dir, "code");
    writeFileSync(path, "A".repeat(256), { mode: 0o600 });
    expect(await readCode(path)).toHaveLength(256);
    writeFileSync(path, "A".repeat(257));
    await expect(readCode(path)).rejects.toMatchObject({ code: "NODE_RENEWAL_CODE_OPEN" });
  });
});
