import { setTimeout as delay } from "node:timers/promises";
import { CliError } from "../errors.ts";
import { findFreePorts, isPortFree } from "./free-ports.ts";
import { loadNetwork, type Network, networkPaths, p2pAddress, rpcUrl } from "./layout.ts";
import { saveNetwork, writeNodeConfigs } from "./node-config.ts";
import { type NodeProcess, startNodeProcess, waitUntilReady } from "./node-process.ts";
import {
  identifyProcess,
  isRunning,
  readRunState,
  removeRunState,
  writeRunState,
} from "./run-file.ts";

/** How long all nodes together may take to become ready, milliseconds. */
const READY_TIMEOUT_MS = 60_000;
/** How long a node may take to stop when asked, before it is ended, milliseconds. */
const STOP_TIMEOUT_MS = 15_000;

/** Where a running node is reached. */
export interface RunningNodeInfo {
  readonly name: string;
  readonly role: string;
  readonly organization: string;
  readonly rpc: string;
  readonly metrics: string;
  readonly p2p: string;
  readonly pid: number;
}

/** A network whose processes we supervise. */
export interface RunningNetwork {
  readonly dir: string;
  readonly network: Network;
  readonly nodes: readonly RunningNodeInfo[];
  /** Resolves when every node has ended, by itself or by `stop`. */
  readonly ended: Promise<void>;
  /** Asks all nodes to stop, ends those that do not, and resolves when all are gone. */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Told when a node ends that was not asked to. */
  readonly onNodeEnd?: (name: string, how: string) => void;
  readonly readyTimeoutMs?: number;
}

/**
 * Starts every node of a network as a process of its own and waits until all are ready. Either all
 * run when it resolves, or none when it rejects.
 *
 * @throws CliError CLI_NETWORK_UNKNOWN, CLI_NETWORK_RUNNING, CLI_PORT_TAKEN, CLI_NODE_NOT_READY
 */
export async function startNetwork(
  dir: string,
  options: StartOptions = {},
): Promise<RunningNetwork> {
  if (readRunState(dir) !== null) throw new CliError("CLI_NETWORK_RUNNING", dir);
  const network = await settlePorts(dir, loadNetwork(dir));
  const children = network.nodes.map((node) => startNodeProcess(dir, node.name));
  writeRunState(dir, {
    supervisor: identifyProcess(process.pid),
    nodes: children.map(({ name, pid }) => ({ name, ...identifyProcess(pid) })),
  });
  let isStopping = false;
  const stop = async (): Promise<void> => {
    isStopping = true;
    await Promise.all(children.map(stopChild));
    removeRunState(dir);
  };
  try {
    const timeoutMs = options.readyTimeoutMs ?? READY_TIMEOUT_MS;
    await Promise.all(
      network.nodes.map((node, index) =>
        waitUntilReady(node, children[index] as NodeProcess, timeoutMs),
      ),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  for (const child of children) {
    void child.ended.then(({ code, signal }) => {
      if (!isStopping) options.onNodeEnd?.(child.name, signal ?? `exit code ${code}`);
    });
  }
  return {
    dir,
    network,
    nodes: network.nodes.map((node, index) => ({
      name: node.name,
      role: node.role,
      organization: node.organization,
      rpc: rpcUrl(node),
      metrics: new URL("/metrics", rpcUrl(node)).href,
      p2p: p2pAddress(node),
      pid: children[index]?.pid ?? 0,
    })),
    ended: Promise.all(children.map((child) => child.ended)).then(() => {}),
    stop,
  };
}

async function stopChild(child: NodeProcess): Promise<void> {
  if (child.exit() !== null) return;
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
  await child.ended;
  clearTimeout(timer);
}

/** Ports that the machine chose are chosen anew when another process took one meanwhile. */
async function settlePorts(dir: string, network: Network): Promise<Network> {
  const ports = network.nodes.flatMap((node) => [node.rpcPort, node.p2pPort]);
  const host = network.nodes[0]?.bind ?? "127.0.0.1";
  const free = await Promise.all(ports.map((port) => isPortFree(host, port)));
  const taken = ports.find((_, index) => free[index] === false);
  if (taken === undefined) return network;
  if (!network.automaticPorts) throw new CliError("CLI_PORT_TAKEN", `port ${taken}`);
  const fresh = await findFreePorts(host, ports.length);
  const nodes = network.nodes.map((node, index) => ({
    ...node,
    rpcPort: fresh[2 * index] ?? 0,
    p2pPort: fresh[2 * index + 1] ?? 0,
  }));
  const moved = { ...network, nodes };
  writeNodeConfigs(dir, moved);
  saveNetwork(dir, moved);
  return moved;
}

/**
 * Stops a network from another process and waits until its supervisor is gone.
 * @throws CliError CLI_NETWORK_NOT_RUNNING, CLI_STOP_TIMEOUT
 */
export async function stopNetwork(dir: string, timeoutMs = 30_000): Promise<void> {
  loadNetwork(dir);
  const state = readRunState(dir);
  if (state === null) throw new CliError("CLI_NETWORK_NOT_RUNNING", networkPaths(dir).root);
  process.kill(state.supervisor.pid, "SIGTERM");
  const endMs = performance.now() + timeoutMs;
  const all = [state.supervisor, ...state.nodes];
  while (all.some(isRunning)) {
    if (performance.now() > endMs) {
      const left = all.filter(isRunning).map((each) => each.pid);
      throw new CliError("CLI_STOP_TIMEOUT", `still running: ${left.join(", ")}`);
    }
    await delay(50);
  }
}
