import { stat } from "node:fs/promises";
import type { RevocationList } from "@credlink/crypto";
import type { Clock, Logger } from "@credlink/primitives";
import { loadRevocationLists } from "./identity-files.ts";

/** Revocation lists of files that are read again when they change. */
export interface RevocationFiles {
  /** The same array as long as nothing changed. */
  current(): readonly RevocationList[];
  stop(): void;
}

/** How often the files' times are looked at, milliseconds. */
const POLL_MS = 5_000;

async function stampOf(paths: readonly string[]): Promise<string> {
  const stamps = await Promise.all(
    paths.map(async (path) => {
      const { mtimeMs, size, ino } = await stat(path);
      return `${mtimeMs} ${size} ${ino}`;
    }),
  );
  return stamps.join("|");
}

/**
 * Loads the files and follows their changes; a file that cannot be read while the node runs
 * leaves the last good lists in force.
 * @throws ConfigError NODE_CONFIG_UNREADABLE when a file cannot be read at the start
 */
export async function watchRevocationFiles(
  paths: readonly string[],
  components: { readonly clock: Clock; readonly logger: Logger; readonly onChange: () => void },
): Promise<RevocationFiles> {
  const { clock, logger, onChange } = components;
  let lists = await loadRevocationLists(paths);
  if (paths.length === 0) return { current: () => lists, stop: () => undefined };
  let stamp = await stampOf(paths);
  let isStopped = false;
  let cancel = (): void => undefined;
  const look = async (): Promise<void> => {
    try {
      const now = await stampOf(paths);
      if (now !== stamp) {
        lists = await loadRevocationLists(paths);
        stamp = now;
        logger.info("revocation lists read again", { lists: lists.length });
        onChange();
      }
    } catch (error) {
      logger.warn("revocation lists cannot be read", { error });
    }
    if (!isStopped) cancel = clock.schedule(POLL_MS, () => void look());
  };
  cancel = clock.schedule(POLL_MS, () => void look());
  return {
    current: () => lists,
    stop() {
      isStopped = true;
      cancel();
    },
  };
}
