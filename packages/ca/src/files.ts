import { randomBytes } from "node:crypto";
import { constants, type FileHandle, mkdir, open, readdir, rename, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CaError, type CaErrorCode } from "./errors.ts";

const OWNER_ONLY = 0o600;
const FOLDER_OWNER_ONLY = 0o700;
/** Any access of group or others. */
const FOREIGN_ACCESS = 0o077;
const MAX_SECRET_FILE_BYTES = 4_096;
const SECRET_BYTES = 24;

/** What the system calls a failure. */
export function reasonOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown";
}

function failed(path: string, cause: unknown): CaError {
  return new CaError("CA_WRITE_FAILED", `${path}: ${reasonOf(cause)}`, { cause });
}

/** Whether a file is this user's alone; on systems without users everything is. */
function isOwn(status: { readonly uid: number; readonly mode: number }): boolean {
  const uid = process.getuid?.();
  return uid === undefined || (status.uid === uid && (status.mode & FOREIGN_ACCESS) === 0);
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Makes a folder of this user's alone. @throws CaError CA_FOLDER_EXISTS, CA_WRITE_FAILED */
export async function makeOwnFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: FOLDER_OWNER_ONLY });
    if ((await readdir(path)).length > 0) throw new CaError("CA_FOLDER_EXISTS", path);
  } catch (error) {
    if (error instanceof CaError) throw error;
    throw failed(path, error);
  }
}

/** @throws CaError CA_FOLDER_UNKNOWN, CA_FOLDER_OPEN */
export async function checkOwnFolder(path: string): Promise<void> {
  let status: Awaited<ReturnType<typeof stat>>;
  try {
    status = await stat(path);
  } catch (cause) {
    throw new CaError("CA_FOLDER_UNKNOWN", `${path}: ${reasonOf(cause)}`, { cause });
  }
  if (!isOwn(status)) throw new CaError("CA_FOLDER_OPEN", path);
}

/** Reads a text file. @throws CaError with `code` when it cannot be read */
export async function readText(path: string, code: CaErrorCode): Promise<string> {
  try {
    const file = await open(path, constants.O_RDONLY);
    try {
      return await file.readFile("utf8");
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new CaError(code, `${path}: ${reasonOf(cause)}`, { cause });
  }
}

/**
 * Puts a whole file in place, durably: readers see the old one or the new one.
 * @param mode of the file; default 0600
 * @throws CaError CA_WRITE_FAILED
 */
export async function replaceFile(
  path: string,
  content: string | Uint8Array,
  mode = OWNER_ONLY,
): Promise<void> {
  const made = `${path}.${randomBytes(6).toString("hex")}.new`;
  try {
    const file = await open(made, "wx", mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(made, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    throw failed(path, cause);
  }
}

async function openSecret(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (cause) {
    const code = reasonOf(cause) === "ELOOP" ? "CA_SECRET_FILE_OPEN" : "CA_WRITE_FAILED";
    throw new CaError(code, `${path}: ${reasonOf(cause)}`, { cause });
  }
}

/**
 * The first line of a password or code file, which must be this user's alone.
 * @throws CaError CA_SECRET_FILE_OPEN, CA_SECRET_EMPTY, CA_WRITE_FAILED
 */
export async function readSecret(path: string): Promise<string> {
  const file = await openSecret(path);
  try {
    const status = await file.stat();
    const isFit = status.isFile() && status.size <= MAX_SECRET_FILE_BYTES && isOwn(status);
    if (!isFit) throw new CaError("CA_SECRET_FILE_OPEN", path);
    const [line = ""] = (await file.readFile("utf8")).split(/\r?\n/);
    if (line === "") throw new CaError("CA_SECRET_EMPTY", path);
    return line;
  } catch (error) {
    if (error instanceof CaError) throw error;
    throw failed(path, error);
  } finally {
    await file.close();
  }
}

/**
 * The password in a file; where there is no file, one of 192 random bits is made.
 * @throws as `readSecret`
 */
export async function readOrMakePassword(
  path: string,
): Promise<{ readonly password: string; readonly isNew: boolean }> {
  let file: FileHandle;
  try {
    file = await open(path, "wx", OWNER_ONLY);
  } catch (error) {
    if (reasonOf(error) !== "EEXIST") throw failed(path, error);
    return { password: await readSecret(path), isNew: false };
  }
  const password = randomBytes(SECRET_BYTES).toString("base64url");
  try {
    await file.writeFile(`${password}\n`);
    await file.sync();
  } catch (error) {
    throw failed(path, error);
  } finally {
    await file.close();
  }
  await syncFolder(dirname(path));
  return { password, isNew: true };
}

/** Names of the files below a folder that hold what an authority needs. */
export function authorityPaths(dir: string) {
  return {
    dir,
    description: join(dir, "ca.json"),
    certificate: join(dir, "ca.crt"),
    roots: join(dir, "root.crt"),
    key: join(dir, "ca.key"),
    request: join(dir, "ca.csr"),
    issuance: join(dir, "issuance.log"),
    audit: join(dir, "audit.log"),
    list: (number: number) => join(dir, `list-${number}.crl`),
  };
}
