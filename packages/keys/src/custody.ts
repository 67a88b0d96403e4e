import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type KeyFileAccess, loadKeyFile, wipe } from "@credlink/crypto";
import { useKey } from "./key-store.ts";
import { openStore } from "./store.ts";

/**
 * The one way from a key file's path to its key. A file that lies in a key store is judged by the
 * store's log before it is used, and its use is an entry of that log; any other file is opened as
 * it is.
 */

async function isInStore(path: string): Promise<boolean> {
  const mark = join(dirname(path), "..", "store.json");
  try {
    await readFile(mark);
    return true;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "";
    // What is there and cannot be read is no reason to pass it by.
    return code !== "ENOENT" && code !== "ENOTDIR";
  }
}

/**
 * Runs `work` with the private key of a file, for signing; the key is wiped afterwards.
 * @throws KeysError for a key of a store whose state, kind or age forbids it; CryptoError
 */
export async function withKeyFile<T>(
  path: string,
  access: KeyFileAccess,
  work: (privateKey: Uint8Array) => Promise<T>,
): Promise<T> {
  if (await isInStore(path)) {
    const store = await openStore(join(dirname(path), ".."));
    const selector = basename(path).replace(/\.pem$/, "");
    const { password = "" } = access;
    return useKey(store, { selector, password, operation: "sign" }, work);
  }
  const privateKey = await loadKeyFile(path, access);
  try {
    return await work(privateKey);
  } finally {
    wipe(privateKey);
  }
}
