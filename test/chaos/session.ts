import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createIdentity, type Identity } from "@credlink/client";
import { createSm2Signer } from "@credlink/crypto";
import { address } from "@credlink/primitives";
import { type Sender, setUpSender } from "../../bench/src/setup.ts";
import { ChainRecord } from "./chain-record.ts";
import { Cluster } from "./cluster.ts";
import { Watch } from "./watch.ts";

/** A network that runs, an institution that submits to it, and what is known of its chain. */
export interface Session {
  readonly cluster: Cluster;
  readonly sender: Sender;
  readonly identity: Identity;
  readonly record: ChainRecord;
  readonly watch: Watch;
}

/** How a session's network is made. */
export interface SessionOptions {
  readonly validators: number;
  /** Keeps the folder here instead of a temporary one. */
  readonly dir: string | null;
  /** Done to the cluster before its nodes start. */
  readonly prepare?: (cluster: Cluster) => void;
  /** How often each node's head is read, milliseconds. */
  readonly pollMs?: number;
  readonly say: (text: string) => void;
}

/** Makes a network, lets `work` have it, and removes what is left of it. */
export async function withSession<T>(
  options: SessionOptions,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const temporary = options.dir === null ? mkdtempSync(join(tmpdir(), "credlink-chaos-")) : null;
  const dir = options.dir ?? join(temporary ?? "", "network");
  options.say(`network of ${options.validators} validators in ${dir}`);
  const cluster = await Cluster.create(dir, options.validators);
  let watch: Watch | undefined;
  try {
    options.prepare?.(cluster);
    await cluster.startAll();
    options.say("an institution, its relation keys and parent credentials");
    const sender = await setUpSender(dir, cluster.running, cluster.genesis, 0);
    const identity = createIdentity(createSm2Signer(sender.privateKey), address(sender.address));
    const record = new ChainRecord();
    watch = new Watch(cluster, identity, record, options.pollMs);
    return await work({ cluster, sender, identity, record, watch });
  } finally {
    await watch?.stop();
    await cluster.close();
    if (temporary !== null) rmSync(temporary, { recursive: true, force: true, maxRetries: 5 });
  }
}
