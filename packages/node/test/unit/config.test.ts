import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { describeConfiguration } from "../../src/config/document.ts";
import { ConfigError } from "../../src/config/errors.ts";
import { loadConfig, parseConfig } from "../../src/config/load.ts";
import { settings, variableOf } from "../../src/config/settings.ts";

const identity = { certificate: "node.crt", key: "node.key" };
let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "credlink-config-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function fileOf(text: string): Promise<string> {
  const file = join(folder, "node.yaml");
  await writeFile(file, text);
  return file;
}

async function failure(promise: Promise<unknown>): Promise<{ code: string; key: string }> {
  const error: unknown = await promise.then(
    () => undefined,
    (cause) => cause,
  );
  if (!(error instanceof ConfigError)) throw new Error(`no ConfigError: ${String(error)}`);
  return error.details;
}

const MINIMAL = "identity:\n  certificate: node.crt\n  key: keys/node.key\n";

test("every default is accepted when it is written down, and so are 16 GiB of memory", () => {
  const defaults = parseConfig({ identity }, folder);
  expect(parseConfig({ ...defaults }, folder)).toEqual(defaults);
  const most = 17_179_869_184;
  const sizes = { engine: { mempoolBytes: most }, storage: { cacheBytes: most } };
  const { engine, storage } = parseConfig({ identity, ...sizes }, folder);
  expect([engine.mempoolBytes, storage.cacheBytes]).toEqual([most, most]);
  expect(() => parseConfig({ identity, engine: { mempoolBytes: most + 1 } }, folder)).toThrow(
    ConfigError,
  );
});

describe("sources", () => {
  test("defaults < file < environment < flags", async () => {
    const file = await fileOf(`${MINIMAL}rpc:\n  port: 1\n  maxBatch: 2\n  maxSessions: 3\n`);
    const environment = { CREDLINK_RPC_MAX_BATCH: "20", CREDLINK_RPC_MAX_SESSIONS: "30" };
    const flags = ["--rpc.maxSessions=300"];
    const { rpc } = await loadConfig({ file, environment, flags });
    expect([rpc.host, rpc.port, rpc.maxBatch, rpc.maxSessions]).toEqual(["127.0.0.1", 1, 20, 300]);
  });

  test("paths of the file are relative to it, those of flags to the working folder", async () => {
    const file = await fileOf(MINIMAL);
    const config = await loadConfig({ file, flags: ["--dataDir", "elsewhere"] });
    expect(config.identity.key).toBe(join(folder, "keys/node.key"));
    expect(config.genesis).toBe(join(folder, "genesis.bin"));
    expect(config.dataDir).toBe(join(process.cwd(), "elsewhere"));
  });

  test("lists take commas and repeated flags, booleans stand alone, null is null", async () => {
    const file = await fileOf(`${MINIMAL}metrics:\n  port: 9000\n`);
    const flags = [
      "--p2p.listen=/ip4/127.0.0.1/tcp/1,/ip4/127.0.0.1/tcp/2",
      "--p2p.listen",
      "/ip4/127.0.0.1/tcp/3",
      "--dev",
      "--engine.overlap=false",
      "--metrics.port=null",
    ];
    const config = await loadConfig({ file, flags });
    expect(config.p2p.listen).toEqual([1, 2, 3].map((port) => `/ip4/127.0.0.1/tcp/${port}`));
    expect([config.dev, config.engine.overlap, config.metrics.port]).toEqual([true, false, null]);
  });

  test("the configuration is frozen to its leaves", () => {
    const config = parseConfig({ identity }, folder);
    expect(Object.isFrozen(config.p2p.listen) && Object.isFrozen(config.p2p)).toBe(true);
  });

  test("every default passes the schema and every setting has words and a variable", () => {
    expect(() => parseConfig({ identity }, folder)).not.toThrow();
    for (const each of settings) expect(each.description, each.key).not.toBe("");
    expect(new Set(settings.map((each) => each.variable)).size).toBe(settings.length);
    expect(variableOf("p2p.handshakeTimeoutMs")).toBe("CREDLINK_P2P_HANDSHAKE_TIMEOUT_MS");
  });
});

