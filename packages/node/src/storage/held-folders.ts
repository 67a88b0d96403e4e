import { realpathSync } from "node:fs";
import { resolve } from "node:path";

/** Folders of databases that this process has open, by their real paths. */
const held = new Set<string>();

/**
 * Keeps a database's folder for one user in this process. Asking LevelDB a second time is not
 * harmless: it says no, but on the way opens and closes another descriptor of its lock file, and
 * POSIX then drops the lock that the first one holds, so that another process gets in.
 *
 * @returns what gives the folder free (more than once is once), or null when it is held.
 */
export function holdFolder(path: string): (() => void) | null {
  const real = realPath(path);
  if (held.has(real)) return null;
  held.add(real);
  let isHeld = true;
  return () => {
    if (isHeld) held.delete(real);
    isHeld = false;
  };
}

/** The path without symbolic links; as it is written where there is nothing yet. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}
