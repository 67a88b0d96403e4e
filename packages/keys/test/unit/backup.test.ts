import { execFileSync } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { encryptPrivateKey, generateKeyPair, plaintextPrivateKey } from "@credlink/crypto";
import { describe, expect, test } from "vitest";
import {
  activateKey,
  archiveKey,
  backUpKeys,
  type Custodian,
  describeBackup,
  destroyKey,
  generateKey,
  importKey,
  listKeys,
  openStoredSigner,
  recoverKeys,
  type ShareAccess,
  type Store,
} from "../../src/index.ts";
import { codeOf, makeStore, messageOf, OTHER_PASSWORD, PASSWORD } from "../support/stores.ts";

const READ = { custodyRead: true };
const ALL = [{ selector: "admin", password: PASSWORD }];

async function makeAdmin(): Promise<Store> {
  const store = await makeStore();
  await generateKey(store, { name: "admin", kind: "member", password: PASSWORD });
  await activateKey(store, "admin", READ);
  return store;
}

describe("S-9.5-2a: backup and recovery under a password", () => {
  test("a key whose file was lost comes back into its store, in the state of the log", async () => {
    const store = await makeAdmin();
    const { backup } = await backUpKeys(store, ALL, { password: OTHER_PASSWORD });
    const input = { backup, access: { password: OTHER_PASSWORD }, password: PASSWORD };
    expect(await codeOf(() => recoverKeys(store, input))).toBe("KEYS_KEY_EXISTS");
    await archiveKey(store, "admin", PASSWORD);
    await rm(join(store.folder, "archive/admin.1.pem"));
    const [recovered] = await recoverKeys(store, input);
    expect(recovered?.state).toBe("archived");
    expect(await codeOf(() => openStoredSigner(store, "admin", PASSWORD))).toBe(
      "KEYS_STATE_FORBIDS",
    );
  });

  test("a new machine gets the keys in the states of the backup", async () => {
    const store = await makeAdmin();
    await generateKey(store, { name: "second", kind: "encryption", password: OTHER_PASSWORD });
    const selection = [...ALL, { selector: "second", password: OTHER_PASSWORD }];
    const { backup } = await backUpKeys(store, selection, { password: OTHER_PASSWORD });
    const fresh = await makeStore();
    const access = { password: OTHER_PASSWORD };
    await recoverKeys(fresh, { backup, access, password: PASSWORD });
    const states = (await listKeys(fresh)).map(({ name, state }) => `${name} ${state}`);
    expect(states).toEqual(["admin active", "second pre-active"]);
    await openStoredSigner(fresh, "admin", PASSWORD);
  });

  test("a destroyed key is not recovered, and not into another store that is given the log", async () => {
    const store = await makeAdmin();
    const { backup } = await backUpKeys(store, ALL, { password: OTHER_PASSWORD });
    await destroyKey(store, "admin", "test");
    const input = { backup, access: { password: OTHER_PASSWORD }, password: PASSWORD };
    expect(await codeOf(() => recoverKeys(store, input))).toBe("KEYS_KEY_DESTROYED");
    const fresh = await makeStore();
    const auditLog = await readFile(join(store.folder, "audit.log"), "utf8");
    expect(await codeOf(() => recoverKeys(fresh, { ...input, auditLog }))).toBe(
      "KEYS_KEY_DESTROYED",
    );
    expect(await listKeys(fresh)).toEqual([]);
  });

  test("wrong passwords and altered backups are refused", async () => {
    const store = await makeAdmin();
    const { backup } = await backUpKeys(store, ALL, { password: OTHER_PASSWORD });
    const fresh = await makeStore();
    const recover = (text: string, password: string) =>
      codeOf(() => recoverKeys(fresh, { backup: text, access: { password }, password: PASSWORD }));
    expect(await recover(backup, PASSWORD)).toBe("KEYS_PASSWORD_WRONG");
    const lines = backup.split("\n");
    const middle = Math.floor(lines.length / 2);
    const other = (c: string): string => (c === "A" ? "B" : "A");
    for (let line = 1; line < lines.length - 2; line++) {
      const text = lines
        .map((l, i) => (i === line ? other(l[0] ?? "") + l.slice(1) : l))
        .join("\n");
      expect(await recover(text, OTHER_PASSWORD), `line ${line} of ${middle}`).toMatch(
        /^KEYS_(BACKUP_MALFORMED|PASSWORD_WRONG)$/,
      );
    }
    expect(await listKeys(fresh)).toEqual([]);
  });

  test("an authority's key leaves in shares only", async () => {
    const store = await makeStore();
    await generateKey(store, { name: "ca", kind: "authority", password: PASSWORD });
    const selection = [{ selector: "ca", password: PASSWORD }];
    const whole = () => backUpKeys(store, selection, { password: OTHER_PASSWORD });
    expect(await codeOf(whole)).toBe("KEYS_KIND_FORBIDS");
    const custodians = ["a", "b"].map((name) => ({ name, lock: { password: PASSWORD } }));
    await backUpKeys(store, selection, { custodians, threshold: 2 });
  });
});

