import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encryptPrivateKey, generateKeyPair, saveKeyFile } from "@credlink/crypto";
import { activateKey, createStore, destroyKey, importKey, showKey } from "@credlink/keys";
import { genesisCodec } from "@credlink/ledger";
import { encode } from "@credlink/primitives";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exitCodes } from "../../src/exit-codes.ts";
import { type RunningNode, startNode } from "../../src/node.ts";
import { runNode } from "../../src/run-node.ts";
import { VERSION } from "../../src/version.ts";
import { createNodeFolders, type NodeFolders } from "../support/nodes.ts";
import { createRecordingLogger } from "../support/recording.ts";

let made: NodeFolders;
const running: RunningNode[] = [];

beforeEach(async () => {
  made = await createNodeFolders(1);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((node) => node.stop()));
  await made.remove();
});

const only = () => {
  const [node] = made.nodes;
  if (node === undefined) throw new Error("no node");
  return node;
};

async function codeOfStart(change: Parameters<ReturnType<typeof only>["config"]>[0] = {}) {
  const logger = createRecordingLogger();
  try {
    running.push(await startNode(only().config(change), { logger }));
    return "started";
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : String(error);
  }
}

describe("a node does not start", () => {
  test("beside another one in the same folder, and does once that one is gone", async () => {
    expect(await codeOfStart()).toBe("started");
    expect(await codeOfStart()).toBe("NODE_STORAGE_LOCKED");
    await running.pop()?.stop();
    expect(await codeOfStart()).toBe("started");
  });

  test("where the vote log's folder cannot be made", async () => {
    const config = only().config();
    await mkdir(config.dataDir, { recursive: true });
    await writeFile(join(config.dataDir, "consensus"), "a file");
    expect(await codeOfStart()).toBe("NODE_STORAGE_FAILED");
  });

  test("with another chain's genesis than the data folder's", async () => {
    expect(await codeOfStart()).toBe("started");
    await running.pop()?.stop();
    const other = encode(genesisCodec, { ...made.genesis, chainId: "other" });
    await writeFile(join(only().folder, "genesis.bin"), other);
    expect(await codeOfStart()).toBe("LEDGER_GENESIS_MISMATCH");
  });

  test("S-9.5-1: on a chain whose transport the operator does not permit", async () => {
    const strict = { algorithms: { transport: ["gm"] } };
    expect(await codeOfStart(strict)).toBe("NODE_START_TRANSPORT_REFUSED");
    const gm = encode(genesisCodec, { ...made.genesis, version: 2, transport: "gm" });
    await writeFile(join(only().folder, "genesis.bin"), gm);
    const loose = { algorithms: { transport: ["noise"] } };
    expect(await codeOfStart(loose)).toBe("NODE_START_TRANSPORT_REFUSED");
    expect(await codeOfStart(strict)).toBe("started");
  });

  test("with a genesis that is none", async () => {
    await writeFile(join(only().folder, "genesis.bin"), Uint8Array.of(1, 2, 3));
    expect(await codeOfStart()).toBe("NODE_START_GENESIS_INVALID");
    expect(await codeOfStart({ genesis: "missing.bin" })).toBe("NODE_CONFIG_UNREADABLE");
  });

  test("with a plaintext key, but for development (S-8.4-7)", async () => {
    const { folder, credential } = only();
    const key = join(folder, "plain.key");
    await saveKeyFile(key, credential.privateKey, { plaintext: true });
    const identity = { certificate: "node.crt", key: "plain.key" };
    expect(await codeOfStart({ identity })).toBe("NODE_START_KEY_PLAINTEXT");
    expect(await codeOfStart({ identity, dev: true })).toBe("started");
  });

  test("S-9.5-1e: with a stuck generator, before anything is signed or sent", async () => {
    const random = { bytes: (length: number) => new Uint8Array(length), integer: () => 0 };
    const logger = createRecordingLogger();
    const started = startNode(only().config(), { logger, random });
    await expect(started).rejects.toMatchObject({ code: "CRYPTO_RANDOMNESS_FAILED" });
    const code = await runNode(only().config(), { logger, random });
    expect(code).toBe(exitCodes.startFailed);
    // Whatever was opened before is closed again.
    expect(await codeOfStart()).toBe("started");
  });

  test("S-9.5-2a: with a key of a key store that is not, or no longer, in use", async () => {
    const { folder, credential } = only();
    const password = "a password of a node";
    const pem = encryptPrivateKey(credential.privateKey, password, { iterations: 1_024 });
    const store = await createStore(join(folder, "keys"), { iterations: 1_024 });
    const input = { name: "node", kind: "node", pem, access: { password }, password } as const;
    await importKey(store, input);
    await writeFile(join(folder, "store.password"), `${password}\n`, { mode: 0o600 });
    const [certificate, keyPasswordFile] = ["node.crt", "store.password"];
    const identity = { certificate, key: "keys/keys/node.1.pem", keyPasswordFile };
    expect(await codeOfStart({ identity })).toBe("KEYS_STATE_FORBIDS");
    await activateKey(store, "node", { custodyRead: true });
    expect(await codeOfStart({ identity })).toBe("started");
    await running.pop()?.stop();
    const { entries } = await showKey(store, "node");
    expect(entries.map(({ event }) => event.action).slice(-2)).toEqual(["activate", "use"]);
    await destroyKey(store, "node", "test");
    expect(await codeOfStart({ identity })).toBe("KEYS_KEY_DESTROYED");
  });

  test("in development on a production chain", async () => {
    const genesis = encode(genesisCodec, { ...made.genesis, production: true });
    await writeFile(join(only().folder, "genesis.bin"), genesis);
    expect(await codeOfStart({ dev: true })).toBe("NODE_START_DEV_REFUSED");
  });

  test("with a wrong password, a foreign key, or a key file open to others", async () => {
    const { folder } = only();
    const identity = { certificate: "node.crt", key: "node.key", keyPasswordFile: "wrong" };
    await writeFile(join(folder, "wrong"), "other\n", { mode: 0o600 });
    expect(await codeOfStart({ identity })).toBe("CRYPTO_KEY_PASSWORD_WRONG");
    const { privateKey } = generateKeyPair();
    const protection = { password: "other", iterations: 1_024 };
    await saveKeyFile(join(folder, "foreign.key"), privateKey, protection);
    const foreign = { ...identity, key: "foreign.key" };
    expect(await codeOfStart({ identity: foreign })).toBe("NODE_START_KEY_MISMATCH");
    await chmod(join(folder, "node.key"), 0o644);
    expect(await codeOfStart()).toBe("CRYPTO_KEY_FILE_MODE");
  });

  test("without its peer key, or with one that is none", async () => {
    expect(await codeOfStart({ p2p: { keyFile: "missing" } })).toBe(
      "NODE_NETWORK_PEER_KEY_INVALID",
    );
    await writeFile(join(only().folder, "bad.key"), "zz");
    expect(await codeOfStart({ p2p: { keyFile: "bad.key" } })).toBe(
      "NODE_NETWORK_PEER_KEY_INVALID",
    );
  });

  test("on ports that are taken, and leaves the folder free", async () => {
    expect(await codeOfStart()).toBe("started");
    const [first] = running;
    if (first === undefined) throw new Error("not started");
    const port = Number(new URL(first.addresses.rpc).port);
    const listen = [first.addresses.p2p[0]?.split("/p2p/")[0] ?? ""];
    const second = await createNodeFolders(1);
    const [other] = second.nodes;
    if (other === undefined) throw new Error("no node");
    const logger = createRecordingLogger();
    await expect(startNode(other.config({ rpc: { port } }), { logger })).rejects.toMatchObject({
      code: "NODE_START_PORT_TAKEN",
    });
    await expect(startNode(other.config({ p2p: { listen } }), { logger })).rejects.toMatchObject({
      code: "NODE_NETWORK_LISTEN_FAILED",
    });
    const started = await startNode(other.config(), { logger });
    await started.stop();
    await second.remove();
  });
});

