import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { KeyValueStore } from "@credlink/ledger";
import { AppError, type Logger } from "@credlink/primitives";
import { openLevelStore } from "../storage/level-store.ts";

/** Folder of the index below a node's `dataDir`. */
const INDEX_FOLDER = "credential-index";
const CACHE_BYTES = 16 * 1024 * 1024;

/**
 * Opens the store of the index. A damaged one is deleted: the chain's receipts hold all that was
 * in it.
 * @throws StorageError NODE_STORAGE_LOCKED, NODE_STORAGE_FAILED
 */
export async function openIndexStore(dataDir: string, logger: Logger): Promise<KeyValueStore> {
  const path = join(dataDir, INDEX_FOLDER);
  const open = () => openLevelStore(path, { create: true, cacheBytes: CACHE_BYTES });
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "NODE_STORAGE_CORRUPT") throw error;
    logger.warn("credential index is damaged, built anew", { error });
    await rm(path, { recursive: true, force: true });
    return open();
  }
}

/** Deletes the index of a stopped node: the next start builds it anew. */
export async function removeIndex(dataDir: string): Promise<void> {
  const path = join(dataDir, INDEX_FOLDER);
  // Opened first, so that a node that runs is not deprived of its files.
  const store = await openLevelStore(path, { create: true }).catch((error: unknown) => {
    if (error instanceof AppError && error.code === "NODE_STORAGE_CORRUPT") return null;
    throw error;
  });
  await store?.close();
  await rm(path, { recursive: true, force: true });
}
