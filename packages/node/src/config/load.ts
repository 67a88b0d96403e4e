import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import type { z } from "zod";
import { checkAlgorithms } from "./algorithms.ts";
import { ConfigError } from "./errors.ts";
import { configSchema, type NodeConfig } from "./schema.ts";
import { settings } from "./settings.ts";
import { readEnvironment, readFlags, type Values } from "./sources.ts";

/** Where a configuration comes from; later ones win: defaults < file < environment < flags. */
export interface ConfigSources {
  /** Path of a YAML file. */
  readonly file?: string;
  /** Default: none is read; the command line passes the process's. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly flags?: readonly string[];
}

type Tree = { [key: string]: unknown };

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function readTree(file: string): Promise<Tree> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new ConfigError("NODE_CONFIG_UNREADABLE", "", `cannot read ${file}`, { cause });
  }
  try {
    const tree: unknown = parse(text) ?? {};
    if (isTree(tree)) return tree;
  } catch (cause) {
    throw new ConfigError("NODE_CONFIG_UNREADABLE", "", `${file} is not YAML`, { cause });
  }
  throw new ConfigError("NODE_CONFIG_UNREADABLE", "", `${file} is not a YAML mapping`);
}

function setAt(tree: Tree, key: string, value: unknown): void {
  const names = key.split(".");
  const last = names.pop() ?? key;
  let place = tree;
  for (const name of names) {
    const child = place[name];
    const branch: Tree = isTree(child) ? child : {};
    place[name] = branch;
    place = branch;
  }
  place[last] = value;
}

function getAt(tree: Tree, key: string): unknown {
  let place: unknown = tree;
  for (const name of key.split(".")) place = isTree(place) ? place[name] : undefined;
  return place;
}

function resolvePaths(tree: Tree, folder: string): void {
  for (const { key, isPath } of settings) {
    if (!isPath) continue;
    const value = getAt(tree, key);
    if (typeof value === "string") setAt(tree, key, resolve(folder, value));
    if (Array.isArray(value))
      setAt(
        tree,
        key,
        value.map((each) => resolve(folder, String(each))),
      );
  }
}

function toConfigError(issue: z.core.$ZodIssue): ConfigError {
  const key = issue.path.join(".");
  if (issue.code !== "unrecognized_keys") {
    return new ConfigError("NODE_CONFIG_INVALID", key, `${key}: ${issue.message}`);
  }
  const unknown = [key, issue.keys[0]].filter((part) => part !== "").join(".");
  return new ConfigError("NODE_CONFIG_UNKNOWN_KEY", unknown, `no such key: ${unknown}`);
}

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const child of Object.values(value)) freeze(child);
    Object.freeze(value);
  }
  return value;
}

/**
 * Fills in defaults, checks and freezes a configuration; paths become absolute in `folder`.
 * @throws ConfigError NODE_CONFIG_UNKNOWN_KEY, NODE_CONFIG_INVALID, NODE_CONFIG_ALGORITHM_REFUSED
 */
export function parseConfig(input: unknown, folder: string): NodeConfig {
  const parsed = configSchema.safeParse(input);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    if (issue === undefined) throw new ConfigError("NODE_CONFIG_INVALID", "", "not a mapping");
    throw toConfigError(issue);
  }
  checkAlgorithms(parsed.data.algorithms);
  resolvePaths(parsed.data, folder);
  return freeze(parsed.data);
}

function apply(tree: Tree, values: Values): void {
  for (const [key, value] of values) setAt(tree, key, value);
}

/**
 * A node's configuration from all its sources. Paths in the file are relative to the file; paths
 * in environment and flags to the working folder.
 * @throws ConfigError
 */
export async function loadConfig(sources: ConfigSources): Promise<NodeConfig> {
  const tree = sources.file === undefined ? {} : await readTree(sources.file);
  const folder = sources.file === undefined ? process.cwd() : dirname(resolve(sources.file));
  const overrides: Tree = {};
  apply(overrides, readEnvironment(sources.environment ?? {}));
  apply(overrides, readFlags(sources.flags ?? []));
  resolvePaths(overrides, process.cwd());
  for (const { key } of settings) {
    const value = getAt(overrides, key);
    if (value !== undefined) setAt(tree, key, value);
  }
  return parseConfig(tree, folder);
}

/** Value of a setting in a configuration, by its dotted key. */
export function settingAt(config: NodeConfig, key: string): unknown {
  return getAt(config, key);
}

/** A configuration's tree with one setting changed; to be parsed again. */
export function withSetting(tree: unknown, key: string, value: unknown): unknown {
  const [name = key, ...rest] = key.split(".");
  const branch: Tree = isTree(tree) ? tree : {};
  const inner = rest.length === 0 ? value : withSetting(branch[name], rest.join("."), value);
  return { ...branch, [name]: inner };
}

/** Keys that environment or flags give; throws as `loadConfig` does. */
export function fixedSettings(
  sources: Pick<ConfigSources, "environment" | "flags">,
): ReadonlySet<string> {
  const environment = readEnvironment(sources.environment ?? {});
  return new Set([...environment.keys(), ...readFlags(sources.flags ?? []).keys()]);
}