describe("a node runs and stops", () => {
  test("metrics on a port of their own are not on the RPC port", async () => {
    expect(await codeOfStart({ metrics: { port: 0 } })).toBe("started");
    const [node] = running;
    const rpc = node?.addresses.rpc ?? "";
    const metrics = node?.addresses.metrics ?? "";
    expect(new URL(rpc).port).not.toBe(new URL(metrics).port);
    expect((await fetch(metrics)).status).toBe(200);
    expect((await fetch(new URL("/healthz", metrics))).status).toBe(200);
    expect((await fetch(new URL("/metrics", rpc))).status).toBe(404);
  });

  test("its ports are closed after stop, and stop twice is stop once", async () => {
    expect(await codeOfStart()).toBe("started");
    const [node] = running.splice(0);
    await Promise.all([node?.stop(), node?.stop()]);
    expect(await node?.stopped).toBeUndefined();
    await expect(fetch(node?.addresses.rpc ?? "")).rejects.toThrow();
  });

  test("SIGTERM stops it with exit code 0", async () => {
    const logger = createRecordingLogger();
    const ended = runNode(only().config(), { logger });
    const isStarted = () => logger.entries.some(({ message }) => message === "node started");
    while (!isStarted()) await new Promise((resolve) => setTimeout(resolve, 10));
    process.emit("SIGTERM");
    expect(await ended).toBe(exitCodes.stopped);
    expect(logger.entries.map(({ message }) => message)).toContain("node stopped");
  });

  test("what keeps it from starting is logged with its code, exit code 1", async () => {
    const logger = createRecordingLogger();
    const config = only().config({ genesis: "missing.bin" });
    expect(await runNode(config, { logger })).toBe(exitCodes.startFailed);
    const entry = logger.entries.find(({ message }) => message === "node cannot start");
    expect(entry?.fields.code).toBe("NODE_CONFIG_UNREADABLE");
  });

  test("a certificate that peers will refuse is said at once, with the reason", async () => {
    const { folder } = only();
    const logger = createRecordingLogger();
    const foreign = await createNodeFolders(1);
    const [other] = foreign.nodes;
    const files = ["node.crt", "node.key", "node.password"];
    for (const name of files) {
      const bytes = await readFile(join(other?.folder ?? "", name));
      await writeFile(join(folder, `other-${name}`), bytes, { mode: 0o600 });
    }
    const identity = {
      certificate: "other-node.crt",
      key: "other-node.key",
      keyPasswordFile: "other-node.password",
    };
    running.push(await startNode(only().config({ identity }), { logger }));
    const entry = logger.entries.find(({ level }) => level === "error");
    expect(entry?.fields).toMatchObject({
      code: "NODE_START_CERTIFICATE_REFUSED",
      reason: "NODE_ADMISSION_UNKNOWN_ROOT",
    });
    await foreign.remove();
  });

  test("the version is the package's", async () => {
    const text = await readFile(join(import.meta.dirname, "../../package.json"), "utf8");
    expect((JSON.parse(text) as { version: string }).version).toBe(VERSION);
  });
});
