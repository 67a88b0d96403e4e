import { mkdir, readdir, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { ClassicLevel } from "classic-level";
import { StorageError } from "./errors.ts";
import { holdFolder } from "./held-folders.ts";

/** A folder that is this process's alone. */
export interface FolderLock {
  /** Gives the folder free; more than once is once. */
  release(): Promise<void>;
}

/** Folder of the lock inside the one that it keeps. */
const LOCK_FOLDER = "lock";
/** The file that LevelDB locks. */
const LOCK_FILE = "LOCK";

/**
 * Keeps a folder for this process alone. The lock is the kernel's, on a file of an empty LevelDB
 * database inside the folder: it ends with the process however that ends, so no stale one can hinder
 * a restart, it holds across containers that share the folder, and a copy of the folder does not
 * carry it. A file with a process id would fail in each of these.
 *
 * @throws StorageError NODE_VOTE_LOG_LOCKED while another process has it, NODE_STORAGE_FAILED
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = await makeLockFolder(folder);
  const giveFree = holdFolder(path);
  if (giveFree === null) throw locked(path);
  try {
    const database = await openLock(path);
    let released: Promise<void> | undefined;
    return {
      release() {
        released ??= database.close().then(giveFree);
        return released;
      },
    };
  } catch (error) {
    giveFree();
    throw error;
  }
}

async function makeLockFolder(folder: string): Promise<string> {
  const path = join(folder, LOCK_FOLDER);
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    return await realpath(path);
  } catch (cause) {
    throw failed(path, cause);
  }
}

/** Opens the database; what a crash left of its other files means nothing and is thrown away. */
async function openLock(path: string): Promise<ClassicLevel> {
  try {
    return await tryOpen(path);
  } catch (error) {
    if (isLocked(error)) throw locked(path, error);
  }
  try {
    for (const name of await readdir(path)) {
      // The lock file stays: under a new one another process could hold the old one.
      if (name !== LOCK_FILE) await rm(join(path, name), { recursive: true, force: true });
    }
    return await tryOpen(path);
  } catch (error) {
    throw isLocked(error) ? locked(path, error) : failed(path, error);
  }
}

async function tryOpen(path: string): Promise<ClassicLevel> {
  const database = new ClassicLevel(path, { cacheSize: 0, writeBufferSize: 64 * 1024 });
  await database.open();
  return database;
}

function isLocked(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if ("code" in cause && cause.code === "LEVEL_LOCKED") return true;
  }
  return false;
}

function locked(path: string, cause?: unknown): StorageError {
  return new StorageError({ code: "NODE_VOTE_LOG_LOCKED" }, `${path}: held`, { cause });
}

function failed(path: string, cause: unknown): StorageError {
  return new StorageError({ code: "NODE_STORAGE_FAILED" }, `${path}: not locked`, { cause });
}
