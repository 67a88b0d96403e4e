import { randomBytes } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { KeysError } from "./errors.ts";

const RETRY_MS = 50;

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** Whether a process of that id runs, as far as we may ask. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

async function isStale(path: string): Promise<boolean> {
  const pid = Number.parseInt(await readFile(path, "utf8").catch(() => ""), 10);
  return Number.isSafeInteger(pid) && pid > 0 && !isRunning(pid);
}

/**
 * Takes a lock away that a process left which ended before it could give it free. It is moved first
 * and judged again: between two looks another process may have taken it anew.
 */
async function clearStale(path: string): Promise<void> {
  if (!(await isStale(path))) return;
  const aside = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    await rename(path, aside);
    if (!(await isStale(aside))) await link(aside, path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT" && codeOf(error) !== "EEXIST") throw error;
  }
  await rm(aside, { force: true });
}

/** Takes the lock; false when it is taken. The file appears with its content or not at all. */
async function tryLock(path: string): Promise<boolean> {
  const own = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    await writeFile(own, `${process.pid}\n`, { mode: 0o600, flag: "wx" });
    await link(own, path);
    return true;
  } catch (cause) {
    if (codeOf(cause) === "EEXIST") return false;
    throw new KeysError("KEYS_STORE_UNREADABLE", `${path}: ${codeOf(cause)}`, { cause });
  } finally {
    await rm(own, { force: true });
  }
}

/**
 * Runs `work` while no other process does so under the same lock file.
 * @throws KeysError KEYS_STORE_LOCKED when it stays taken for `waitMs`
 */
export async function withLock<T>(
  path: string,
  waitMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const endMs = performance.now() + waitMs;
  while (!(await tryLock(path))) {
    await clearStale(path);
    if (performance.now() > endMs) throw new KeysError("KEYS_STORE_LOCKED", path);
    await pause(RETRY_MS);
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}
