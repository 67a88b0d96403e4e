import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  createNetwork,
  type Network,
  type NetworkNode,
  type NodeProcess,
  networkPaths,
  planNetwork,
  rpcUrl,
  startNodeProcess,
  waitUntilReady,
} from "@credlink/cli";
import { Links } from "./links.ts";

/** Size of the small disk that a node's data lie on when it is to run full, mebibytes. */
const DISK_MEBIBYTES = 384;
const READY_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 30_000;
const clockOffset = join(import.meta.dirname, "clock-offset.ts");

/** A process that ended and was not told to. */
export interface UnexpectedEnd {
  readonly node: string;
  readonly how: string;
}

/** What the runner does to one node. */
interface Member {
  readonly node: NetworkNode;
  process: NodeProcess | null;
  /** Its end is our doing, or what a full disk demands. */
  mayEnd: boolean;
}

/** A network of real node processes whose links, clocks and disks can be broken. */
export class Cluster {
  readonly dir: string;
  readonly network: Network;
  readonly links: Links;
  readonly unexpected: UnexpectedEnd[] = [];
  readonly #members = new Map<string, Member>();
  readonly #disks = new Set<string>();
  readonly #settings: readonly string[];

  private constructor(
    dir: string,
    network: Network,
    links: Links,
    settings: readonly string[] = [],
  ) {
    this.dir = dir;
    this.network = network;
    this.links = links;
    this.#settings = settings;
    for (const node of network.nodes) {
      this.#members.set(node.name, { node, process: null, mayEnd: false });
    }
  }

  /** Makes a network in `dir`; nothing runs yet. */
  static async create(
    dir: string,
    validators: number,
    settings: readonly string[] = [],
  ): Promise<Cluster> {
    const plan = planNetwork({ validators, chainId: "credlink-chaos" });
    const network = await createNetwork(dir, plan, { settings: { log: { level: "info" } } });
    const ends = network.nodes.map(({ name, p2pPort }) => ({ name, port: p2pPort }));
    return new Cluster(dir, network, await Links.open(ends), settings);
  }

  get names(): readonly string[] {
    return this.network.nodes.map(({ name }) => name);
  }

  get genesis(): Uint8Array {
    return new Uint8Array(readFileSync(networkPaths(this.dir).genesis));
  }

  /** What the bench's set-up asks of a network that runs. */
  get running() {
    return {
      network: this.network,
      nodes: this.network.nodes.map((node) => ({ name: node.name, rpc: rpcUrl(node) })),
    };
  }

