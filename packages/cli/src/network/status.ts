import { readFileSync } from "node:fs";
import { type Client, createClient, type Identity } from "@credlink/client";
import { AppError } from "@credlink/primitives";
import { loadNetworkIdentity } from "../connection.ts";
import { loadNetwork, networkPaths, rpcUrl } from "./layout.ts";

type Status = Awaited<ReturnType<Client["status"]>>;

/** One node as its gateway describes it, or why it does not. */
export type NodeStatus = { readonly name: string; readonly role: string } & (
  | (Status & { readonly reachable: true })
  | { readonly reachable: false; readonly code: string }
);

export interface NetworkStatus {
  readonly chainId: string;
  readonly genesisDigest: string;
  readonly nodes: readonly NodeStatus[];
}

const TIMEOUT_MS = 5_000;

/** Asks every node, each as the admin of its own organisation; a silent node is reported so. */
export async function networkStatus(dir: string): Promise<NetworkStatus> {
  const network = loadNetwork(dir);
  const genesis = new Uint8Array(readFileSync(networkPaths(dir).genesis));
  const admins = new Map<string, Identity>();
  for (const { organization } of network.nodes) {
    if (admins.has(organization)) continue;
    admins.set(organization, await loadNetworkIdentity(dir, network, `${organization}/admin`));
  }
  const nodes = await Promise.all(
    network.nodes.map(async (node): Promise<NodeStatus> => {
      const { name, role } = node;
      const identity = admins.get(node.organization);
      const client = createClient({
        url: rpcUrl(node),
        genesis,
        timeoutMs: TIMEOUT_MS,
        attempts: 1,
        ...(identity === undefined ? {} : { identity }),
      });
      try {
        return { name, reachable: true, ...(await client.status()), role };
      } catch (error) {
        if (error instanceof AppError) return { name, role, reachable: false, code: error.code };
        throw error;
      }
    }),
  );
  return { chainId: network.chainId, genesisDigest: network.genesisDigest, nodes };
}

/** The status as a table. */
export function renderStatus(status: NetworkStatus): string {
  const rows = status.nodes.map((node) =>
    node.reachable
      ? [
          node.name,
          node.role,
          String(node.height),
          node.headDigest.slice(0, 16),
          node.stateRoot.slice(0, 16),
          String(node.view),
          String(node.peers.length),
          node.syncing ? "syncing" : node.phase,
        ]
      : [node.name, node.role, "-", "-", "-", "-", "-", node.code],
  );
  return renderTable(["node", "role", "height", "head", "state", "view", "peers", ""], rows);
}

/** Columns as wide as their widest cell, two spaces apart. Chinese characters count double. */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) =>
    Math.max(...all.map((row) => displayWidth(row[column] ?? ""))),
  );
  return all
    .map((row) =>
      row
        .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - displayWidth(cell)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += /[\u2e80-\uffef]/.test(character) ? 2 : 1;
  return width;
}
