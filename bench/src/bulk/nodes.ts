import { readFileSync } from "node:fs";
import {
  loadNetwork,
  type NodeProcess,
  networkPaths,
  type RunningNetwork,
  startNetwork,
  startNodeProcess,
  waitUntilReady,
} from "@credlink/cli";
import { readProcessUsage } from "../process-usage.ts";

/** Longest that a node with a large database may take to become ready, milliseconds. */
const READY_MS = 600_000;

/** What one node has used, over all its processes of this run. */
export interface NodeUsage {
  readonly cpuMs: number;
  readonly peakMemoryBytes: number;
}

/** The load's network: a node that ends is started again. */
export class LoadNodes {
  readonly running: RunningNetwork;
  readonly genesis: Uint8Array;
  restarts = 0;
  readonly #say: (text: string) => void;
  readonly #onEnd: () => void;
  readonly #processes = new Map<string, { pid: number; again: NodeProcess | null }>();
  readonly #used = new Map<number, { node: string; cpuMs: number; peakMemoryBytes: number }>();
  #isStopping = false;
  #ready: Promise<void> = Promise.resolve();

  private constructor(running: RunningNetwork, say: (text: string) => void, onEnd: () => void) {
    this.running = running;
    this.genesis = new Uint8Array(readFileSync(networkPaths(running.dir).genesis));
    this.#say = say;
    this.#onEnd = onEnd;
    for (const { name, pid } of running.nodes) this.#processes.set(name, { pid, again: null });
  }

  /** Starts every node. `onEnd` is told at once when one ends. */
  static async start(
    dir: string,
    say: (text: string) => void,
    onEnd: () => void,
  ): Promise<LoadNodes> {
    let nodes: LoadNodes | undefined;
    const running = await startNetwork(dir, {
      readyTimeoutMs: READY_MS,
      onNodeEnd: (name, how) => nodes?.startAgain(name, how),
    });
    nodes = new LoadNodes(running, say, onEnd);
    return nodes;
  }

  /** Resolves when all nodes run and are ready; rejects when one cannot be started again. */
  ready(): Promise<void> {
    return this.#ready;
  }

  startAgain(name: string, how: string): void {
    if (this.#isStopping) return;
    this.restarts += 1;
    this.#say(`${name} ended (${how}); it is started again`);
    const work = this.#ready.then(() => this.#start(name));
    // Whoever waits for readiness meets the failure; nobody else has to.
    work.catch(() => {});
    this.#ready = work;
    this.#onEnd();
  }

  async #start(name: string): Promise<void> {
    const { dir } = this.running;
    const entry = loadNetwork(dir).nodes.find((node) => node.name === name);
    if (entry === undefined) throw new Error(`no node ${name}`);
    const child = startNodeProcess(dir, name);
    this.#processes.set(name, { pid: child.pid, again: child });
    await waitUntilReady(entry, child, READY_MS);
    void child.ended.then(({ code, signal }) =>
      this.startAgain(name, signal ?? `exit code ${code}`),
    );
  }

  /** Node -> what it has used. To be asked often: what a node used since is lost when it dies. */
  usage(): ReadonlyMap<string, NodeUsage> {
    for (const [node, { pid }] of this.#processes) {
      const now = readProcessUsage(pid);
      if (now !== null) this.#used.set(pid, { node, ...now });
    }
    const sums = new Map<string, NodeUsage>();
    for (const { node, cpuMs, peakMemoryBytes } of this.#used.values()) {
      const sum = sums.get(node) ?? { cpuMs: 0, peakMemoryBytes: 0 };
      sums.set(node, {
        cpuMs: sum.cpuMs + cpuMs,
        peakMemoryBytes: Math.max(sum.peakMemoryBytes, peakMemoryBytes),
      });
    }
    return sums;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    const again = [...this.#processes.values()].flatMap((each) => each.again ?? []);
    for (const child of again) child.kill("SIGTERM");
    await Promise.all(again.map((child) => child.ended));
    await this.running.stop();
  }
}