describe("refusals name the key", () => {
  const unknown = "NODE_CONFIG_UNKNOWN_KEY";
  const invalid = "NODE_CONFIG_INVALID";

  test("of the file, at any depth", async () => {
    const top = await fileOf(`${MINIMAL}prot: 1\n`);
    expect(await failure(loadConfig({ file: top }))).toEqual({ code: unknown, key: "prot" });
    const deep = await fileOf(`${MINIMAL}p2p:\n  failuresPerPeer:\n    banSeconds: 1\n`);
    const key = "p2p.failuresPerPeer.banSeconds";
    expect(await failure(loadConfig({ file: deep }))).toEqual({ code: unknown, key });
  });

  test("of the environment, but only in our sections", async () => {
    const file = await fileOf(MINIMAL);
    const wrong = loadConfig({ file, environment: { CREDLINK_P2P_LISTN: "x" } });
    expect(await failure(wrong)).toEqual({ code: unknown, key: "CREDLINK_P2P_LISTN" });
    await loadConfig({ file, environment: { CREDLINK_E2E_LARGE: "1", PATH: "/bin" } });
  });

  test("of flags, in name and in form", async () => {
    const file = await fileOf(MINIMAL);
    const wrong = loadConfig({ file, flags: ["--p2p.listn=x"] });
    expect(await failure(wrong)).toEqual({ code: unknown, key: "p2p.listn" });
    const bare = loadConfig({ file, flags: ["rpc.port=1"] });
    expect(await failure(bare)).toEqual({ code: unknown, key: "rpc.port" });
    const missing = loadConfig({ file, flags: ["--rpc.port"] });
    expect(await failure(missing)).toEqual({ code: invalid, key: "rpc.port" });
  });

  test.each([
    ["rpc:\n  port: 65536\n", "rpc.port"],
    ["rpc:\n  port: -1\n", "rpc.port"],
    ["rpc:\n  port: eighty\n", "rpc.port"],
    ["p2p:\n  listen: []\n", "p2p.listen"],
    ["p2p:\n  peers: [/ip4/127.0.0.1/tcp/1]\n", "p2p.peers.0"],
    ["log:\n  level: loud\n", "log.level"],
  ])("a value out of range: %j", async (text, key) => {
    const file = await fileOf(MINIMAL + text);
    expect(await failure(loadConfig({ file }))).toEqual({ code: invalid, key });
  });

  test("a required key that is missing", async () => {
    const file = await fileOf("identity:\n  key: a\n");
    expect(await failure(loadConfig({ file }))).toEqual({
      code: invalid,
      key: "identity.certificate",
    });
  });

  test("a file that is missing, or no mapping", async () => {
    const missing = await failure(loadConfig({ file: join(folder, "none.yaml") }));
    expect(missing.code).toBe("NODE_CONFIG_UNREADABLE");
    const list = await failure(loadConfig({ file: await fileOf("- 1\n") }));
    expect(list.code).toBe("NODE_CONFIG_UNREADABLE");
  });
});

test("docs/configuration.md is what the schema says", async () => {
  const page = join(import.meta.dirname, "../../../../docs/configuration.md");
  expect(await readFile(page, "utf8")).toBe(describeConfiguration());
});

describe("S-9.5-1, T-4.6.1-3: algorithms off the allow-list are refused at the start", () => {
  const refused = (algorithms: unknown): string => {
    try {
      parseConfig({ identity, algorithms }, folder);
      return "accepted";
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return `${error.code} ${error.details.key}`;
    }
  };

  test.each([
    ["digest", "md5"],
    ["digest", "sha1"],
    ["digest", "sha256"],
    ["digest", "sm3-128"],
    ["digest", "SM3"],
    ["signature", "rsa-1024"],
    ["signature", "ed25519"],
    ["cipher", "des"],
    ["cipher", "aes-128"],
    ["transport", "tls1.0"],
  ])("%s: %s, alone or beside what is allowed", (kind, name) => {
    const good = parseConfig({ identity }, folder).algorithms;
    const beside = Object.entries(good).find(([each]) => each === kind)?.[1] ?? [];
    for (const list of [[name], [...beside, name]]) {
      expect(refused({ [kind]: list })).toBe(`NODE_CONFIG_ALGORITHM_REFUSED algorithms.${kind}`);
    }
  });

  test("nothing that every chain needs can be left out", () => {
    for (const kind of ["digest", "signature", "cipher", "transport"]) {
      expect(refused({ [kind]: [] })).toBe(`NODE_CONFIG_ALGORITHM_REFUSED algorithms.${kind}`);
    }
    for (const transport of [["gm"], ["noise"], ["gm", "noise"]]) {
      expect(refused({ transport })).toBe("accepted");
    }
  });

  test("the defaults are SM2, SM3 and SM4, and both transports", () => {
    expect(parseConfig({ identity }, folder).algorithms).toEqual({
      digest: ["sm3"],
      signature: ["sm2"],
      cipher: ["sm4"],
      transport: ["noise", "gm"],
    });
  });
});
