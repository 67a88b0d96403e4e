import { userInfo } from "node:os";
import { join } from "node:path";
import { systemRandom } from "@credlink/crypto";
import { type Random, toHex } from "@credlink/primitives";
import { z } from "zod";
import {
  type AuditEntry,
  type AuditEvent,
  type AuditFiles,
  type AuditHead,
  appendAudit,
  cutTornEnd,
  loadAudit,
} from "./audit-log.ts";
import { KeysError } from "./errors.ts";
import {
  checkPrivate,
  isFilled,
  makeFolder,
  readPrivate,
  shred,
  writeNew,
  writeWhole,
} from "./files.ts";
import { withLock } from "./lock.ts";
import { applyEntry, foldAudit, type KeyRecord, selectKey, titleOf } from "./records.ts";

/**
 * A key store on disk, and the one way to change it.
 *
 * ```
 * store.json      format and id
 * audit.log       what was done (audit-log.ts); states follow from it
 * audit.head      its last digest
 * keys/           NAME.VERSION.pem: PKCS#8 under PBES2
 * archive/        NAME.VERSION.pem: sealed in a form that no other command loads
 * lock            while a process changes it
 * ```
 */

/** What a store takes from its surroundings. */
export interface StoreComponents {
  /** Default: the machine's own. */
  readonly random: Random;
  /** Milliseconds since 1970. Default: the system's clock. */
  readonly nowMs: () => number;
  /** Who stands in the audit log. Default: the user of the process. */
  readonly actor: string;
  /** Of PBKDF2, for new files. Default 65,536. */
  readonly iterations?: number;
}

export function defaultComponents(): StoreComponents {
  return { random: systemRandom, nowMs: Date.now, actor: userInfo().username };
}

const LOCK_WAIT_MS = 10_000;
const FORMAT = "credlink/key-store/1";
const markSchema = z.strictObject({
  format: z.literal(FORMAT),
  id: z.string().regex(/^[0-9a-f]{64}$/),
});

interface Paths extends AuditFiles {
  readonly mark: string;
  readonly lock: string;
  readonly keys: string;
  readonly archive: string;
}

function pathsOf(folder: string): Paths {
  return {
    mark: join(folder, "store.json"),
    log: join(folder, "audit.log"),
    head: join(folder, "audit.head"),
    lock: join(folder, "lock"),
    keys: join(folder, "keys"),
    archive: join(folder, "archive"),
  };
}

/** A store at one moment, held by its lock: what operations are written over. */
export interface StoreSession {
  readonly id: string;
  readonly components: StoreComponents;
  readonly records: ReadonlyMap<string, KeyRecord>;
  readonly entries: readonly AuditEntry[];
  select(selector: string): KeyRecord;
  /** Where the private key of a record stands, by its state. */
  fileOf(record: KeyRecord): string;
  /** Writes an entry, durably; the record that it makes or changes. */
  append(event: AuditEvent): Promise<void>;
}

class Session implements StoreSession {
  readonly id: string;
  readonly components: StoreComponents;
  readonly entries: AuditEntry[];
  readonly records: Map<string, KeyRecord>;
  readonly #paths: Paths;
  #head: AuditHead;

  constructor(
    id: string,
    components: StoreComponents,
    paths: Paths,
    log: { readonly entries: readonly AuditEntry[]; readonly head: AuditHead },
  ) {
    this.id = id;
    this.components = components;
    this.entries = [...log.entries];
    this.records = foldAudit(log.entries);
    this.#paths = paths;
    this.#head = log.head;
  }

  select(selector: string): KeyRecord {
    return selectKey(this.records, selector);
  }

  fileOf(record: KeyRecord): string {
    const folder = record.state === "archived" ? this.#paths.archive : this.#paths.keys;
    return join(folder, `${titleOf(record)}.pem`);
  }

  async append(event: AuditEvent): Promise<void> {
    const { nowMs, actor } = this.components;
    const at = new Date(nowMs()).toISOString();
    const next = await appendAudit(this.#paths, this.#head, { at, actor, event });
    this.#head = next.head;
    this.entries.push(next.entry);
    applyEntry(this.records, next.entry);
  }

  /** What a crash left undone: files of keys whose entry says that they are elsewhere or gone. */
  async tidy(): Promise<void> {
    for (const record of this.records.values()) {
      const name = `${titleOf(record)}.pem`;
      const isArchived = record.state === "archived";
      if (isArchived && (await readPrivate(this.fileOf(record))) === null) continue;
      if (isArchived || record.state === "destroyed") await shred(join(this.#paths.keys, name));
      if (record.state === "destroyed") await shred(join(this.#paths.archive, name));
    }
  }
}

/** An open key store. */
export interface Store {
  readonly folder: string;
  readonly id: string;
  /**
   * Runs `work` while no other process changes the store, on its newest state.
   * @throws KeysError KEYS_STORE_LOCKED, KEYS_STORE_OPEN, KEYS_AUDIT_BROKEN, KEYS_AUDIT_CUT and
   *   whatever `work` throws
   */
  transact<T>(work: (session: StoreSession) => Promise<T>): Promise<T>;
}

async function loadSession(
  id: string,
  paths: Paths,
  components: StoreComponents,
): Promise<Session> {
  for (const folder of [paths.keys, paths.archive]) await checkPrivate(folder);
  const content = await loadAudit(paths);
  if (content.tornBytes > 0) await cutTornEnd(paths, content);
  const session = new Session(id, components, paths, content);
  if (content.tornBytes > 0)
    await session.append({ action: "repair", cutBytes: content.tornBytes });
  await session.tidy();
  return session;
}

/**
 * Makes an empty store in a new or empty folder.
 * @throws KeysError KEYS_STORE_EXISTS, KEYS_STORE_UNREADABLE
 */
export async function createStore(
  folder: string,
  given: Partial<StoreComponents> = {},
): Promise<Store> {
  const components = { ...defaultComponents(), ...given };
  if (await isFilled(folder)) throw new KeysError("KEYS_STORE_EXISTS", folder);
  const paths = pathsOf(folder);
  for (const path of [folder, paths.keys, paths.archive]) await makeFolder(path);
  const id = toHex(components.random.bytes(32));
  const empty = { sequence: 0, digest: new Uint8Array(32) };
  await writeNew(paths.log, "");
  await writeWhole(paths.head, `0 ${toHex(empty.digest)}\n`);
  const session = new Session(id, components, paths, { entries: [], head: empty });
  await session.append({ action: "init", store: id });
  // Last: a folder without the mark is no store.
  await writeNew(paths.mark, `${JSON.stringify({ format: FORMAT, id })}\n`);
  return openStore(folder, given);
}

/**
 * Opens a store; its log is judged at every operation.
 * @throws KeysError KEYS_STORE_UNKNOWN, KEYS_STORE_OPEN, KEYS_STORE_UNREADABLE
 */
export async function openStore(
  folder: string,
  given: Partial<StoreComponents> = {},
): Promise<Store> {
  const components = { ...defaultComponents(), ...given };
  const paths = pathsOf(folder);
  const text = await readPrivate(paths.mark);
  if (text === null) throw new KeysError("KEYS_STORE_UNKNOWN", `${folder} holds no store.json`);
  await checkPrivate(folder);
  const mark = markSchema.safeParse(parseJson(text));
  if (!mark.success) throw new KeysError("KEYS_STORE_UNKNOWN", `${paths.mark} is of another form`);
  const { id } = mark.data;
  return {
    folder,
    id,
    transact: (work) =>
      withLock(paths.lock, LOCK_WAIT_MS, async () =>
        work(await loadSession(id, paths, components)),
      ),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
