import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join, resolve } from "node:path";
import { z } from "zod";
import { CliError } from "../errors.ts";

/** Version of the folder's form; another one is refused. */
export const NETWORK_FORMAT = 1;

const port = z.number().int().min(1).max(65_535);

const memberFiles = z.strictObject({
  /** `organisation/name`, for example `org-1/admin`. */
  id: z.string(),
  role: z.string(),
  address: z.string(),
  certificate: z.string(),
  key: z.string(),
  passwordFile: z.string(),
});

const nodeEntry = z.strictObject({
  name: z.string(),
  role: z.enum(["validator", "observer", "regulator-node"]),
  organization: z.string(),
  peerId: z.string(),
  /** Under which others reach it: an address, or a name in containers. */
  host: z.string(),
  /** Address it listens on. */
  bind: z.string(),
  rpcPort: port,
  p2pPort: port,
});

/** What `network.json` of a network's folder says; paths are relative to the folder. */
export const networkSchema = z.strictObject({
  format: z.literal(NETWORK_FORMAT),
  chainId: z.string(),
  genesis: z.string(),
  genesisDigest: z.string(),
  /** Ports were chosen by the machine and may be chosen anew at start. */
  automaticPorts: z.boolean(),
  organizations: z.array(
    z.strictObject({
      name: z.string(),
      authorityCertificate: z.string(),
      authorityKey: z.string(),
      authorityPasswordFile: z.string(),
    }),
  ),
  members: z.array(memberFiles),
  nodes: z.array(nodeEntry),
});

export type Network = z.infer<typeof networkSchema>;
export type NetworkNode = Network["nodes"][number];
export type NetworkMember = Network["members"][number];

/** Where things stand in a network's folder. */
export function networkPaths(dir: string) {
  const root = resolve(dir);
  return {
    root,
    network: join(root, "network.json"),
    genesis: join(root, "genesis.bin"),
    authority: join(root, "authority"),
    run: join(root, "run.json"),
    organization: (name: string) => join(root, "organizations", name),
    node: (name: string) => join(root, "nodes", name),
    nodeGenesis: (name: string) => join(root, "nodes", name, "genesis.bin"),
    config: (name: string) => join(root, "nodes", name, "node.yaml"),
    data: (name: string) => join(root, "nodes", name, "data"),
    log: (name: string) => join(root, "nodes", name, "node.log"),
  };
}

/** @throws CliError CLI_NETWORK_UNKNOWN */
export function loadNetwork(dir: string): Network {
  const { network, root } = networkPaths(dir);
  let text: string;
  try {
    text = readFileSync(network, "utf8");
  } catch (cause) {
    throw new CliError("CLI_NETWORK_UNKNOWN", `${root} holds no network.json`, { cause });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new CliError("CLI_NETWORK_UNKNOWN", `${network} is not JSON`, { cause });
  }
  const parsed = networkSchema.safeParse(json);
  if (!parsed.success) {
    throw new CliError("CLI_NETWORK_UNKNOWN", `${network}: ${z.prettifyError(parsed.error)}`);
  }
  return parsed.data;
}

/** @throws CliError CLI_NODE_UNKNOWN */
export function findNode(network: Network, name: string | undefined): NetworkNode {
  const node =
    name === undefined ? network.nodes[0] : network.nodes.find((each) => each.name === name);
  if (node === undefined) throw new CliError("CLI_NODE_UNKNOWN", `no node ${name ?? "at all"}`);
  return node;
}

/** @throws CliError CLI_MEMBER_UNKNOWN */
export function findMember(network: Network, id: string): NetworkMember {
  const member = network.members.find((each) => each.id === id);
  if (member === undefined) throw new CliError("CLI_MEMBER_UNKNOWN", `no member ${id}`);
  return member;
}

/** The gateway's JSON-RPC endpoint of a node. */
export function rpcUrl(node: NetworkNode): string {
  return `http://${node.host}:${node.rpcPort}/rpc`;
}

/** The address under which other nodes dial a node. */
export function p2pAddress(node: NetworkNode): string {
  const kind = isIP(node.host) === 4 ? "ip4" : "dns4";
  return `/${kind}/${node.host}/tcp/${node.p2pPort}/p2p/${node.peerId}`;
}
