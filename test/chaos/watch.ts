import { setTimeout as delay } from "node:timers/promises";
import { type Client, createClient, type Identity } from "@credlink/client";
import { AppError } from "@credlink/primitives";
import { type ChainRecord, readBlock, type SeenBlock } from "./chain-record.ts";
import type { Cluster } from "./cluster.ts";

const POLL_MS = 100;
const TIMEOUT_MS = 3_000;
/** How often a block is asked for at the end of a run before its node counts as gone. */
const READ_ATTEMPTS = 5;

/** Heads and blocks of all nodes, read through their own gateways as long as it is let. */
export class Watch {
  readonly clients: ReadonlyMap<string, Client>;
  /** When each height was first seen, monotonic milliseconds. */
  readonly seenMs = new Map<number, number>();
  readonly #heights = new Map<string, number>();
  readonly #record: ChainRecord;
  #isOn = true;
  readonly #done: Promise<unknown>;

  constructor(cluster: Cluster, identity: Identity, record: ChainRecord, pollMs = POLL_MS) {
    this.#record = record;
    const { genesis } = cluster;
    const open = (name: string): Client =>
      createClient({
        url: cluster.rpc(name),
        genesis,
        identity,
        // A node that was started again knows no session of before: the second attempt logs in anew.
        attempts: 2,
        timeoutMs: TIMEOUT_MS,
      });
    this.clients = new Map(cluster.names.map((name) => [name, open(name)]));
    this.#done = Promise.all(
      [...this.clients].map(([name, client]) => this.#follow(name, client, pollMs)),
    );
  }

  client(name: string): Client {
    const client = this.clients.get(name);
    if (client === undefined) throw new Error(`no node ${name}`);
    return client;
  }

  /** The last height that a node said it has. */
  heightOf(name: string): number {
    return this.#heights.get(name) ?? 0;
  }

  async stop(): Promise<void> {
    this.#isOn = false;
    await this.#done;
  }

  /** Every block of a node, from the first to its head, in the record. */
  async readAll(name: string): Promise<number> {
    const client = this.client(name);
    const { height: head } = await client.info();
    for (let height = 1; height <= head; height += 1) {
      this.#record.see(name, await readPatiently(client, height));
    }
    return head;
  }

  /** Nodes take turns: the one that shows a height first has its block read. */
  async #follow(name: string, client: Client, pollMs: number): Promise<void> {
    while (this.#isOn) {
      try {
        const head = await client.info();
        this.#heights.set(name, head.height);
        this.#record.seeHead(name, head);
        while (this.#record.height < head.height) {
          const height = this.#record.height + 1;
          const block = await readBlock(client, height);
          if (!this.seenMs.has(height)) this.seenMs.set(height, performance.now());
          this.#record.see(name, block);
        }
      } catch (error) {
        // A node that is down, halted or starting says nothing.
        if (!(error instanceof AppError)) throw error;
      }
      await delay(pollMs);
    }
  }
}

/** One block of a node that runs: on a busy machine it may be late, which is no answer yet. */
async function readPatiently(client: Client, height: number): Promise<SeenBlock> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readBlock(client, height);
    } catch (error) {
      const isLate = error instanceof AppError && error.code === "CLIENT_TIMEOUT";
      if (!isLate || attempt === READ_ATTEMPTS) throw error;
    }
  }
}
