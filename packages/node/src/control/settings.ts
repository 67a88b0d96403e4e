import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "@credlink/primitives";
import { z } from "zod";
import { ConfigError } from "../config/errors.ts";
import { parseConfig, settingAt, withSetting } from "../config/load.ts";
import type { NodeConfig } from "../config/schema.ts";
import { settings as allSettings } from "../config/settings.ts";
import { replaceFile } from "../storage/durable-file.ts";
import { NodeControlError } from "./errors.ts";

/** Settings that take effect while the node runs. */
export const RUN_TIME_SETTINGS = [
  "log.level",
  "p2p.maxConnections",
  "rpc.maxBatch",
  "rpc.maxSessions",
  "rpc.maxWaiters",
  "rpc.memberRequestsPerSecond",
  "rpc.memberBurst",
  "rpc.addressRequestsPerSecond",
  "rpc.addressBurst",
  "rpc.loginsPerSecond",
  "rpc.loginBurst",
  "engine.mempoolTransactions",
  "engine.mempoolBytes",
  "engine.mempoolPerSender",
] as const;

const changeable: ReadonlySet<string> = new Set(RUN_TIME_SETTINGS);

/** What the chain decides; a node that set it for itself would leave the others. */
const chainSettings: ReadonlySet<string> = new Set([
  "role",
  "validators",
  "consensus",
  "chainId",
  "parameters",
]);

/** File in the node's control folder. */
const FILE = "settings.json";

const fileSchema = z.record(z.string(), z.union([z.number(), z.string(), z.boolean()]));
type Overrides = Readonly<Record<string, unknown>>;

/** One setting as an operator sees it. */
export interface ShownSetting {
  readonly key: string;
  /** JSON text. */
  readonly value: string;
  readonly source: "start" | "run time";
  readonly changeable: boolean;
  readonly range: string;
}

/** A node's configuration with what was changed while it ran; the changes outlive a restart. */
export interface RunTimeSettings {
  /** In force now. */
  readonly current: NodeConfig;
  show(key?: string): readonly ShownSetting[];
  /**
   * Durable first, then in force.
   * @throws ConfigError NODE_CONFIG_UNKNOWN_KEY, NODE_CONFIG_INVALID; NodeControlError
   *   NODE_SETTING_CONSENSUS, NODE_SETTING_RESTART, NODE_SETTING_FIXED
   */
  set(key: string, value: string): Promise<void>;
  /** Back to what the node was started with. Throws as `set` does. */
  reset(key: string): Promise<void>;
  onChange(listener: (config: NodeConfig) => void): void;
}

/** Whether the chain's parameters, or genesis, hold what the key names. */
function isOfChain(key: string, parameters: object): boolean {
  const [name = key, ...rest] = key.split(".").slice(key.startsWith("parameters.") ? 1 : 0);
  return chainSettings.has(name) || (rest.length === 0 && Object.hasOwn(parameters, name));
}

class Settings implements RunTimeSettings {
  readonly #start: NodeConfig;
  readonly #fixed: ReadonlySet<string>;
  readonly #parameters: object;
  readonly #path: string;
  readonly #listeners: ((config: NodeConfig) => void)[] = [];
  #overrides: Overrides;
  #current: NodeConfig;

  constructor(parts: {
    readonly start: NodeConfig;
    readonly fixed: ReadonlySet<string>;
    readonly parameters: object;
    readonly path: string;
    readonly overrides: Overrides;
  }) {
    this.#start = parts.start;
    this.#fixed = parts.fixed;
    this.#parameters = parts.parameters;
    this.#path = parts.path;
    this.#overrides = parts.overrides;
    this.#current = this.#with(parts.overrides);
  }

  get current(): NodeConfig {
    return this.#current;
  }

  show(key?: string): readonly ShownSetting[] {
    if (key !== undefined) this.#known(key);
    return allSettings
      .filter((each) => key === undefined || each.key === key)
      .map((each) => ({
        key: each.key,
        value: JSON.stringify(settingAt(this.#current, each.key) ?? null),
        source: Object.hasOwn(this.#overrides, each.key) ? "run time" : "start",
        changeable: changeable.has(each.key) && !this.#fixed.has(each.key),
        range: each.range,
      }));
  }

  async set(key: string, value: string): Promise<void> {
    this.#judge(key);
    await this.#change({ ...this.#overrides, [key]: readValue(key, value) });
  }

  async reset(key: string): Promise<void> {
    this.#judge(key);
    const { [key]: _gone, ...rest } = this.#overrides;
    await this.#change(rest);
  }

  onChange(listener: (config: NodeConfig) => void): void {
    this.#listeners.push(listener);
  }

  #known(key: string): void {
    if (isOfChain(key, this.#parameters)) {
      throw new NodeControlError("NODE_SETTING_CONSENSUS", `${key} is decided on chain`);
    }
    if (!allSettings.some((each) => each.key === key)) {
      throw new ConfigError("NODE_CONFIG_UNKNOWN_KEY", key, `no such key: ${key}`);
    }
  }

  #judge(key: string): void {
    this.#known(key);
    if (!changeable.has(key)) throw new NodeControlError("NODE_SETTING_RESTART", key);
    if (this.#fixed.has(key)) throw new NodeControlError("NODE_SETTING_FIXED", key);
  }

  async #change(overrides: Overrides): Promise<void> {
    const config = this.#with(overrides);
    await replaceFile(this.#path, `${JSON.stringify(overrides, null, 2)}\n`);
    this.#overrides = overrides;
    this.#current = config;
    for (const listener of this.#listeners) listener(config);
  }

  #with(overrides: Overrides): NodeConfig {
    const tree = Object.entries(overrides).reduce<unknown>(
      (config, [key, value]) => withSetting(config, key, value),
      this.#start,
    );
    // Paths are absolute by now; the folder is of no account.
    return parseConfig(tree, "/");
  }
}

function readValue(key: string, value: string): unknown {
  try {
    return JSON.parse(value);
  } catch (cause) {
    throw new ConfigError("NODE_CONFIG_INVALID", key, `${key}: not JSON`, { cause });
  }
}

async function readOverrides(path: string): Promise<Overrides> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return {};
    throw error;
  }
  const parsed = fileSchema.safeParse(tryJson(text));
  if (parsed.success) return parsed.data;
  throw new ConfigError("NODE_CONFIG_UNREADABLE", "", `${path} is not what the node wrote`);
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Opens what was changed at run time; keys that are no settings any more, or fixed now, are left out.
 * @throws ConfigError NODE_CONFIG_UNREADABLE, NODE_CONFIG_INVALID
 */
export async function openSettings(
  start: NodeConfig,
  options: {
    /** The node's control folder. */
    readonly folder: string;
    /** Keys that environment or flags gave: they stand above run-time changes. */
    readonly fixed: ReadonlySet<string>;
    /** The chain's own, by name: they are refused with where they are changed. */
    readonly parameters: object;
    readonly logger: Logger;
  },
): Promise<RunTimeSettings> {
  const { folder, fixed, parameters, logger } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, FILE);
  const written = await readOverrides(path);
  const entries = Object.entries(written).filter(([key]) => changeable.has(key) && !fixed.has(key));
  const left = Object.keys(written).filter((key) => !entries.some(([kept]) => kept === key));
  if (entries.length > 0 || left.length > 0) {
    const keys = entries.map(([key]) => key);
    logger.info("settings changed at run time hold", { keys, left });
  }
  const overrides = Object.fromEntries(entries);
  return new Settings({ start, fixed, parameters, path, overrides });
}
