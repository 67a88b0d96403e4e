import { createSm2Signer, generateKeyPair, wipe } from "@credlink/crypto";
import { fromHex, type Signer } from "@credlink/primitives";
import type { AuditEntry } from "./audit-log.ts";
import { KeysError } from "./errors.ts";
import { shred } from "./files.ts";
import { checkOperation, type KeyKind, type KeyOperation, nextState } from "./lifecycle.ts";
import { publicHexOf, savePrivateKey, withPrivateKey } from "./private-keys.ts";
import { type KeyRecord, keyIdOf, titleOf } from "./records.ts";
import type { Store, StoreSession } from "./store.ts";

/** The steps of a key's life inside its store. Moving it in and out: transfer.ts, backup.ts. */

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** Throws unless a new key may have the name. @throws KeysError KEYS_NAME_INVALID */
export function checkNewName(session: StoreSession, name: string): void {
  const isTaken = [...session.records.values()].some((record) => record.name === name);
  if (isTaken || !NAME.test(name)) throw new KeysError("KEYS_NAME_INVALID", name.slice(0, 64));
}

/**
 * Throws when the store has the key, or had it and destroyed it.
 * @throws KeysError KEYS_KEY_DESTROYED, KEYS_KEY_EXISTS
 */
export function checkNewKey(session: StoreSession, id: string): void {
  const known = session.records.get(id);
  if (known?.state === "destroyed") {
    throw new KeysError("KEYS_KEY_DESTROYED", `${titleOf(known)} was destroyed`);
  }
  if (known !== undefined) throw new KeysError("KEYS_KEY_EXISTS", titleOf(known));
}

/** Asks kind, state and age; a refusal is an entry of the log too. */
export async function requireOperation(
  session: StoreSession,
  record: KeyRecord,
  operation: KeyOperation,
): Promise<void> {
  try {
    checkOperation({ ...record, name: titleOf(record) }, operation, session.components.nowMs());
  } catch (error) {
    if (error instanceof KeysError) {
      await session.append({ action: "refuse", key: record.id, what: operation, code: error.code });
    }
    throw error;
  }
}

/** The record that a new key will have. */
export function draftRecord(
  name: string,
  version: number,
  kind: KeyKind,
  publicKey: string,
): Pick<KeyRecord, "id" | "name" | "version" | "kind" | "publicKey" | "state"> {
  const id = keyIdOf(fromHex(publicKey));
  return { id, name, version, kind, publicKey, state: "pre-active" };
}

async function makeKey(
  session: StoreSession,
  input: {
    readonly name: string;
    readonly version: number;
    readonly kind: KeyKind;
    readonly password: string;
  },
): Promise<KeyRecord> {
  const { name, version, kind, password } = input;
  const pair = generateKeyPair();
  try {
    const publicKey = publicHexOf(pair.privateKey);
    const draft = { ...draftRecord(name, version, kind, publicKey), ...NOT_YET };
    // The file first: an entry never names a key that is nowhere.
    await savePrivateKey(session, draft, pair.privateKey, password);
    const { id } = draft;
    await session.append({ action: "generate", key: id, name, version, kind, publicKey });
    return session.select(id);
  } finally {
    wipe(pair.privateKey);
  }
}

/** What only the log's entry says. */
export const NOT_YET = { origin: "generate", since: "", activeSinceMs: null } as const;

/**
 * Makes a key: pre-active until its holder has read how it must be kept.
 * @throws KeysError KEYS_NAME_INVALID, KEYS_PASSWORD_SHORT
 */
export function generateKey(
  store: Store,
  input: { readonly name: string; readonly kind: KeyKind; readonly password: string },
): Promise<KeyRecord> {
  return store.transact(async (session) => {
    checkNewName(session, input.name);
    return makeKey(session, { ...input, version: 1 });
  });
}

/** Every key that the store has or had, by name and version. */
export function listKeys(store: Store): Promise<readonly KeyRecord[]> {
  return store.transact(async (session) =>
    [...session.records.values()].sort((a, b) =>
      a.name === b.name ? a.version - b.version : a.name < b.name ? -1 : 1,
    ),
  );
}

/** One key and what was done with it. @throws KeysError KEYS_KEY_UNKNOWN */
export function showKey(
  store: Store,
  selector: string,
): Promise<{ readonly record: KeyRecord; readonly entries: readonly AuditEntry[] }> {
  return store.transact(async (session) => {
    const record = session.select(selector);
    const entries = session.entries.filter(({ event }) =>
      event.action === "backup"
        ? event.keys.includes(record.id)
        : "key" in event && event.key === record.id,
    );
    return { record, entries };
  });
}

/** The whole audit log, judged. @throws KeysError KEYS_AUDIT_BROKEN, KEYS_AUDIT_CUT */
export function readAuditLog(store: Store): Promise<readonly AuditEntry[]> {
  return store.transact(async (session) => session.entries);
}

/**
 * Takes a key into use; its holder says that they have read how it must be kept.
 * @throws KeysError KEYS_CUSTODY_OPEN, KEYS_STATE_FORBIDS, KEYS_KEY_DESTROYED
 */
