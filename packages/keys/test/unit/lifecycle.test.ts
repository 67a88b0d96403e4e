import { access, chmod, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  generateKeyPair,
  plaintextPrivateKey,
  sm2Decrypt,
  sm2Encrypt,
  sm2Verify,
} from "@credlink/crypto";
import { fromHex, toHex, utf8 } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import {
  activateKey,
  archiveKey,
  destroyKey,
  exportKey,
  generateKey,
  importKey,
  type KeyKind,
  keyKinds,
  keyStates,
  listKeys,
  openStore,
  openStoredSigner,
  readAuditLog,
  resumeKey,
  rotateKey,
  type Store,
  showKey,
  suspendKey,
  useKey,
  withKeyFile,
} from "../../src/index.ts";
import { checkOperation, nextState } from "../../src/lifecycle.ts";
import { codeOf, FAST, makeStore, OTHER_PASSWORD, PASSWORD } from "../support/stores.ts";

const MESSAGE = utf8("what is signed");
const READ = { custodyRead: true };

async function makeActive(store: Store, name: string, kind: KeyKind = "member") {
  await generateKey(store, { name, kind, password: PASSWORD });
  return activateKey(store, name, READ);
}

const actionsOf = async (store: Store): Promise<readonly string[]> =>
  (await readAuditLog(store)).map(({ event }) => event.action);

describe("S-9.5-2: the state machine", () => {
  const transitions = ["activate", "suspend", "resume", "archive", "destroy"] as const;
  const table: Readonly<Record<string, string>> = {
    "pre-active activate": "active",
    "pre-active archive": "archived",
    "pre-active destroy": "destroyed",
    "active suspend": "suspended",
    "active archive": "archived",
    "active destroy": "destroyed",
    "suspended resume": "active",
    "suspended archive": "archived",
    "suspended destroy": "destroyed",
    "archived destroy": "destroyed",
  };

  test("every pair of state and transition leads where the table says, or is refused", async () => {
    for (const state of keyStates) {
      for (const transition of transitions) {
        const expected = table[`${state} ${transition}`];
        if (expected !== undefined) {
          expect(nextState("k", state, transition)).toBe(expected);
          continue;
        }
        const code = state === "destroyed" ? "KEYS_KEY_DESTROYED" : "KEYS_STATE_FORBIDS";
        expect(await codeOf(() => nextState("k", state, transition))).toBe(code);
      }
    }
  });

  test.each(keyKinds)("kind %s allows in each state what docs/keys.md says", async (kind) => {
    const allowed: Readonly<Record<KeyKind, string>> = {
      member: "sign export distribute backup split",
      node: "sign export distribute backup split",
      authority: "sign split",
      encryption: "decrypt export distribute backup split",
    };
    const states: Readonly<Record<string, string>> = {
      sign: "active",
      decrypt: "active archived",
      export: "pre-active active",
      distribute: "pre-active active",
      backup: "pre-active active suspended archived",
      split: "pre-active active suspended archived",
    };
    for (const operation of [
      "sign",
      "decrypt",
      "export",
      "distribute",
      "backup",
      "split",
    ] as const) {
      for (const state of keyStates) {
        const subject = { name: "k", kind, state, activeSinceMs: 0 };
        const isKind = allowed[kind].split(" ").includes(operation);
        const isState = states[operation]?.split(" ").includes(state) === true;
        const code = await codeOf(() => checkOperation(subject, operation, 1));
        expect(code === "nothing", `${operation} ${state}`).toBe(isKind && isState);
        if (!isKind) expect(code).toBe("KEYS_KIND_FORBIDS");
      }
    }
  });
});

