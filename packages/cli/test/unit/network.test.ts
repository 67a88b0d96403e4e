import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseCertificate, verifyCertificateChain } from "@credlink/crypto";
import { genesisCodec, genesisDigest } from "@credlink/ledger";
import { loadConfig } from "@credlink/node";
import { decode, toHex } from "@credlink/primitives";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import {
  createNetwork,
  loadIdentity,
  loadNetwork,
  type Network,
  networkPaths,
  p2pAddress,
  planNetwork,
  startNetwork,
  writeNodeConfigs,
} from "../../src/index.ts";

let folder: string;
let dir: string;
let network: Network;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "credlink-cli-"));
  dir = join(folder, "net");
  network = await createNetwork(dir, planNetwork({ validators: 4, observers: 1 }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const certificateAt = (path: string) => {
  const parsed = parseCertificate(readFileSync(path, "utf8"));
  if (!parsed.ok) throw new Error(parsed.code);
  return parsed.value;
};

describe("a plan", () => {
  it.each([
    [1, 4],
    [4, 4],
    [5, 5],
    [10, 10],
  ])("of %i validators has %i organisations", (validators, organizations) => {
    expect(planNetwork({ validators }).organizations).toHaveLength(organizations);
  });

  it.each([0, 2, 3, 101, 1.5, Number.NaN])("of %d validators is refused", (validators) => {
    expect(() => planNetwork({ validators })).toThrowError(
      expect.objectContaining({ code: "CLI_NETWORK_SIZE" }),
    );
  });

  it("refuses a chain id that is no name", () => {
    expect(() => planNetwork({ validators: 4, standbys: 101 })).toThrowError(
      expect.objectContaining({ code: "CLI_NETWORK_SIZE" }),
    );
    const planned = planNetwork({ validators: 4, standbys: 2 }).nodes;
    expect(planned.filter(({ isStandby }) => isStandby).map(({ name }) => name)).toEqual([
      "node-5",
      "node-6",
    ]);
    expect(planNetwork({ validators: 4 }).transport).toBe("noise");
    expect(planNetwork({ validators: 4, transport: "gm" }).transport).toBe("gm");
    for (const transport of ["tls", "GM", ""]) {
      expect(() => planNetwork({ validators: 4, transport })).toThrowError(
        expect.objectContaining({ code: "CLI_OPTIONS_CONFLICT" }),
      );
    }
    expect(() => planNetwork({ validators: 4, chainId: "A b" })).toThrowError(
      expect.objectContaining({ code: "CLI_OPTIONS_CONFLICT" }),
    );
  });
});

describe("a network's folder", () => {
  it("holds a genesis that names its validators, members and the credential contract", () => {
    const bytes = new Uint8Array(readFileSync(networkPaths(dir).genesis));
    const genesis = decode(genesisCodec, bytes);
    expect(toHex(genesisDigest(genesis))).toBe(network.genesisDigest);
    expect(genesis.validators.map((each) => each.nodeId)).toEqual([
      "node-1",
      "node-2",
      "node-3",
      "node-4",
    ]);
    expect(genesis.validators.map((each) => each.peerId)).toEqual(
      network.nodes.slice(0, 4).map((node) => node.peerId),
    );
    expect(genesis.members).toHaveLength(4 + 5);
    expect(genesis.contracts.map((each) => each.name)).toEqual(["credential"]);
    expect(genesis.allowNonByzantine).toBe(false);
    expect(genesis.consensus).toBe("pbft");
  });

  it("holds certificates that chain to the root, with roles, whose ends are apart", () => {
    const roots = [certificateAt(join(dir, "authority", "root.crt"))];
    const ends = network.nodes.map((node) => {
      const leaf = certificateAt(join(networkPaths(dir).node(node.name), "node.crt"));
      const ca = certificateAt(join(networkPaths(dir).organization(node.organization), "ca.crt"));
      const chain = verifyCertificateChain({
        leaf,
        intermediates: [ca],
        roots,
        revocationLists: [],
        atMs: Date.now(),
      });
      expect(chain).toMatchObject({ ok: true, value: { role: node.role } });
      return leaf.notAfterMs;
    });
    expect(new Set(ends.map((end) => Math.floor(end / 86_400_000))).size).toBe(ends.length);
  });

  it("holds keys that only their password file opens, mode 0600", async () => {
    const key = join(dir, "organizations", "org-1", "admin.key");
    const password = join(dir, "organizations", "org-1", "admin.password");
    expect(statSync(key).mode & 0o777).toBe(0o600);
    expect(statSync(password).mode & 0o777).toBe(0o600);
    await expect(loadIdentity(key, password)).resolves.toBeDefined();
    const other = join(dir, "organizations", "org-2", "admin.password");
    await expect(loadIdentity(key, other)).rejects.toMatchObject({
      code: "CRYPTO_KEY_PASSWORD_WRONG",
    });
  });

  it("holds configurations that a node accepts, each naming all other nodes", async () => {
    for (const node of network.nodes) {
      const config = await loadConfig({ file: networkPaths(dir).config(node.name) });
      expect(config.rpc.port).toBe(node.rpcPort);
      const others = network.nodes.filter((each) => each.name !== node.name).map(p2pAddress);
      expect(config.p2p.peers).toEqual(others);
      expect(readFileSync(config.genesis)).toEqual(readFileSync(networkPaths(dir).genesis));
    }
  });

  it("is not made twice", async () => {
    await expect(createNetwork(dir, planNetwork({ validators: 1 }))).rejects.toMatchObject({
      code: "CLI_NETWORK_EXISTS",
    });
  });

  it("of another format is refused", () => {
    const other = mkdtempSync(join(folder, "other-"));
    writeFileSync(join(other, "network.json"), JSON.stringify({ ...network, format: 2 }));
    expect(() => loadNetwork(other)).toThrowError(
      expect.objectContaining({ code: "CLI_NETWORK_UNKNOWN" }),
    );
  });

  it("keeps what an operator wrote when addresses change", () => {
    const path = networkPaths(dir).config("node-1");
    writeNodeConfigs(dir, network, { log: { level: "debug" } });
    const moved = { ...network, nodes: network.nodes.map((node) => ({ ...node, rpcPort: 1_234 })) };
    writeNodeConfigs(dir, moved);
    const config = parse(readFileSync(path, "utf8")) as Record<string, Record<string, unknown>>;
    expect(config.log).toEqual({ level: "debug" });
    expect(config.rpc?.port).toBe(1_234);
    writeNodeConfigs(dir, network);
  });
});

describe("containers", () => {
  it("find each other by name and listen on all addresses", async () => {
    const made = await createNetwork(
      join(folder, "containers"),
      planNetwork({ validators: 4, containers: true }),
    );
    expect(made.nodes.map((node) => [node.host, node.bind, node.rpcPort, node.p2pPort])).toEqual(
      made.nodes.map((node) => [node.name, "0.0.0.0", 8_645, 9_645]),
    );
    const [first] = made.nodes;
    if (first === undefined) throw new Error("four nodes");
    expect(p2pAddress(first)).toBe(`/dns4/node-1/tcp/9645/p2p/${first.peerId}`);
  });
});

describe("fixed ports", () => {
  it("that are taken are reported before anything is started", async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    try {
      const taken = join(folder, "taken");
      // The taken port is the p2p port of the one node, so that the range stays below 65,536.
      await createNetwork(taken, planNetwork({ validators: 1, basePort: port - 1 }));
      await expect(startNetwork(taken)).rejects.toMatchObject({ code: "CLI_PORT_TAKEN" });
    } finally {
      server.close();
    }
  });
});
