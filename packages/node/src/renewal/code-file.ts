import { constants } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { RenewalError } from "./errors.ts";

const MAX_BYTES = 256;
const FOREIGN_ACCESS = 0o077;

function reasonOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown";
}

/**
 * The one-time code that an operator put down; null while there is none.
 * @throws RenewalError NODE_RENEWAL_CODE_OPEN, NODE_RENEWAL_FAILED
 */
export async function readCode(path: string): Promise<string | null> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (cause) {
    const reason = reasonOf(cause);
    if (reason === "ENOENT") return null;
    const code = reason === "ELOOP" ? "NODE_RENEWAL_CODE_OPEN" : "NODE_RENEWAL_FAILED";
    throw new RenewalError(code, reason, { cause });
  }
  try {
    const status = await file.stat();
    const isOwn = status.uid === (process.geteuid?.() ?? status.uid);
    const isFit = status.isFile() && isOwn && (status.mode & FOREIGN_ACCESS) === 0;
    if (!isFit || status.size > MAX_BYTES) {
      throw new RenewalError("NODE_RENEWAL_CODE_OPEN", (status.mode & 0o777).toString(8));
    }
    const [line = ""] = (await file.readFile("utf8")).split(/\r?\n/);
    // A file that is being written is looked at again.
    return line.trim() === "" ? null : line;
  } finally {
    await file.close();
  }
}

/** A code that approved a renewal is of no more use. */
export async function forgetCode(path: string): Promise<void> {
  await rm(path, { force: true });
}

/** A refused code is not sent twice: each wrong one counts against the right one. */
export async function refuseCode(path: string): Promise<void> {
  await rename(path, `${path}.refused`).catch((error: unknown) => {
    if (reasonOf(error) !== "ENOENT") throw error;
  });
}