test("S-9.5-2a: a key lives from generation to destruction, and every step is an entry", async () => {
  const store = await makeStore();
  const made = await generateKey(store, { name: "admin", kind: "member", password: PASSWORD });
  expect(made).toMatchObject({ name: "admin", version: 1, state: "pre-active", kind: "member" });
  expect(await codeOf(() => openStoredSigner(store, "admin", PASSWORD))).toBe("KEYS_STATE_FORBIDS");

  await activateKey(store, "admin", READ);
  const signer = await openStoredSigner(store, "admin", PASSWORD);
  const signature = await signer.sign(MESSAGE);
  expect(toHex(signer.publicKey)).toBe(made.publicKey);

  await suspendKey(store, "admin", "lost laptop");
  expect(await codeOf(() => openStoredSigner(store, "admin", PASSWORD))).toBe("KEYS_STATE_FORBIDS");
  await resumeKey(store, "admin");
  await exportKey(store, "admin", { password: PASSWORD, exportPassword: OTHER_PASSWORD });

  const archived = await archiveKey(store, "admin", PASSWORD);
  expect(archived.state).toBe("archived");
  // It verifies, and cannot sign.
  expect(sm2Verify(fromHex(archived.publicKey), MESSAGE, signature)).toBe(true);
  expect(await codeOf(() => openStoredSigner(store, "admin", PASSWORD))).toBe("KEYS_STATE_FORBIDS");

  const destroyed = await destroyKey(store, "admin", "end of contract");
  expect(destroyed.state).toBe("destroyed");
  expect(await codeOf(() => openStoredSigner(store, "admin", PASSWORD))).toBe("KEYS_KEY_DESTROYED");
  expect(await codeOf(() => activateKey(store, "admin", READ))).toBe("KEYS_KEY_DESTROYED");
  expect(sm2Verify(fromHex(destroyed.publicKey), MESSAGE, signature)).toBe(true);

  const { entries } = await showKey(store, "admin");
  expect(entries.map(({ event }) => event.action)).toEqual([
    ...["generate", "refuse", "activate", "use", "suspend", "refuse", "resume", "export"],
    ...["archive", "refuse", "destroy", "refuse"],
  ]);
  expect(entries.every(({ actor }) => actor === "operator")).toBe(true);
});

test("S-9.5-2a: nothing of a destroyed key is left, and it is not imported again", async () => {
  const store = await makeStore();
  await makeActive(store, "gone");
  const pem = await exportKey(store, "gone", {
    password: PASSWORD,
    exportPassword: OTHER_PASSWORD,
  });
  const file = join(store.folder, "keys/gone.1.pem");
  await access(file);
  await destroyKey(store, "gone", "test");
  await expect(access(file)).rejects.toThrow("ENOENT");
  for (const name of ["gone", "other-name"]) {
    const input = { name, kind: "member", pem, password: PASSWORD } as const;
    const code = await codeOf(() =>
      importKey(store, { ...input, access: { password: OTHER_PASSWORD } }),
    );
    expect(code).toBe(name === "gone" ? "KEYS_NAME_INVALID" : "KEYS_KEY_DESTROYED");
  }
  // A file that somebody puts back is taken away at the next operation.
  await writeFile(file, pem, { mode: 0o600 });
  await listKeys(store);
  await expect(access(file)).rejects.toThrow("ENOENT");
});

test("S-9.5-2b: an archived key's file opens with no command but the store's own", async () => {
  const store = await makeStore();
  await makeActive(store, "old");
  const { publicKey } = await makeActive(store, "box", "encryption");
  const ciphertext = sm2Encrypt(fromHex(publicKey), MESSAGE);
  await archiveKey(store, "old", PASSWORD);
  await archiveKey(store, "box", PASSWORD);
  const path = join(store.folder, "archive/old.1.pem");
  expect(await readFile(path, "latin1")).toMatch(/^-----BEGIN CREDLINK ARCHIVED KEY-----/);
  await expect(access(join(store.folder, "keys/old.1.pem"))).rejects.toThrow("ENOENT");
  const asFile = () => withKeyFile(path, { password: PASSWORD }, async () => undefined);
  expect(await codeOf(asFile)).toBe("KEYS_STATE_FORBIDS");
  // What was encrypted for a key before it was archived can still be read.
  const decrypt = (selector: string) =>
    useKey(store, { selector, password: PASSWORD, operation: "decrypt" }, async (key) =>
      sm2Decrypt(key, ciphertext),
    );
  expect(await decrypt("box")).toEqual(MESSAGE);
  expect(await codeOf(() => decrypt("old"))).toBe("KEYS_KIND_FORBIDS");
});

test("S-9.4-8: a key is taken into use once its holder knows how it is kept, and is replaced", async () => {
  const store = await makeStore();
  await generateKey(store, { name: "worker", kind: "member", password: PASSWORD });
  expect(await codeOf(() => activateKey(store, "worker", { custodyRead: false }))).toBe(
    "KEYS_CUSTODY_OPEN",
  );
  await activateKey(store, "worker", READ);
  const before = await openStoredSigner(store, "worker", PASSWORD);
  const signature = await before.sign(MESSAGE);
  const input = { password: PASSWORD, newPassword: OTHER_PASSWORD, custodyRead: true };
  const wrong = { ...input, password: OTHER_PASSWORD };
  expect(await codeOf(() => rotateKey(store, "worker", wrong))).toBe("KEYS_PASSWORD_WRONG");
  const next = await rotateKey(store, "worker", input);
  expect(next).toMatchObject({ name: "worker", version: 2, state: "active" });
  const after = await openStoredSigner(store, "worker", OTHER_PASSWORD);
  expect(toHex(after.publicKey)).toBe(next.publicKey);
  const { record } = await showKey(store, "worker.1");
  expect(record.state).toBe("archived");
  expect(sm2Verify(fromHex(record.publicKey), MESSAGE, signature)).toBe(true);
});

