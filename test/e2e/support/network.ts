import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, createClient, createIdentity, type Identity } from "@credlink/client";
import { createSm2Signer, loadKeyFile, parseAddress } from "@credlink/crypto";
import { credlinkJson, Json, root, spawnCredlink } from "./command.ts";
import { readMetric } from "./metric.ts";
import { eventually } from "./wait.ts";

export interface RunningNode {
  readonly name: string;
  readonly rpc: string;
  readonly metrics: string;
  pid: number;
}

export interface NetworkOptions {
  readonly validators: number;
  readonly observers?: number;
  readonly standbys?: number;
  readonly allowNonByzantine?: boolean;
  readonly consensus?: string;
  readonly transport?: string;
}

/** A folder that is deleted at the end. */
export function temporaryFolder(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "credlink-e2e-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** A network made and run by the command line alone. */
export class TestNetwork {
  readonly folder: ReturnType<typeof temporaryFolder>;
  readonly dir: string;
  readonly nodes = new Map<string, RunningNode>();
  /** Nodes that were started apart, after they were killed. */
  readonly #apart = new Map<string, ChildProcess>();
  readonly #identities = new Map<string, Promise<Identity>>();
  #supervisor: ChildProcess | undefined;
  #stderr = "";

  private constructor() {
    this.folder = temporaryFolder();
    this.dir = join(this.folder.path, "net");
  }

  static async create(options: NetworkOptions): Promise<TestNetwork> {
    const network = new TestNetwork();
    const { validators, observers = 0, standbys = 0, allowNonByzantine = false } = options;
    const sizes = ["--validators", String(validators), "--observers", String(observers)];
    const more = ["--standbys", String(standbys)];
    if (allowNonByzantine) more.push("--allow-non-byzantine");
    if (options.consensus !== undefined) more.push("--consensus", options.consensus);
    if (options.transport !== undefined) more.push("--transport", options.transport);
    const made = await credlinkJson("network", "create", "--dir", network.dir, ...sizes, ...more);
    if (made.code !== 0) throw new Error(`network create: ${made.stderr}`);
    return network;
  }

  static async run(options: NetworkOptions): Promise<TestNetwork> {
    const network = await TestNetwork.create(options);
    try {
      await network.start();
    } catch (error) {
      await network.close();
      throw error;
    }
    return network;
  }

  get description(): Json {
    return new Json(JSON.parse(readFileSync(join(this.dir, "network.json"), "utf8")));
  }

  get genesis(): Uint8Array {
    return new Uint8Array(readFileSync(join(this.dir, "genesis.bin")));
  }

  get supervisor(): ChildProcess {
    if (this.#supervisor === undefined) throw new Error("the network was not started");
    return this.#supervisor;
  }

  nodeDir(name: string): string {
    return join(this.dir, "nodes", name);
  }

  log(name: string): string {
    return readFileSync(join(this.nodeDir(name), "node.log"), "utf8");
  }

  /** `network start --json`: returns the one document it prints once all nodes are ready. */
  async start(): Promise<Json> {
    const child = spawnCredlink(["network", "start", "--dir", this.dir, "--json"]);
    this.#supervisor = child;
    let stdout = "";
    child.stdout?.on("data", (chunk) => {
      stdout += String(chunk);
    });
    child.stderr?.on("data", (chunk) => {
      this.#stderr += String(chunk);
    });
    const ready = await eventually(
      "network start",
      () => {
        if (child.exitCode !== null) throw new Error(`network start: ${this.#stderr}`);
        return stdout.includes("\n") ? new Json(JSON.parse(stdout)) : undefined;
      },
      70_000,
    );
    for (const node of ready.at("nodes").list) {
      this.nodes.set(node.at("name").text, {
        name: node.at("name").text,
        rpc: node.at("rpc").text,
        metrics: node.at("metrics").text,
        pid: node.at("pid").number,
      });
    }
    return ready;
  }

  node(name: string): RunningNode {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return node;
  }

  /** Ends a node's process at once (kill -9), or as another signal asks, and waits until it is gone. */
  async kill(name: string, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const { pid } = this.node(name);
    process.kill(pid, signal);
    await eventually(`${name} ends`, () => !isAlive(pid));
  }

  /** Starts a killed node again, as a process of its own, with settings over its file's. */
  restart(name: string, _settings: readonly string[] = []): void {
    const log = openSync(join(this.nodeDir(name), "node.log"), "a");
    const entry = join(root, "packages/cli/src/main.ts");
    const config = join(this.nodeDir(name), "node.yaml");
    const args = ["--conditions=source", entry, "node", "start", "--config", config];
    const child = spawn(process.execPath, [...args, "--with-parent"], {
      stdio: ["pipe", log, log],
    });
    this.#apart.set(name, child);
    this.node(name).pid = child.pid ?? 0;
  }

  async untilReady(name: string, timeoutMs = 30_000): Promise<void> {
    const url = new URL("/readyz", this.node(name).rpc).href;
    await eventually(`${name} is ready`, async () => (await fetch(url)).ok, timeoutMs);
  }

  /** A member of the network's folder, for example `org-1/admin`. */
  identity(id: string): Promise<Identity> {
    const member = this.description.at("members").list.find((each) => each.at("id").text === id);
    if (member === undefined) throw new Error(`no member ${id}`);
    // By its file: a member that took its next key has another one.
    const key = member.at("key").text;
    const known = this.#identities.get(key);
    if (known !== undefined) return known;
    const loading = this.#load(member);
    this.#identities.set(key, loading);
    return loading;
  }

  async #load(member: Json): Promise<Identity> {
    const file = (name: string) => join(this.dir, member.at(name).text);
    const password = readFileSync(file("passwordFile"), "utf8").trimEnd();
    const address = parseAddress(member.at("address").text);
    if (!address.ok) throw new Error(address.code);
    const signer = createSm2Signer(await loadKeyFile(file("key"), { password }));
    return createIdentity(signer, address.value);
  }

  async client(node: string, member = "org-1/admin"): Promise<Client> {
    return this.clientOf(node, await this.identity(member));
  }

  /** A client at a node for somebody who is not of the network's folder. */
  clientOf(node: string, identity: Identity): Client {
    return createClient({
      url: this.node(node).rpc,
      genesis: this.genesis,
      identity,
      attempts: 1,
      timeoutMs: 10_000,
    });
  }

  /** Waits until all named nodes hold the same block at or above `height`; returns it. */
  async agree(
    names: readonly string[],
    height: number,
    timeoutMs = 30_000,
  ): Promise<{ readonly height: number; readonly digest: string; readonly stateRoot: string }> {
    const clients = await Promise.all(names.map((name) => this.client(name)));
    return eventually(
      `${names.join(", ")} agree at ${height}`,
      async () => {
        const heads = await Promise.all(clients.map((client) => client.info()));
        const lowest = Math.min(...heads.map((head) => head.height));
        if (lowest < height || heads.some((head) => head.height !== lowest)) return undefined;
        const [first] = heads;
        if (first === undefined) return undefined;
        for (const head of heads) {
          if (head.headDigest !== first.headDigest || head.stateRoot !== first.stateRoot) {
            throw new Error(`nodes differ at ${lowest}: a fork`);
          }
        }
        return { height: lowest, digest: first.headDigest, stateRoot: first.stateRoot };
      },
      timeoutMs,
    );
  }

  /** Value of a metric at a node, the sum over the samples whose labels include `labels`. */
  metric(node: string, name: string, labels: Record<string, string> = {}): Promise<number> {
    return readMetric(this.node(node).metrics, name, labels);
  }

  /** Stops everything that runs, keeps the files. */
  async stop(): Promise<void> {
    for (const child of this.#apart.values()) {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = new Promise((done) => child.once("exit", done));
        child.kill("SIGTERM");
        await ended;
      }
    }
    this.#apart.clear();
    const child = this.#supervisor;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((done) => child.once("exit", done));
      child.kill("SIGTERM");
      await ended;
    }
    this.#supervisor = undefined;
  }

  async close(): Promise<void> {
    await this.stop();
    this.folder.remove();
  }
}

/** Whether a process runs; one that ended and waits to be reaped does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