/** Custodians with what opens their shares: passwords and keys by turns. */
function makeCustodians(count: number) {
  const custodians: Custodian[] = [];
  const accesses: ShareAccess[] = [];
  for (let i = 0; i < count; i++) {
    const name = `custodian-${i + 1}`;
    const password = `password of ${name}`;
    const pair = generateKeyPair();
    const lock = i % 2 === 0 ? { password } : { publicKey: pair.publicKey };
    custodians.push({ name, lock });
    accesses.push(i % 2 === 0 ? { password } : pair);
  }
  return { custodians, accesses };
}

async function makeSplit(threshold: number, count: number) {
  const store = await makeAdmin();
  const { custodians, accesses } = makeCustodians(count);
  const files = await backUpKeys(store, ALL, { custodians, threshold });
  const given = files.shares.map((share, i) => ({
    text: share.text,
    access: accesses[i] ?? { password: "" },
  }));
  return { store, ...files, given };
}

describe("S-9.7-3: a backup among custodians", () => {
  test.each([
    [2, 2],
    [3, 4],
  ] as const)("%i of %i: any so many give the keys, fewer do not", async (threshold, count) => {
    const { backup, given } = await makeSplit(threshold, count);
    for (const skipped of threshold === count ? [0] : [1, count - 1]) {
      const rotated = [...given.slice(skipped), ...given.slice(0, skipped)];
      const fresh = await makeStore();
      const recover = (shares: typeof given) =>
        recoverKeys(fresh, { backup, access: { shares }, password: PASSWORD });
      const few = await codeOf(() => recover(rotated.slice(0, threshold - 1)));
      expect(few).toBe("KEYS_SHARES_TOO_FEW");
      await recover(rotated.slice(0, threshold));
      await openStoredSigner(fresh, "admin", PASSWORD);
    }
  });

  test("a share that is altered, of another backup, given twice or renamed is named", async () => {
    const { backup, given, id } = await makeSplit(2, 3);
    const other = await makeSplit(2, 3);
    const [first, second, third] = given;
    const foreign = other.given[1];
    if (!first || !second || !third || !foreign) throw new Error("three shares");
    const fresh = await makeStore();
    const recover = (...shares: typeof given) => ({
      code: () =>
        codeOf(() => recoverKeys(fresh, { backup, access: { shares }, password: PASSWORD })),
      message: () =>
        messageOf(() => recoverKeys(fresh, { backup, access: { shares }, password: PASSWORD })),
    });
    const twice = recover(first, first);
    expect(await twice.code()).toBe("KEYS_SHARE_FOREIGN");
    expect(await twice.message()).toContain("share 1 of custodian-1: given twice");
    const strange = recover(first, foreign);
    expect(await strange.code()).toBe("KEYS_SHARE_FOREIGN");
    expect(await strange.message()).toContain("share 2 of custodian-2");
    expect(await strange.message()).not.toContain(id);
    const wrongKey = recover(first, { ...second, access: generateKeyPair() });
    expect(await wrongKey.code()).toBe("KEYS_SHARE_ALTERED");
    const wrongPassword = recover({ ...first, access: { password: "not that one" } }, second);
    expect(await wrongPassword.message()).toContain("share 1 of custodian-1");
    for (const [at, share] of [
      [0, first],
      [1, second],
    ] as const) {
      const lines = share.text.split("\n");
      for (let line = 1; line < lines.length - 2; line++) {
        const flip = (l: string): string =>
          l.slice(0, 9) + (l[9] === "A" ? "B" : "A") + l.slice(10);
        const text = lines.map((l, i) => (i === line ? flip(l) : l)).join("\n");
        const code = await recover(at === 0 ? third : first, { ...share, text }).code();
        expect(code, `${at} line ${line}`).toMatch(/^KEYS_SHARE_(ALTERED|FOREIGN)$/);
      }
    }
    expect(await listKeys(fresh)).toEqual([]);
  });

  test("numbers and names out of bounds are refused, the edges are not", async () => {
    const store = await makeAdmin();
    const { publicKey } = generateKeyPair();
    const named = (count: number, same = false): Custodian[] =>
      Array.from({ length: count }, (_, i) => ({
        name: same ? "same" : `c${i}`,
        lock: { publicKey },
      }));
    const split = (custodians: readonly Custodian[], threshold: number) =>
      codeOf(() => backUpKeys(store, ALL, { custodians, threshold }));
    const code = "KEYS_CUSTODIANS_INVALID";
    expect(await split(named(1), 1)).toBe(code);
    expect(await split(named(3), 1)).toBe(code);
    expect(await split(named(3), 4)).toBe(code);
    expect(await split(named(2, true), 2)).toBe(code);
    expect(await split(named(33), 2)).toBe(code);
    expect(await split(named(32), 32)).toBe("nothing");
    const bad = [...named(1), { name: "no/slash", lock: { password: PASSWORD } }];
    expect(await split(bad, 2)).toBe(code);
  });

  test("what a backup says of itself", async () => {
    const { backup, store, id } = await makeSplit(3, 4);
    expect(describeBackup(backup)).toMatchObject({
      ...{ id, store: store.id, threshold: 3 },
      keys: [(await listKeys(store))[0]?.id],
      custodians: [1, 2, 3, 4].map((index) => ({ name: `custodian-${index}`, index })),
    });
  });
});

