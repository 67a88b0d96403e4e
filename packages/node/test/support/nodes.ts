import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  addressFromPublicKey,
  certificateToPem,
  formatAddress,
  saveKeyFile,
} from "@credlink/crypto";
import {
  defaultGovernance,
  type Genesis,
  genesisCodec,
  genesisDigest,
  type Parameters,
} from "@credlink/ledger";
import { type Digest, encode } from "@credlink/primitives";
import { type NodeConfig, type NodeConfigInput, parseConfig } from "../../src/index.ts";
import { generatePeerKey, peerIdOf, savePeerKey } from "../../src/p2p/peer-key.ts";
import {
  type Authority,
  type Credential,
  createAuthority,
  createCredential,
  createRoot,
} from "./consortium.ts";

const parameters: Parameters = {
  blockGasLimit: 1_000_000_000,
  transactionGasLimit: 100_000_000,
  maxBlockTransactions: 2_000,
  maxBlockBytes: 4 * 1024 * 1024,
  minBlockIntervalMs: 20,
  emptyBlockIntervalMs: 0,
  precisionMs: 5_000,
  messageDelayMs: 5_000,
  contractStateEntries: 1_000_000,
  contractStateBytes: 1_000_000_000,
};

interface NodeFolder {
  readonly name: string;
  readonly folder: string;
  readonly peerId: string;
  readonly credential: Credential;
  readonly config: (change?: Partial<NodeConfigInput>) => NodeConfig;
}

export interface NodeFolders {
  readonly root: Authority;
  readonly authority: Authority;
  readonly admin: Credential;
  readonly adminAddress: string;
  readonly genesis: Genesis;
  readonly digest: Digest;
  readonly nodes: readonly NodeFolder[];
  readonly remove: () => Promise<void>;
}

const PASSWORD = "Test-2026";

async function writeNode(
  base: string,
  name: string,
  authority: Authority,
): Promise<Omit<NodeFolder, "config">> {
  const folder = join(base, name);
  await mkdir(folder);
  const credential = await createCredential(authority, name, "validator");
  const peerKey = await generatePeerKey();
  await savePeerKey(join(folder, "peer.key"), peerKey);
  await writeFile(join(folder, "node.crt"), certificateToPem(credential.certificate));
  const protection = { password: PASSWORD, iterations: 1_024 };
  await saveKeyFile(join(folder, "node.key"), credential.privateKey, protection);
  await writeFile(join(folder, "node.password"), `${PASSWORD}\n`, { mode: 0o600 });
  return { name, folder, peerId: peerIdOf(peerKey), credential };
}

function buildGenesis(
  names: { readonly root: Authority; readonly authority: Authority; readonly admin: Credential },
  nodes: readonly Omit<NodeFolder, "config">[],
  changed: Partial<Parameters>,
): Genesis {
  return {
    version: 1,
    chainId: "node-test",
    timestampMs: Date.now() - 60_000,
    production: false,
    allowNonByzantine: nodes.length < 4,
    consensus: "pbft",
    roots: [names.root.certificate.der],
    organizations: [{ name: "Org One", authorityCertificate: names.authority.certificate.der }],
    members: [names.admin, ...nodes.map(({ credential }) => credential)].map((each) => ({
      certificate: each.certificate.der,
    })),
    validators: nodes.map(({ name, peerId, credential }) => ({
      nodeId: name,
      publicKey: credential.publicKey,
      peerId,
    })),
    parameters: { ...parameters, ...changed },
    governance: defaultGovernance(["Org One"]),
    contracts: [],
  };
}

/** Folders of `count` validators of one chain, ready to be started. */
export async function createNodeFolders(
  count: number,
  changed: Partial<Parameters> = {},
): Promise<NodeFolders> {
  const base = await mkdtemp(join(tmpdir(), "credlink-node-"));
  const root = await createRoot();
  const authority = await createAuthority(root, "Org One");
  const admin = await createCredential(authority, "admin", "admin");
  const names = Array.from({ length: count }, (_, index) => `node${index + 1}`);
  const made = await Promise.all(names.map((name) => writeNode(base, name, authority)));
  const genesis = buildGenesis({ root, authority, admin }, made, changed);
  for (const { folder } of made) {
    await writeFile(join(folder, "genesis.bin"), encode(genesisCodec, genesis));
  }
  const nodes = made.map((node) => ({
    ...node,
    config: (change: Partial<NodeConfigInput> = {}) =>
      parseConfig(
        {
          identity: {
            certificate: "node.crt",
            key: "node.key",
            keyPasswordFile: "node.password",
          },
          p2p: { listen: ["/ip4/127.0.0.1/tcp/0"] },
          rpc: { port: 0 },
          verification: { threads: 0 },
          log: { level: "warn" },
          ...change,
        },
        node.folder,
      ),
  }));
  return {
    root,
    authority,
    admin,
    adminAddress: formatAddress(addressFromPublicKey(admin.publicKey)),
    genesis,
    digest: genesisDigest(genesis),
    nodes,
    remove: () => rm(base, { recursive: true, force: true }),
  };
}

interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly result?: Record<string, unknown>;
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data: { readonly code: string; readonly retryAfterMs?: number };
  };
}

export interface Caller {
  token: string;
  call(method: string, params?: object, token?: string): Promise<Answered>;
}

/** JSON-RPC by hand, so that what is tested is the wire. */
export function createCaller(url: string): Caller {
  let id = 0;
  const caller: Caller = {
    token: "",
    async call(method, params = {}, token = caller.token) {
      id++;
      const response = await fetch(url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify({ jsonrpc: "2.0", id, method, params }),
      });
      const body = (await response.json()) as Omit<Answered, "status" | "headers">;
      return { status: response.status, headers: response.headers, ...body };
    },
  };
  return caller;
}