  rpc(name: string): string {
    return rpcUrl(this.#member(name).node);
  }

  pid(name: string): number | null {
    const { process } = this.#member(name);
    return process === null || process.exit() !== null ? null : process.pid;
  }

  isUp(name: string): boolean {
    return this.pid(name) !== null;
  }

  log(name: string): string {
    return readFileSync(networkPaths(this.dir).log(name), "utf8");
  }

  /** The addresses at which a node reaches the others. */
  peersOf(name: string): readonly string[] {
    return this.network.nodes
      .filter((other) => other.name !== name)
      .map(({ name: to, peerId }) => {
        return `/ip4/127.0.0.1/tcp/${this.links.port(name, to)}/p2p/${peerId}`;
      });
  }

  /** Starts a node that is down. It reaches its peers through the links. */
  start(name: string): void {
    const member = this.#member(name);
    if (this.isUp(name)) return;
    const peers = this.peersOf(name);
    const child = startNodeProcess(this.dir, name, {
      settings: [`--p2p.peers=${peers.join(",")}`, ...this.#settings],
      nodeArguments: ["--import", clockOffset],
      environment: { CHAOS_CLOCK_FILE: this.#clockFile(name) },
    });
    member.process = child;
    member.mayEnd = false;
    void child.ended.then(({ code, signal }) => {
      if (member.mayEnd || member.process !== child) return;
      this.unexpected.push({ node: name, how: signal ?? `exit code ${code}` });
    });
  }

  /** Waits until a node says that it is ready. */
  async untilReady(name: string, timeoutMs = READY_TIMEOUT_MS): Promise<void> {
    const { node, process } = this.#member(name);
    if (process === null) throw new Error(`${name} was not started`);
    await waitUntilReady(node, process, timeoutMs);
  }

  async startAll(): Promise<void> {
    for (const name of this.names) this.start(name);
    await Promise.all(this.names.map((name) => this.untilReady(name)));
  }

  /** Ends a node at once, as a power failure of its process would. */
  async kill(name: string): Promise<void> {
    const member = this.#member(name);
    member.mayEnd = true;
    member.process?.kill("SIGKILL");
    await member.process?.ended;
  }

  /** Asks a node to stop; returns how it ended. */
  async stop(name: string): Promise<string> {
    const member = this.#member(name);
    if (member.process === null || member.process.exit() !== null) return "was down";
    member.mayEnd = true;
    member.process.kill("SIGTERM");
    const timer = setTimeout(() => member.process?.kill("SIGKILL"), STOP_TIMEOUT_MS);
    const { code, signal } = await member.process.ended;
    clearTimeout(timer);
    return signal ?? `exit code ${code}`;
  }

  /** Halts a process where it stands, or lets it go on. */
  halt(name: string, isHalted: boolean): void {
    this.#member(name).process?.kill(isHalted ? "SIGSTOP" : "SIGCONT");
  }

  /** Moves a node's clock, at once, while it runs. */
  setClock(name: string, offsetMs: number): void {
    writeFileSync(this.#clockFile(name), String(offsetMs));
  }

  /**
   * Puts a small disk of its own under a node's data folder, before the node starts.
   * @returns why that is not possible here, or null.
   */
  mountDisk(name: string): string | null {
    const path = networkPaths(this.dir).data(name);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    try {
      const options = `size=${DISK_MEBIBYTES}m,mode=0700`;
      const args = ["-t", "tmpfs", "-o", options, "tmpfs", path];
      execFileSync("mount", args, { stdio: ["ignore", "ignore", "pipe"] });
    } catch (error) {
      const [line] = (error instanceof Error ? error.message : String(error)).split("\n");
      return `a disk of its own needs the right to mount: ${line}`;
    }
    this.#disks.add(name);
    return null;
  }

  /** Leaves a node's disk `freeBytes`; its own end is then no fault of it. */
  fillDisk(name: string, freeBytes: number): void {
    const path = networkPaths(this.dir).data(name);
    const { bavail, bsize } = statfsSync(path);
    this.#member(name).mayEnd = true;
    const size = Math.max(0, bavail * bsize - freeBytes);
    const piece = Buffer.alloc(1024 * 1024);
    const fill = this.#fillFile(name);
    writeFileSync(fill, "");
    for (let written = 0; written < size; written += piece.length) {
      const length = Math.min(piece.length, size - written);
      try {
        writeFileSync(fill, piece.subarray(0, length), { flag: "a" });
      } catch {
        return;
      }
    }
  }

  /** Gives a node's disk its room back. */
  emptyDisk(name: string): void {
    rmSync(this.#fillFile(name), { force: true });
  }

  /** From now on the node's end is a fault of it again. */
  endDiskFault(name: string): void {
    this.#member(name).mayEnd = false;
  }

  /** Stops what runs; the files stay. Returns how each node ended. */
  async stopAll(): Promise<ReadonlyMap<string, string>> {
    for (const name of this.names) this.halt(name, false);
    const ends = await Promise.all(
      this.names.map(async (name) => [name, await this.stop(name)] as const),
    );
    return new Map(ends);
  }

  async close(): Promise<void> {
    await this.stopAll();
    await this.links.close();
    for (const name of this.#disks) {
      execFileSync("umount", [networkPaths(this.dir).data(name)], { stdio: "ignore" });
    }
    this.#disks.clear();
  }

  #clockFile(name: string): string {
    return join(networkPaths(this.dir).node(name), "clock-offset");
  }

  #fillFile(name: string): string {
    return join(networkPaths(this.dir).data(name), "fill");
  }

  #member(name: string): Member {
    const member = this.#members.get(name);
    if (member === undefined) throw new Error(`no node ${name}`);
    return member;
  }
}