export function activateKey(
  store: Store,
  selector: string,
  options: { readonly custodyRead: boolean },
): Promise<KeyRecord> {
  return store.transact(async (session) => {
    const { id, state, ...rest } = session.select(selector);
    nextState(titleOf(rest), state, "activate");
    if (!options.custodyRead) throw new KeysError("KEYS_CUSTODY_OPEN", titleOf(rest));
    await session.append({ action: "activate", key: id, custodyRead: true });
    return session.select(id);
  });
}

/** Takes a key out of use for a while. @throws KeysError KEYS_STATE_FORBIDS, KEYS_KEY_DESTROYED */
export function suspendKey(store: Store, selector: string, reason: string): Promise<KeyRecord> {
  return store.transact(async (session) => {
    const { id, state, ...rest } = session.select(selector);
    nextState(titleOf(rest), state, "suspend");
    await session.append({ action: "suspend", key: id, reason });
    return session.select(id);
  });
}

/** Takes a suspended key into use again. @throws KeysError KEYS_STATE_FORBIDS */
export function resumeKey(store: Store, selector: string): Promise<KeyRecord> {
  return store.transact(async (session) => {
    const { id, state, ...rest } = session.select(selector);
    nextState(titleOf(rest), state, "resume");
    await session.append({ action: "resume", key: id });
    return session.select(id);
  });
}

async function archive(
  session: StoreSession,
  record: KeyRecord,
  password: string,
): Promise<KeyRecord> {
  const state = nextState(titleOf(record), record.state, "archive");
  await withPrivateKey(session, record, password, async (privateKey) => {
    const kept = { ...record, state };
    // What an attempt left that a crash cut off.
    await shred(session.fileOf(kept));
    await savePrivateKey(session, kept, privateKey, password);
  });
  await session.append({ action: "archive", key: record.id });
  await shred(session.fileOf(record));
  return session.select(record.id);
}

/**
 * Puts a key away for good: it verifies, and opens what was encrypted for it, and signs no more.
 * @throws KeysError KEYS_STATE_FORBIDS, KEYS_KEY_DESTROYED, KEYS_PASSWORD_WRONG
 */
export function archiveKey(store: Store, selector: string, password: string): Promise<KeyRecord> {
  return store.transact((session) => archive(session, session.select(selector), password));
}

/**
 * Makes the next version of a key and takes it into use; the version before is archived.
 * @throws KeysError KEYS_CUSTODY_OPEN, KEYS_STATE_FORBIDS, KEYS_KEY_DESTROYED, KEYS_PASSWORD_WRONG,
 *   KEYS_PASSWORD_SHORT
 */
export function rotateKey(
  store: Store,
  selector: string,
  input: {
    readonly password: string;
    readonly newPassword: string;
    readonly custodyRead: boolean;
  },
): Promise<KeyRecord> {
  return store.transact(async (session) => {
    const before = session.select(selector);
    nextState(titleOf(before), before.state, "archive");
    if (!input.custodyRead) throw new KeysError("KEYS_CUSTODY_OPEN", titleOf(before));
    // A wrong password is found out before anything is made.
    await withPrivateKey(session, before, input.password, async () => undefined);
    const { name, kind } = before;
    const version = 1 + Math.max(...versionsOf(session, name));
    const made = await makeKey(session, { name, version, kind, password: input.newPassword });
    await session.append({ action: "activate", key: made.id, custodyRead: true });
    await archive(session, before, input.password);
    return session.select(made.id);
  });
}

function versionsOf(session: StoreSession, name: string): readonly number[] {
  return [...session.records.values()]
    .filter((record) => record.name === name)
    .map((record) => record.version);
}

/**
 * Destroys a key for good. The record of it stays and refuses the key for ever; the entry is durable
 * before the file is overwritten, so that no crash brings a key back.
 * @throws KeysError KEYS_KEY_DESTROYED
 */
export function destroyKey(store: Store, selector: string, reason: string): Promise<KeyRecord> {
  return store.transact(async (session) => {
    const record = session.select(selector);
    nextState(titleOf(record), record.state, "destroy");
    const file = session.fileOf(record);
    await session.append({ action: "destroy", key: record.id, reason });
    await shred(file);
    return session.select(record.id);
  });
}

/**
 * A signer over an active key; opening it is an entry of the log.
 * @throws KeysError KEYS_KIND_FORBIDS, KEYS_STATE_FORBIDS, KEYS_KEY_DESTROYED, KEYS_KEY_EXPIRED,
 *   KEYS_FILE_MISSING, KEYS_PASSWORD_WRONG
 */
export function openStoredSigner(
  store: Store,
  selector: string,
  password: string,
): Promise<Signer> {
  const use = { selector, password, operation: "sign" } as const;
  return useKey(store, use, async (key) => createSm2Signer(key));
}

/**
 * Runs `work` with a private key, which is wiped afterwards; opening it is an entry of the log.
 * @throws KeysError as `openStoredSigner`, and what `work` throws
 */
export function useKey<T>(
  store: Store,
  use: {
    readonly selector: string;
    readonly password: string;
    readonly operation: "sign" | "decrypt";
  },
  work: (privateKey: Uint8Array) => Promise<T>,
): Promise<T> {
  return store.transact(async (session) => {
    const record = session.select(use.selector);
    await requireOperation(session, record, use.operation);
    return withPrivateKey(session, record, use.password, async (privateKey) => {
      await session.append({ action: "use", key: record.id, operation: use.operation });
      return work(privateKey);
    });
  });
}
