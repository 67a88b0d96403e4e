import { existsSync } from "node:fs";
import { join } from "node:path";
import { createExecutor } from "@credlink/contracts-vm";
import type { Height, Logger } from "@credlink/primitives";
import type { NodeConfig } from "../config/schema.ts";
import type { TransferredBlock } from "../engine/protocols.ts";
import { loadGenesis } from "../identity-files.ts";
import { syncFolder } from "../storage/durable-file.ts";
import { openLevelStore } from "../storage/level-store.ts";
import { type PollutionMark, readMark, removeMark } from "./mark.ts";
import { type RebuildResult, repairDatabase } from "./repair.ts";

/** What a repair came to. */
export interface RepairResult extends RebuildResult {
  /** What the node had found, when it had isolated itself. */
  readonly found: PollutionMark["findings"];
}

/**
 * Repairs a stopped node's data and takes the mark away.
 * @param fetchBlock asks another node for a block whose own copy is damaged. It is believed by its
 *   certificate alone. Without it the chain is built up to the first damaged block, and the node
 *   fetches the rest from its peers when it starts.
 * @throws StorageError NODE_STORAGE_LOCKED while the node runs; NodeError, LedgerError
 */
export async function repairNode(
  config: NodeConfig,
  logger: Logger,
  fetchBlock?: (at: Height) => Promise<TransferredBlock | null>,
): Promise<RepairResult> {
  const genesis = await loadGenesis(config.genesis);
  const mark = existsSync(config.dataDir) ? await readMark(config.dataDir) : null;
  const { dataDir, storage } = config;
  const result = await repairDatabase(
    { dataDir, database: join(dataDir, "db") },
    (path, create) => openLevelStore(path, { create, cacheBytes: storage.cacheBytes }),
    {
      executor: createExecutor(),
      genesis,
      logger,
      historyHeights: storage.historyHeights,
      ...(fetchBlock === undefined ? {} : { fetchBlock }),
    },
  );
  await syncFolder(dataDir);
  await removeMark(dataDir);
  return { ...result, found: mark?.findings ?? [] };
}
