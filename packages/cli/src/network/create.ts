import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { loadCredentialContract } from "@credlink/contracts";
import { formatAddress } from "@credlink/crypto";
import { defaultGovernance, type Genesis, genesisCodec, genesisDigest } from "@credlink/ledger";
import { generatePeerKey, peerIdOf, savePeerKey } from "@credlink/node";
import { encode, toHex } from "@credlink/primitives";
import { CliError } from "../errors.ts";
import { createMember, createOrganizationAuthority, createRoot, type Issued } from "./authority.ts";
import { findFreePorts } from "./free-ports.ts";
import { NETWORK_FORMAT, type Network, networkPaths } from "./layout.ts";
import { type Settings, saveNetwork, writeNodeConfigs } from "./node-config.ts";
import type { NetworkPlan, PlannedNode } from "./plan.ts";

/** Ports of one node: gateway and p2p. */
const PORTS_PER_NODE = 2;
const HOST = "127.0.0.1";
/** Where nodes that have a machine or container each listen. */
const CONTAINER_RPC_PORT = 8_645;
const CONTAINER_P2P_PORT = 9_645;
/** Node certificates end apart from each other, so that no two must be renewed at once. */
const FIRST_END_DAYS = 365;
const LAST_END_DAYS = 3 * 365;
const MAX_STEP_DAYS = 30;
const ADMIN_DAYS = 2 * 365;

/**
 * Makes a folder and those above it that are missing, one by one: the recursive call of Node does
 * not end where a folder refuses to have children, as /proc does.
 */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

interface MadeNode extends PlannedNode {
  readonly issued: Issued;
  readonly peerId: string;
}

export interface CreateNetworkOptions {
  /** Milliseconds since 1970; default now. */
  readonly nowMs?: number;
  /** Told what is being made. */
  readonly onProgress?: (step: string) => void;
  /** Joined into every node's configuration file, for example a log level. */
  readonly settings?: Settings;
}

/**
 * Makes a network in an empty or new folder: consortium root, organisation CAs, admins, node
 * keys and certificates, genesis with the credential contract, and each node's configuration.
 *
 * @throws CliError CLI_NETWORK_EXISTS
 */
export async function createNetwork(
  dir: string,
  plan: NetworkPlan,
  options: CreateNetworkOptions = {},
): Promise<Network> {
  const paths = networkPaths(dir);
  const nowMs = options.nowMs ?? Date.now();
  const progress = options.onProgress ?? (() => {});
  if (existsSync(paths.root) && readdirSync(paths.root).length > 0) {
    throw new CliError("CLI_NETWORK_EXISTS", `${paths.root} is not empty`);
  }
  makeFolder(paths.root);
  progress("certificate authority of the consortium");
  const root = await createRoot(paths.authority, plan.chainId, nowMs);
  const authorities = new Map<string, Issued>();
  const admins = new Map<string, Issued>();
  for (const organization of plan.organizations) {
    progress(`organisation ${organization}: authority and admin`);
    const folder = paths.organization(organization);
    const authority = await createOrganizationAuthority(folder, organization, root, nowMs);
    const request = {
      organization,
      role: "admin",
      name: "admin",
      days: ADMIN_DAYS,
      nowMs,
    } as const;
    authorities.set(organization, authority);
    admins.set(organization, await createMember(folder, "admin", authority, request));
  }
  progress(`${plan.nodes.length} node keys and certificates`);
  const nodes = await createNodes(plan, paths.node, authorities, nowMs);
  const genesis = buildGenesis(plan, { root, authorities, admins, nodes, nowMs });
  const genesisBytes = encode(genesisCodec, genesis);
  writeFileSync(paths.genesis, genesisBytes, { flag: "wx" });
  for (const node of nodes) {
    // Each node's folder is whole by itself, so that it can be moved to its machine.
    writeFileSync(paths.nodeGenesis(node.name), genesisBytes, { flag: "wx" });
  }
  const ports = await choosePorts(plan);
  const network = describe(plan, paths.root, { authorities, admins, nodes, ports, genesis });
  writeNodeConfigs(dir, network, options.settings);
  saveNetwork(dir, network);
  return network;
}

