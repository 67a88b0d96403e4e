import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { KeysError } from "./errors.ts";

/** Durable and guarded file operations of a key store. */

const OWNER_ONLY_FILE = 0o600;
const OWNER_ONLY_FOLDER = 0o700;
const FOREIGN_ACCESS = 0o077;
const MAX_FILE_BYTES = 256 * 1024 * 1024;

function reasonOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown";
}

function isMissing(error: unknown): boolean {
  return reasonOf(error) === "ENOENT";
}

function failed(path: string, cause: unknown): KeysError {
  if (cause instanceof KeysError) return cause;
  return new KeysError("KEYS_STORE_UNREADABLE", `${path}: ${reasonOf(cause)}`, { cause });
}

/**
 * Throws when a path of the store is a link, another user's, or open to others.
 * @throws KeysError KEYS_STORE_OPEN, KEYS_STORE_UNREADABLE
 */
export async function checkPrivate(path: string): Promise<void> {
  const status = await lstat(path).catch((cause: unknown) => {
    throw failed(path, cause);
  });
  const self = process.geteuid?.();
  const isForeign = self !== undefined && status.uid !== self;
  const isLink = !status.isFile() && !status.isDirectory();
  if (isForeign || isLink || (status.mode & FOREIGN_ACCESS) !== 0) {
    throw new KeysError("KEYS_STORE_OPEN", path);
  }
}

/** Makes creations, renames and removals inside a folder durable. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: OWNER_ONLY_FOLDER });
  } catch (cause) {
    throw failed(path, cause);
  }
}

/** Whether a folder is there and holds something. */
export async function isFilled(path: string): Promise<boolean> {
  try {
    return (await readdir(path)).length > 0;
  } catch (cause) {
    if (isMissing(cause)) return false;
    throw failed(path, cause);
  }
}

/** Text of a private file, or null when there is none. @throws KeysError */
export async function readPrivate(path: string): Promise<string | null> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (cause) {
    if (isMissing(cause)) return null;
    throw failed(path, cause);
  }
  try {
    await checkPrivate(path);
    if ((await file.stat()).size > MAX_FILE_BYTES) {
      throw new KeysError("KEYS_STORE_UNREADABLE", `${path}: larger than any file of a key store`);
    }
    return await file.readFile("utf8");
  } catch (cause) {
    throw failed(path, cause);
  } finally {
    await file.close();
  }
}

/** Writes a new file or replaces one, whole or not at all, and makes it durable. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString("hex")}.part`;
  try {
    const file = await open(draft, "wx", OWNER_ONLY_FILE);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    await rm(draft, { force: true });
    throw failed(path, cause);
  }
}

/** Writes a file that must not be there yet, and makes it durable. */
export async function writeNew(path: string, text: string): Promise<void> {
  try {
    const file = await open(path, "wx", OWNER_ONLY_FILE);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await syncFolder(dirname(path));
  } catch (cause) {
    throw failed(path, cause);
  }
}

/** Appends to a file, which is created when it is missing, and makes it durable. */
export async function appendDurably(path: string, text: string): Promise<void> {
  try {
    const file = await open(path, "a", OWNER_ONLY_FILE);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw failed(path, cause);
  }
}

/** Cuts a file to a length, durably. */
export async function cutTo(path: string, sizeBytes: number): Promise<void> {
  try {
    const file = await open(path, "r+");
    try {
      await file.truncate(sizeBytes);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw failed(path, cause);
  }
}

/** Moves a file aside, if it is there, under a name of its own; nothing is overwritten. */
export async function moveAside(path: string): Promise<void> {
  try {
    await rename(path, `${path}.orphan-${randomBytes(6).toString("hex")}`);
  } catch (cause) {
    if (!isMissing(cause)) throw failed(path, cause);
  }
}

/**
 * Overwrites a file with random bytes, then removes it; nothing to do when it is missing. On disks
 * that write elsewhere (flash, copy on write, snapshots) the old blocks may stay: what protects
 * them is their encryption.
 */
export async function shred(path: string): Promise<void> {
  try {
    const file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
    try {
      const { size } = await file.stat();
      await file.write(randomBytes(size), 0, size, 0);
      await file.sync();
    } finally {
      await file.close();
    }
    await rm(path);
    await syncFolder(dirname(path));
  } catch (cause) {
    if (!isMissing(cause)) throw failed(path, cause);
  }
}