test("S-9.5-2: a key that is older than its kind allows signs no more", async () => {
  const day = 86_400_000;
  let nowMs = Date.UTC(2026, 0, 1);
  const store = await makeStore({ nowMs: () => nowMs });
  await makeActive(store, "old");
  nowMs += 1_096 * day;
  await openStoredSigner(store, "old", PASSWORD);
  nowMs += 1;
  expect(await codeOf(() => openStoredSigner(store, "old", PASSWORD))).toBe("KEYS_KEY_EXPIRED");
});

test("S-8.4-10: plaintext keys, short passwords and wrong ones are refused", async () => {
  const store = await makeStore();
  const pem = plaintextPrivateKey(generateKeyPair().privateKey);
  const input = { name: "plain", kind: "member", pem, password: PASSWORD } as const;
  const code = await codeOf(() => importKey(store, { ...input, access: { password: PASSWORD } }));
  expect(code).toBe("CRYPTO_KEY_PLAINTEXT");
  await importKey(store, { ...input, access: { allowPlaintext: true } });
  expect(await readFile(join(store.folder, "keys/plain.1.pem"), "latin1")).toContain("ENCRYPTED");
  const short = { name: "short", kind: "member", password: "eleven char" } as const;
  expect(await codeOf(() => generateKey(store, short))).toBe("KEYS_PASSWORD_SHORT");
  await activateKey(store, "plain", READ);
  expect(await codeOf(() => openStoredSigner(store, "plain", OTHER_PASSWORD))).toBe(
    "KEYS_PASSWORD_WRONG",
  );
});

test("S-8.4-10: a store that others can reach is not used", async () => {
  const store = await makeStore();
  await makeActive(store, "admin");
  const file = join(store.folder, "keys/admin.1.pem");
  for (const [path, mode, back] of [
    [store.folder, 0o750, 0o700],
    [join(store.folder, "keys"), 0o701, 0o700],
    [join(store.folder, "audit.log"), 0o640, 0o600],
    [file, 0o604, 0o600],
  ] as const) {
    await chmod(path, mode);
    const open = async () => openStoredSigner(await openStore(store.folder), "admin", PASSWORD);
    expect(await codeOf(open), path).toBe("KEYS_STORE_OPEN");
    await chmod(path, back);
  }
  await rm(file);
  expect(await codeOf(() => openStoredSigner(store, "admin", PASSWORD))).toBe("KEYS_FILE_MISSING");
  await symlink("/etc/hostname", file);
  expect(await codeOf(() => openStoredSigner(store, "admin", PASSWORD))).toBe(
    "KEYS_STORE_UNREADABLE",
  );
});

test("S-9.5-2: two files of a store that were swapped are found out", async () => {
  const store = await makeStore();
  await makeActive(store, "first");
  await makeActive(store, "second");
  const [first, second] = ["first", "second"].map((name) =>
    join(store.folder, `keys/${name}.1.pem`),
  );
  if (first === undefined || second === undefined) throw new Error("two files");
  await writeFile(first, await readFile(second));
  expect(await codeOf(() => openStoredSigner(store, "first", PASSWORD))).toBe(
    "KEYS_PASSWORD_WRONG",
  );
});

test("names, selectors and places that are none have their codes", async () => {
  const store = await makeStore();
  const { id } = await makeActive(store, "admin");
  expect((await showKey(store, id.slice(0, 8))).record.id).toBe(id);
  for (const selector of ["nobody", "admin.2", id.slice(0, 7), "", "ff".repeat(32)]) {
    expect(await codeOf(() => showKey(store, selector))).toBe("KEYS_KEY_UNKNOWN");
  }
  for (const name of ["admin", "", "Admin", "a".repeat(64), "../a", "a.1"]) {
    const input = { name, kind: "member", password: PASSWORD } as const;
    expect(await codeOf(() => generateKey(store, input)), name).toBe("KEYS_NAME_INVALID");
  }
  expect(await codeOf(() => openStore(join(store.folder, "keys")))).toBe("KEYS_STORE_UNKNOWN");
});

test("S-9.5-2a: processes at one store wait for each other, and no entry is lost", async () => {
  const store = await makeStore();
  await makeActive(store, "admin");
  const doors = await Promise.all([1, 2, 3].map(() => openStore(store.folder, FAST)));
  await Promise.all(
    doors.flatMap((door) => [1, 2].map(() => openStoredSigner(door, "admin", PASSWORD))),
  );
  expect((await actionsOf(store)).filter((action) => action === "use")).toHaveLength(6);
});