async function createNodes(
  plan: NetworkPlan,
  folderOf: (name: string) => string,
  authorities: ReadonlyMap<string, Issued>,
  nowMs: number,
): Promise<readonly MadeNode[]> {
  const span = LAST_END_DAYS - FIRST_END_DAYS;
  const stepDays = Math.min(MAX_STEP_DAYS, Math.floor(span / Math.max(1, plan.nodes.length)));
  const nodes: MadeNode[] = [];
  for (const [index, node] of plan.nodes.entries()) {
    const authority = authorities.get(node.organization);
    if (authority === undefined) {
      throw new CliError("CLI_OPTIONS_CONFLICT", `no organisation ${node.organization}`);
    }
    const folder = folderOf(node.name);
    const days = FIRST_END_DAYS + index * stepDays;
    const issued = await createMember(folder, "node", authority, { ...node, days, nowMs });
    const peerKey = await generatePeerKey();
    await savePeerKey(join(folder, "peer.key"), peerKey);
    nodes.push({ ...node, issued, peerId: peerIdOf(peerKey) });
  }
  return nodes;
}

function buildGenesis(
  plan: NetworkPlan,
  made: {
    readonly root: Issued;
    readonly authorities: ReadonlyMap<string, Issued>;
    readonly admins: ReadonlyMap<string, Issued>;
    readonly nodes: readonly MadeNode[];
    readonly nowMs: number;
  },
): Genesis {
  const validators = made.nodes.filter(
    (node) => node.role === "validator" && node.isStandby !== true,
  );
  const contract = loadCredentialContract();
  return {
    // Version 1 says noise by saying nothing, as it did before there was a choice.
    ...(plan.transport === "noise" ? { version: 1 } : { version: 2, transport: plan.transport }),
    chainId: plan.chainId,
    timestampMs: made.nowMs,
    production: false,
    allowNonByzantine: plan.allowNonByzantine,
    consensus: plan.consensus,
    roots: [made.root.certificate.der],
    organizations: [...made.authorities].map(([name, authority]) => ({
      name,
      authorityCertificate: authority.certificate.der,
    })),
    members: [...made.admins.values(), ...made.nodes.map((node) => node.issued)].map((issued) => ({
      certificate: issued.certificate.der,
    })),
    validators: validators.map((node) => ({
      nodeId: node.name,
      publicKey: node.issued.signer.publicKey,
      peerId: node.peerId,
    })),
    parameters: plan.parameters,
    governance: defaultGovernance(plan.organizations),
    contracts: [
      {
        name: contract.name,
        version: contract.version,
        code: contract.code,
        manifest: contract.manifest,
      },
    ],
  };
}

async function choosePorts(plan: NetworkPlan): Promise<readonly number[]> {
  const count = plan.nodes.length * PORTS_PER_NODE;
  const { basePort } = plan;
  if (plan.containers) return plan.nodes.flatMap(() => [CONTAINER_RPC_PORT, CONTAINER_P2P_PORT]);
  if (basePort === undefined) return findFreePorts(HOST, count);
  return Array.from({ length: count }, (_, index) => basePort + index);
}

function describe(
  plan: NetworkPlan,
  root: string,
  made: {
    readonly authorities: ReadonlyMap<string, Issued>;
    readonly admins: ReadonlyMap<string, Issued>;
    readonly nodes: readonly MadeNode[];
    readonly ports: readonly number[];
    readonly genesis: Genesis;
  },
): Network {
  const files = (issued: Issued) => ({
    certificate: relative(root, issued.files.certificate),
    key: relative(root, issued.files.key),
    passwordFile: relative(root, issued.files.passwordFile),
  });
  return {
    format: NETWORK_FORMAT,
    chainId: plan.chainId,
    genesis: "genesis.bin",
    genesisDigest: toHex(genesisDigest(made.genesis)),
    automaticPorts: plan.basePort === undefined && !plan.containers,
    organizations: [...made.authorities].map(([name, authority]) => {
      const { certificate, key, passwordFile } = files(authority);
      return {
        name,
        authorityCertificate: certificate,
        authorityKey: key,
        authorityPasswordFile: passwordFile,
      };
    }),
    members: [...made.admins].map(([organization, admin]) => ({
      id: `${organization}/admin`,
      role: "admin",
      address: formatAddress(admin.address),
      ...files(admin),
    })),
    nodes: made.nodes.map((node, index) => ({
      name: node.name,
      role: node.role,
      organization: node.organization,
      peerId: node.peerId,
      host: plan.containers ? node.name : HOST,
      bind: plan.containers ? "0.0.0.0" : HOST,
      rpcPort: made.ports[index * PORTS_PER_NODE] ?? 0,
      p2pPort: made.ports[index * PORTS_PER_NODE + 1] ?? 0,
    })),
  };
}
