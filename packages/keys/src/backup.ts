import { wipe } from "@credlink/crypto";
import { fromHex, toHex } from "@credlink/primitives";
import { readAudit } from "./audit-log.ts";
import {
  BACKUP_KEY_BYTES,
  type BackupHeader,
  type BackupKey,
  backupContainer,
  openBackup,
  openByPassword,
  protectByPassword,
  sealBackup,
} from "./backup-format.ts";
import {
  type Custodian,
  joinShares,
  openShare,
  type ShareAccess,
  type ShareFile,
  splitBackupKey,
} from "./backup-shares.ts";
import { KeysError } from "./errors.ts";
import { readPrivate } from "./files.ts";
import { checkNewKey, draftRecord, NOT_YET, requireOperation } from "./key-store.ts";
import { publicHexOf, savePrivateKey, withPrivateKey } from "./private-keys.ts";
import { foldAudit, type KeyRecord, titleOf } from "./records.ts";
import type { Store, StoreSession } from "./store.ts";

/** Backups of a store's keys and their way back. */

/** Which keys go into a backup: selector and password of each. */
export type BackupSelection = readonly {
  readonly selector: string;
  readonly password: string;
}[];

/** What protects a backup: one password, or custodians of whom `threshold` must come together. */
export type BackupProtection =
  | { readonly password: string }
  | { readonly custodians: readonly Custodian[]; readonly threshold: number };

/** A backup and, when it was split, the custodians' shares. */
export interface BackupFiles {
  readonly id: string;
  /** PEM text. */
  readonly backup: string;
  readonly shares: readonly ShareFile[];
}

async function collect(
  session: StoreSession,
  selection: BackupSelection,
  operation: "backup" | "split",
): Promise<{ readonly records: KeyRecord[]; readonly keys: BackupKey[] }> {
  const records: KeyRecord[] = [];
  const keys: BackupKey[] = [];
  for (const { selector, password } of selection) {
    const record = session.select(selector);
    await requireOperation(session, record, operation);
    const { name, version, kind, state, activeSinceMs } = record;
    // `requireOperation` lets no destroyed key through.
    if (state === "destroyed") throw new KeysError("KEYS_KEY_DESTROYED", titleOf(record));
    await withPrivateKey(session, record, password, async (privateKey) => {
      const copy = privateKey.slice();
      keys.push({ name, version, kind, state, activeSinceMs, privateKey: copy });
    });
    records.push(record);
  }
  return { records, keys };
}

/**
 * Backs keys up.
 * @throws KeysError KEYS_KIND_FORBIDS (an authority's key needs custodians), KEYS_STATE_FORBIDS,
 *   KEYS_KEY_DESTROYED, KEYS_CUSTODIANS_INVALID, KEYS_PASSWORD_SHORT, KEYS_PASSWORD_WRONG
 */
export function backUpKeys(
  store: Store,
  selection: BackupSelection,
  protection: BackupProtection,
): Promise<BackupFiles> {
  return store.transact(async (session) => {
    const { random, iterations, nowMs } = session.components;
    const options = iterations === undefined ? {} : { iterations };
    const isSplit = "custodians" in protection;
    const { records, keys } = await collect(session, selection, isSplit ? "split" : "backup");
    const id = random.bytes(16);
    const key = random.bytes(BACKUP_KEY_BYTES);
    try {
      const sealed = isSplit
        ? splitBackupKey(random, { backup: id, key, ...protection, ...options })
        : {
            protection: protectByPassword(random, { id, key, ...protection, ...options }),
            shares: [],
          };
      const header: BackupHeader = {
        format: "credlink/key-backup/1",
        id,
        store: fromHex(session.id),
        createdAtMs: nowMs(),
        keyIds: records.map((record) => fromHex(record.id)),
        protection: sealed.protection,
      };
      const backup = sealBackup(random, header, key, keys);
      await session.append({
        action: "backup",
        keys: records.map((record) => record.id),
        backup: toHex(id),
        custodians: sealed.shares.map((share) => share.custodian),
        threshold: isSplit ? protection.threshold : 1,
      });
      return { id: toHex(id), backup, shares: sealed.shares };
    } finally {
      wipe(key, ...keys.map(({ privateKey }) => privateKey));
    }
  });
}

