import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "@credlink/primitives";
import type { Foundation } from "../components.ts";
import { loadConfig } from "../config/load.ts";
import type { NodeConfig } from "../config/schema.ts";
import { setLogLevel } from "../logger.ts";
import { systemClock } from "../system-clock.ts";
import { type AuditCheck, checkAuditFolder } from "./audit-files.ts";
import { type AuditLog, openAuditLog } from "./audit-log.ts";
import { type ModeKeeper, openMode } from "./mode.ts";
import { openSettings, type RunTimeSettings } from "./settings.ts";

/** Folder below `dataDir` with mode, settings and audit log. */
export const CONTROL_FOLDER = "control";
/** Folder of the audit log below it. */
export const AUDIT_FOLDER = "audit";

/** What of a node's control stands on its disk. */
export interface ControlFiles {
  readonly settings: RunTimeSettings;
  readonly mode: ModeKeeper;
  readonly audit: AuditLog;
}

/**
 * Opens a node's control folder; the log's level follows its settings from now on.
 * @throws ConfigError, NodeControlError NODE_AUDIT_FAILED; nothing stays open then
 */
export async function openControl(
  config: NodeConfig,
  { genesis, metrics }: Pick<Foundation, "genesis" | "metrics">,
  options: { readonly logger: Logger; readonly fixed: ReadonlySet<string> },
): Promise<ControlFiles> {
  const { fixed } = options;
  const logger = options.logger.child({ component: "control" });
  const folder = join(config.dataDir, CONTROL_FOLDER);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { parameters } = genesis;
  const settings = await openSettings(config, { folder, fixed, parameters, logger });
  const follow = ({ log }: NodeConfig): void => setLogLevel(options.logger, log.level);
  follow(settings.current);
  settings.onChange(follow);
  const mode = await openMode(folder, metrics);
  const { auditFileBytes: fileBytes, auditFiles: files } = config.control;
  const limits = { fileBytes, files };
  const parts = { clock: systemClock, logger, metrics };
  return { settings, mode, audit: await openAuditLog(join(folder, AUDIT_FOLDER), limits, parts) };
}

/**
 * Checks the audit log of a node, running or not, by its folder with `node.yaml`.
 * @throws ConfigError
 */
export async function checkNodeAudit(folder: string): Promise<AuditCheck> {
  const { dataDir } = await loadConfig({ file: join(folder, "node.yaml") });
  return checkAuditFolder(join(dataDir, CONTROL_FOLDER, AUDIT_FOLDER));
}
