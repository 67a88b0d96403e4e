import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { parse, stringify } from "yaml";
import { CliError } from "../errors.ts";
import { type Network, type NetworkNode, networkPaths, p2pAddress } from "./layout.ts";

/** Part of a node's configuration file, as docs/configuration.md describes it. */
export interface Settings {
  readonly [key: string]: unknown;
}

function isSettings(value: unknown): value is Settings {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function section(settings: Settings, name: string): Settings {
  const value = settings[name];
  return isSettings(value) ? value : {};
}

/** What a new node's file says; paths are relative to the file. */
function initialSettings(): Settings {
  return {
    dataDir: "data",
    genesis: "genesis.bin",
    identity: { certificate: "node.crt", key: "node.key", keyPasswordFile: "node.password" },
    p2p: { keyFile: "peer.key" },
    // On one machine a view that lasts longer than it starts with only delays the next primary.
    engine: { maxBaseTimeoutMs: 2_000 },
  };
}

/** Puts a node's addresses and those of its peers into its settings; the rest stays. */
function placeNode(settings: Settings, node: NetworkNode, network: Network): Settings {
  const peers = network.nodes.filter((other) => other.name !== node.name).map(p2pAddress);
  const listen = [`/ip4/${node.bind}/tcp/${node.p2pPort}`];
  return {
    ...settings,
    rpc: { ...section(settings, "rpc"), host: node.bind, port: node.rpcPort },
    p2p: { ...section(settings, "p2p"), listen, peers },
  };
}

function readSettings(path: string): Settings {
  if (!existsSync(path)) return initialSettings();
  const settings: unknown = parse(readFileSync(path, "utf8"));
  if (!isSettings(settings)) throw new CliError("CLI_FILE_MALFORMED", `${path} is not a mapping`);
  return settings;
}

/** Deep merge: later values win, mappings are joined, everything else is replaced. */
function merge(base: Settings, over: Settings): Settings {
  const joined: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = joined[key];
    joined[key] = isSettings(value) && isSettings(below) ? merge(below, value) : value;
  }
  return joined;
}

/**
 * Writes every node's configuration file. In a file that is there already only addresses change;
 * what an operator wrote stays.
 *
 * @param settings joined into each file, for example a log level.
 */
export function writeNodeConfigs(dir: string, network: Network, settings: Settings = {}): void {
  const paths = networkPaths(dir);
  for (const node of network.nodes) {
    const path = paths.config(node.name);
    const whole = placeNode(merge(readSettings(path), settings), node, network);
    writeWhole(path, stringify(whole), 0o600);
  }
}

/** Replaces `network.json`. */
export function saveNetwork(dir: string, network: Network): void {
  writeWhole(networkPaths(dir).network, `${JSON.stringify(network, null, 2)}\n`, 0o600);
}

/** The file holds the old text or the new one, never part of either. */
function writeWhole(path: string, text: string, mode: number): void {
  writeFileSync(`${path}.new`, text, { mode });
  renameSync(`${path}.new`, path);
}