test("S-9.5-2b: no file of a store, backup, share or log holds the private key in clear", async () => {
  const store = await makeStore();
  const { privateKey } = generateKeyPair();
  const pem = encryptPrivateKey(privateKey, OTHER_PASSWORD, { iterations: 1_024 });
  const access = { password: OTHER_PASSWORD };
  await importKey(store, { name: "known", kind: "member", pem, access, password: PASSWORD });
  await activateKey(store, "known", READ);
  const { custodians } = makeCustodians(2);
  const selection = [{ selector: "known", password: PASSWORD }];
  const split = await backUpKeys(store, selection, { custodians, threshold: 2 });
  await archiveKey(store, "known", PASSWORD);
  const found = execFileSync("find", [store.folder, "-type", "f"]).toString().trim().split("\n");
  const files = await Promise.all(found.map((path) => readFile(path)));
  const containers = [split.backup, ...split.shares.map(({ text }) => text)];
  const decoded = [...files.map(String), ...containers].map((text) =>
    Buffer.from(text.replaceAll(/-----[^-]*-----|\s/g, ""), "base64"),
  );
  const hex = Buffer.from(privateKey).toString("hex");
  const forms = [Buffer.from(privateKey), hex, Buffer.from(privateKey).toString("base64")];
  for (const bytes of [...files, ...containers.map((text) => Buffer.from(text)), ...decoded]) {
    for (const form of forms) expect(bytes.includes(form)).toBe(false);
  }
  // The same search finds a key that lies open.
  const open = Buffer.from(
    plaintextPrivateKey(privateKey).replaceAll(/-----[^-]*-----|\s/g, ""),
    "base64",
  );
  expect(open.includes(Buffer.from(privateKey))).toBe(true);
});
