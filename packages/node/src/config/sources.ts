import { ConfigError } from "./errors.ts";
import { type Setting, sections, settings, variableOf } from "./settings.ts";

/** Values of one source by dotted key. */
export type Values = ReadonlyMap<string, unknown>;

const byKey = new Map(settings.map((setting) => [setting.key, setting]));
const byVariable = new Map(settings.map((setting) => [setting.variable, setting]));
const prefixes = sections.map(variableOf);

/** @throws ConfigError NODE_CONFIG_INVALID with the setting's key. */
function parseText(setting: Setting, text: string, source: string): unknown {
  if (setting.nullable && text === "null") return null;
  if (setting.kind === "list") {
    return text === "" ? [] : text.split(",").map((part) => part.trim());
  }
  if (setting.kind === "boolean") {
    if (text === "true" || text === "false") return text === "true";
    throw new ConfigError("NODE_CONFIG_INVALID", setting.key, `${source}: true or false`);
  }
  if (setting.kind === "number") {
    if (/^-?\d+$/.test(text)) return Number(text);
    throw new ConfigError("NODE_CONFIG_INVALID", setting.key, `${source}: an integer`);
  }
  return text;
}

/**
 * Values of `CREDLINK_…` variables. One whose name begins like a section of ours but is no setting
 * is refused; other variables are not looked at.
 * @throws ConfigError
 */
export function readEnvironment(environment: Readonly<Record<string, string | undefined>>): Values {
  const values = new Map<string, unknown>();
  for (const [name, text] of Object.entries(environment)) {
    if (text === undefined || !name.startsWith("CREDLINK_")) continue;
    const setting = byVariable.get(name);
    if (setting !== undefined) {
      values.set(setting.key, parseText(setting, text, name));
    } else if (prefixes.some((prefix) => name === prefix || name.startsWith(`${prefix}_`))) {
      throw new ConfigError("NODE_CONFIG_UNKNOWN_KEY", name, `no such variable: ${name}`);
    }
  }
  return values;
}

/**
 * Values of flags: `--p2p.maxConnections=50`, `--p2p.maxConnections 50`, `--engine.overlap`;
 * the flag of a list may be repeated.
 * @throws ConfigError
 */
export function readFlags(flags: readonly string[]): Values {
  const values = new Map<string, unknown>();
  for (let i = 0; i < flags.length; i++) {
    const flag = flags[i] ?? "";
    const [name = "", ...rest] = flag.split("=");
    const key = name.replace(/^--/, "");
    const setting = byKey.get(key);
    if (!name.startsWith("--") || setting === undefined) {
      throw new ConfigError("NODE_CONFIG_UNKNOWN_KEY", key, `no such flag: ${flag}`);
    }
    const next = flags[i + 1];
    let text: string;
    if (rest.length > 0) {
      text = rest.join("=");
    } else if (setting.kind === "boolean" && (next === undefined || next.startsWith("--"))) {
      text = "true";
    } else {
      if (next === undefined) throw new ConfigError("NODE_CONFIG_INVALID", key, "a value is due");
      text = next;
      i++;
    }
    const value = parseText(setting, text, name);
    const earlier = values.get(key);
    const isRepeated = Array.isArray(earlier) && Array.isArray(value);
    values.set(key, isRepeated ? [...earlier, ...value] : value);
  }
  return values;
}
