import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  AdmissionError,
  fixedSettings,
  generatePeerKey,
  loadConfig,
  type RunningNode,
  savePeerKey,
  startNode,
} from "@credlink/node";
import { stringify } from "yaml";
import { readTextOf } from "./connection.ts";
import { CliError } from "./errors.ts";
import { findFreePorts } from "./network/free-ports.ts";

/** What a new node needs from elsewhere. */
export interface JoinOptions {
  /** New or empty, or made by an earlier `node join`. */
  readonly dir: string;
  readonly genesis?: string;
  readonly certificate?: string;
  /** The organisation's CA, where genesis does not name it. */
  readonly authority?: string;
  readonly key?: string;
  readonly passwordFile?: string;
  /** One full multiaddress of a node of the chain. */
  readonly bootstrap?: string;
  /** Address to listen on for other nodes. */
  readonly host?: string;
  /** Address to listen on for clients. */
  readonly rpcHost?: string;
  readonly rpcPort?: number;
  readonly p2pPort?: number;
  /** How long joining may take, seconds. */
  readonly wait?: number;
}

const LOOPBACK = "127.0.0.1";
const DEFAULT_WAIT_SECONDS = 60;
/** Refusals that pass by themselves. */
const PASSING: ReadonlySet<string> = new Set([
  "NODE_ADMISSION_BANNED",
  "NODE_ADMISSION_TIMEOUT",
  "NODE_ADMISSION_ABORTED",
]);
const FILES = { certificate: "node.crt", key: "node.key", keyPasswordFile: "node.password" };

/** The options of a first joining, all there. @throws CliError CLI_OPTIONS_CONFLICT */
function wholeOptions(options: JoinOptions) {
  const { genesis, certificate, key, passwordFile, bootstrap } = options;
  if (
    genesis === undefined ||
    certificate === undefined ||
    key === undefined ||
    passwordFile === undefined ||
    bootstrap === undefined
  ) {
    throw new CliError(
      "CLI_OPTIONS_CONFLICT",
      "a new node needs --genesis, --certificate, --key, --password-file and --bootstrap",
    );
  }
  return { genesis, certificate, key, passwordFile, bootstrap };
}

/** Puts a node's folder together, whole by itself: node.yaml is written last. */
async function makeFolder(options: JoinOptions): Promise<void> {
  const given = wholeOptions(options);
  const dir = resolve(options.dir);
  if (existsSync(dir) && readdirSync(dir).length > 0) {
    throw new CliError("CLI_NETWORK_EXISTS", `${dir} is not empty and holds no node.yaml`);
  }
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const certificates = [given.certificate, options.authority].filter((path) => path !== undefined);
  const pem = certificates.map((path) => readTextOf(path).trimEnd()).join("\n");
  writeFileSync(join(dir, FILES.certificate), `${pem}\n`, { mode: 0o644 });
  writeFileSync(join(dir, FILES.key), readTextOf(given.key), { mode: 0o600 });
  const password = readTextOf(given.passwordFile);
  writeFileSync(join(dir, FILES.keyPasswordFile), password, { mode: 0o600 });
  copyFileSync(given.genesis, join(dir, "genesis.bin"));
  await savePeerKey(join(dir, "peer.key"), await generatePeerKey());
  const { host = LOOPBACK, rpcHost = LOOPBACK } = options;
  const [freeRpc = 0, freeP2p = 0] = await findFreePorts(LOOPBACK, 2);
  const kind = host.includes(":") ? "ip6" : "ip4";
  const settings = {
    dataDir: "data",
    genesis: "genesis.bin",
    identity: FILES,
    // Standard output is for what the command says.
    log: { file: "node.log" },
    rpc: { host: rpcHost, port: options.rpcPort ?? freeRpc },
    p2p: {
      keyFile: "peer.key",
      listen: [`/${kind}/${host}/tcp/${options.p2pPort ?? freeP2p}`],
      peers: [given.bootstrap],
    },
  };
  writeFileSync(join(dir, "node.yaml"), stringify(settings), { mode: 0o600 });
}

/**
 * Waits until a node has caught up and reaches a quorum of validators.
 * @throws AdmissionError with the code that a node of the chain refused it with; CliError
 *   CLI_NODE_NOT_READY
 */
async function untilJoined(
  node: RunningNode,
  waitMs: number,
  stopSignal: Promise<unknown>,
): Promise<void> {
  const endMs = performance.now() + waitMs;
  let isStopped = false;
  void stopSignal.then(() => {
    isStopped = true;
  });
  for (let after = 0; ; ) {
    const { events, next } = node.peerWatch.events(after, 256);
    const refusal = events.find(
      ({ type, nodeId, reason }) =>
        type === "refused" && nodeId === null && reason !== null && !PASSING.has(reason),
    );
    if (refusal !== undefined) throw refusedBy(refusal.peerId, refusal.reason ?? "");
    after = next;
    const { ready, reasons } = node.readiness();
    const { height, toldHeight } = node.engine.status();
    // Ready before anybody told of a head is ready for nothing: it may lack the whole chain.
    if (ready && toldHeight !== null && height >= toldHeight) return;
    if (isStopped) throw new CliError("CLI_NODE_NOT_READY", "stopped before it had joined");
    if (performance.now() >= endMs) {
      throw new CliError("CLI_NODE_NOT_READY", `after ${waitMs} ms: ${reasons.join(", ")}`);
    }
    await node.peerWatch.waitFor(next, 200);
  }
}

function refusedBy(peer: string | null, code: string): AdmissionError {
  return AdmissionError.fromPeer(code, `${peer ?? "a node of the chain"} did not admit this node`);
}

/**
 * Brings a node of this machine into a running chain by one address; it stays up. The folder is kept
 * where joining fails, so that it can be tried again with `dir` alone.
 * @throws what making the folder, starting and joining throw; nothing runs then
 */
export async function joinChain(
  options: JoinOptions,
  stopSignal: Promise<unknown>,
): Promise<RunningNode> {
  const file = join(options.dir, "node.yaml");
  if (!existsSync(file)) await makeFolder(options);
  const over = { environment: process.env };
  const config = await loadConfig({ file, ...over });
  const node = await startNode(config, { fixedSettings: fixedSettings(over) });
  try {
    await untilJoined(node, (options.wait ?? DEFAULT_WAIT_SECONDS) * 1_000, stopSignal);
    return node;
  } catch (error) {
    await node.stop();
    throw error;
  }
}