/** What a backup says of itself without being opened; only opening proves it. */
export function describeBackup(text: string) {
  const { header } = backupContainer.read(text);
  const { protection } = header;
  return {
    id: toHex(header.id),
    store: toHex(header.store),
    createdAt: new Date(header.createdAtMs).toISOString(),
    keys: header.keyIds.map(toHex),
    threshold: protection.type === "shares" ? protection.threshold : null,
    custodians:
      protection.type === "shares"
        ? protection.custodians.map(({ name, index }) => ({ name, index }))
        : [],
  };
}

/** What opens a backup. */
export type BackupAccess =
  | { readonly password: string }
  | { readonly shares: readonly { readonly text: string; readonly access: ShareAccess }[] };

function openKey(header: BackupHeader, access: BackupAccess): Uint8Array {
  if ("password" in access) return openByPassword(header, access.password);
  const shares = access.shares.map(({ text, access: each }) => openShare(text, each));
  try {
    return joinShares(header, shares);
  } finally {
    wipe(...shares.map((share) => share.bytes));
  }
}

/** Ids that another store's log says were destroyed. */
function destroyedIn(auditLog: string | undefined): ReadonlySet<string> {
  if (auditLog === undefined) return new Set();
  const records = [...foldAudit(readAudit(auditLog).entries).values()];
  return new Set(records.filter(({ state }) => state === "destroyed").map(({ id }) => id));
}

async function restore(
  session: StoreSession,
  key: BackupKey,
  input: { readonly backup: string; readonly password: string },
  destroyed: ReadonlySet<string>,
): Promise<KeyRecord> {
  const { name, version, kind, state, activeSinceMs, privateKey } = key;
  const publicKey = publicHexOf(privateKey);
  const draft = { ...draftRecord(name, version, kind, publicKey), ...NOT_YET, state };
  if (destroyed.has(draft.id)) {
    throw new KeysError("KEYS_KEY_DESTROYED", `${titleOf(draft)}: so says the log that was given`);
  }
  const known = session.records.get(draft.id);
  const isLost =
    known !== undefined &&
    known.state !== "destroyed" &&
    (await readPrivate(session.fileOf(known))) === null;
  // Where only the file is missing, what became of the key since the backup holds.
  if (!isLost) checkNewKey(session, draft.id);
  const isTaken = [...session.records.values()].some(
    (other) => other.id !== draft.id && titleOf(other) === titleOf(draft),
  );
  if (isTaken) throw new KeysError("KEYS_NAME_INVALID", `${titleOf(draft)} is taken`);
  await savePrivateKey(session, isLost ? known : draft, privateKey, input.password);
  await session.append({
    ...{ action: "recover", key: draft.id, name, version, kind, publicKey, state, activeSinceMs },
    ...{ backup: input.backup, isKnown: isLost },
  });
  return session.select(draft.id);
}

/**
 * Recovers the keys of a backup into a store, each under a new password: into the store that lost
 * their files, where its log's states hold, or into a new one, in the states of the backup.
 *
 * @param input.auditLog another store's `audit.log`: what it says was destroyed stays destroyed. A
 *   new store knows of no destruction by itself.
 * @throws KeysError KEYS_KEY_DESTROYED, KEYS_KEY_EXISTS, KEYS_NAME_INVALID, KEYS_SHARE_…,
 *   KEYS_PASSWORD_WRONG, KEYS_BACKUP_MALFORMED; keys that came before the refused one stay
 */
export function recoverKeys(
  store: Store,
  input: {
    readonly backup: string;
    readonly access: BackupAccess;
    readonly password: string;
    readonly auditLog?: string;
  },
): Promise<readonly KeyRecord[]> {
  return store.transact(async (session) => {
    const backup = backupContainer.read(input.backup);
    const destroyed = destroyedIn(input.auditLog);
    const key = openKey(backup.header, input.access);
    const keys = openBackup(backup, key);
    wipe(key);
    const note = { backup: toHex(backup.header.id), password: input.password };
    const restored: KeyRecord[] = [];
    try {
      for (const each of keys) restored.push(await restore(session, each, note, destroyed));
    } finally {
      wipe(...keys.map(({ privateKey }) => privateKey));
    }
    return restored;
  });
}
