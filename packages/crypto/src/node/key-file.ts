import { constants, type FileHandle, open } from "node:fs/promises";
import { CryptoError } from "../errors.ts";
import type { KeyFileAccess } from "../key-file.ts";
import { decryptPrivateKey, encryptPrivateKey, plaintextPrivateKey } from "./door.ts";

const OWNER_ONLY = 0o600;
/** Any access of group or others. */
const FOREIGN_ACCESS = 0o077;
const MAX_FILE_BYTES = 64 * 1024;

/** How a private key is stored. */
export type KeyProtection =
  | { readonly password: string; readonly iterations?: number }
  | { readonly plaintext: true };

function unreadable(cause: unknown): CryptoError {
  const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
  return new CryptoError("CRYPTO_KEY_FILE_UNREADABLE", `key file: ${reason}`, { cause });
}

function isExisting(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EEXIST";
}

/**
 * Writes a private key to a new file that only its owner may read, and makes it durable.
 * @throws CryptoError CRYPTO_KEY_FILE_EXISTS, CRYPTO_KEY_FILE_UNREADABLE,
 *   CRYPTO_PRIVATE_KEY_INVALID, CRYPTO_LENGTH_INVALID
 */
export async function saveKeyFile(
  path: string,
  privateKey: Uint8Array,
  protection: KeyProtection,
): Promise<void> {
  const pem =
    "plaintext" in protection
      ? plaintextPrivateKey(privateKey)
      : encryptPrivateKey(privateKey, protection.password, protection);
  let file: FileHandle;
  try {
    file = await open(path, "wx", OWNER_ONLY);
  } catch (error) {
    if (isExisting(error)) {
      throw new CryptoError("CRYPTO_KEY_FILE_EXISTS", "the key file exists", { cause: error });
    }
    throw unreadable(error);
  }
  try {
    // The mask of the process may have taken bits away, never added any; say it exactly.
    await file.chmod(OWNER_ONLY);
    await file.writeFile(pem);
    await file.sync();
  } catch (error) {
    throw unreadable(error);
  } finally {
    await file.close();
  }
}

async function readKeyText(file: FileHandle): Promise<string> {
  const status = await file.stat();
  if (!status.isFile() || (status.mode & FOREIGN_ACCESS) !== 0) {
    throw new CryptoError("CRYPTO_KEY_FILE_MODE", "the key file is open to others");
  }
  // Whoever owns the file can open it to others, or put another key in its place. Windows has no
  // such ids, and there the file system's own rights stand alone.
  const self = process.geteuid?.();
  if (self !== undefined && status.uid !== self) {
    throw new CryptoError("CRYPTO_KEY_FILE_OWNER", "the key file is another user's");
  }
  if (status.size > MAX_FILE_BYTES) {
    throw new CryptoError("CRYPTO_KEY_FILE_MALFORMED", "too large for a key file");
  }
  return file.readFile("latin1");
}

/**
 * Reads a private key (32 bytes), the caller's to wipe. Symbolic links, files open to others and
 * files of another user are refused.
 * @throws CryptoError CRYPTO_KEY_FILE_MODE, CRYPTO_KEY_FILE_OWNER, CRYPTO_KEY_FILE_UNREADABLE,
 *   CRYPTO_KEY_PASSWORD_WRONG, CRYPTO_KEY_PLAINTEXT, CRYPTO_KEY_FILE_MALFORMED,
 *   CRYPTO_PEM_MALFORMED
 */
export async function loadKeyFile(path: string, access: KeyFileAccess): Promise<Uint8Array> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    throw unreadable(error);
  }
  try {
    return decryptPrivateKey(await readKeyText(file), access);
  } catch (error) {
    throw error instanceof CryptoError ? error : unreadable(error);
  } finally {
    await file.close();
  }
}
