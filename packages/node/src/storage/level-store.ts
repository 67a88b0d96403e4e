import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { KeyValueStore, RangeOptions, Space, WriteOperation } from "@credlink/ledger";
import { ClassicLevel } from "classic-level";
import { StorageError, type StorageErrorCode } from "./errors.ts";
import { holdFolder } from "./held-folders.ts";

/** How a database is opened. */
export interface LevelStoreOptions {
  /** Make the database when there is none. */
  readonly create: boolean;
  /** Memory for blocks of the database's files, bytes. Default 64 MiB. */
  readonly cacheBytes?: number;
}

/** Memory table before it goes to a file: a block of thousands of transactions fits in one. */
const WRITE_BUFFER_BYTES = 16 * 1024 * 1024;
const DEFAULT_CACHE_BYTES = 64 * 1024 * 1024;

/** First byte of every key in the database; never given to another space. */
const prefixes: Readonly<Record<Space, number>> = {
  blocks: 1,
  bodies: 2,
  receipts: 3,
  state: 4,
  pages: 5,
  index: 6,
  metadata: 7,
  history: 8,
};

/**
 * Opens a LevelDB database. One byte in front of each key tells the spaces apart: sublevels would
 * cost a third more CPU a write.
 * @throws StorageError NODE_STORAGE_LOCKED, NODE_STORAGE_MISSING, NODE_STORAGE_CORRUPT,
 *   NODE_STORAGE_FAILED
 */
export async function openLevelStore(
  path: string,
  options: LevelStoreOptions,
): Promise<KeyValueStore> {
  refuseHeadless(path);
  if (options.create) makeFolder(path);
  const giveFree = holdFolder(path);
  if (giveFree === null) {
    throw new StorageError({ code: "NODE_STORAGE_LOCKED" }, `${path}: open in this process`);
  }
  const database = new ClassicLevel<Uint8Array, Uint8Array>(path, {
    keyEncoding: "view",
    valueEncoding: "view",
    createIfMissing: options.create,
    cacheSize: options.cacheBytes ?? DEFAULT_CACHE_BYTES,
    writeBufferSize: WRITE_BUFFER_BYTES,
  });
  try {
    await database.open();
  } catch (error) {
    giveFree();
    throw storageError(`${path}: the database was not opened`, error);
  }
  return new LevelStore(database, giveFree);
}

/** What is held by its real path must be there first. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw storageError(`${path}: the folder was not made`, error);
  }
}

/**
 * A folder with tables but no CURRENT is a damaged database. LevelDB would take it for none, make
 * a new one there and delete the tables: the chain would be gone for good.
 */
function refuseHeadless(path: string): void {
  if (!existsSync(path) || existsSync(join(path, "CURRENT"))) return;
  let names: readonly string[];
  try {
    names = readdirSync(path);
  } catch {
    // It is no folder, or may not be read: opening says so.
    return;
  }
  if (names.some((name) => /^(MANIFEST-\d+|\d+\.(ldb|sst|log))$/.test(name))) {
    throw new StorageError({ code: "NODE_STORAGE_CORRUPT" }, `${path}: CURRENT is missing`);
  }
}

class LevelStore implements KeyValueStore {
  readonly #database: ClassicLevel<Uint8Array, Uint8Array>;
  readonly #giveFree: () => void;

  constructor(database: ClassicLevel<Uint8Array, Uint8Array>, giveFree: () => void) {
    this.#database = database;
    this.#giveFree = giveFree;
  }

  get(space: Space, key: Uint8Array): Uint8Array | null {
    try {
      const value = this.#database.getSync(rowKey(space, key));
      return value === undefined ? null : plain(value);
    } catch (error) {
      throw storageError("a row was not read", error);
    }
  }

  async getMany(
    space: Space,
    keys: readonly Uint8Array[],
  ): Promise<readonly (Uint8Array | null)[]> {
    try {
      const values = await this.#database.getMany(keys.map((key) => rowKey(space, key)));
      return values.map((value) => (value === undefined ? null : plain(value)));
    } catch (error) {
      throw storageError("rows were not read", error);
    }
  }

  async range(
    space: Space,
    { from, to, reverse, limit }: RangeOptions,
  ): Promise<readonly (readonly [Uint8Array, Uint8Array])[]> {
    if (limit === 0) return [];
    const none = new Uint8Array(0);
    try {
      const rows = await this.#database
        .iterator({
          gte: rowKey(space, from ?? none),
          lt: to === undefined ? Uint8Array.of(prefixes[space] + 1) : rowKey(space, to),
          reverse: reverse ?? false,
          limit: limit === undefined || limit === Number.POSITIVE_INFINITY ? -1 : limit,
        })
        .all();
      return rows.map(([key, value]) => [plain(key).subarray(1), plain(value)] as const);
    } catch (error) {
      throw storageError("a range was not read", error);
    }
  }

  async write(
    operations: readonly WriteOperation[],
    options: { readonly sync: boolean },
  ): Promise<void> {
    try {
      const batch = this.#database.batch();
      for (const operation of operations) {
        const key = rowKey(operation.space, operation.key);
        if (operation.type === "put") batch.put(key, operation.value);
        else batch.del(key);
      }
      await batch.write({ sync: options.sync });
    } catch (error) {
      throw storageError("a batch was not written", error);
    }
  }

  async close(): Promise<void> {
    try {
      await this.#database.close();
      this.#giveFree();
    } catch (error) {
      throw storageError("the database was not closed", error);
    }
  }
}

function rowKey(space: Space, key: Uint8Array): Uint8Array {
  const row = new Uint8Array(key.length + 1);
  row[0] = prefixes[space];
  row.set(key, 1);
  return row;
}

/** The same memory as a plain Uint8Array: a Buffer's `slice` does not copy. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Codes of classic-level, innermost first, and what they mean here. */
function storageError(text: string, error: unknown): StorageError {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const code = "code" in cause ? cause.code : undefined;
    if (code === "LEVEL_LOCKED") return fail("NODE_STORAGE_LOCKED", text, error);
    const isManifestGone = /MANIFEST-\d+: No such file/.test(cause.message);
    if (code === "LEVEL_CORRUPTION" || isManifestGone)
      return fail("NODE_STORAGE_CORRUPT", text, error);
    if (/does not exist \(create_if_missing is false\)/.test(cause.message)) {
      return fail("NODE_STORAGE_MISSING", text, error);
    }
  }
  return fail("NODE_STORAGE_FAILED", text, error);
}

function fail(code: StorageErrorCode, text: string, cause: unknown): StorageError {
  return new StorageError({ code }, text, { cause });
}
