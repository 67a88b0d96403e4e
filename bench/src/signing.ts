import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { createTransactionBuilder } from "@credlink/client";
import {
  CREDENTIAL_CONTRACT,
  CREDENTIAL_CONTRACT_VERSION,
  submitArgsCodec,
} from "@credlink/contracts";
import { type Digest, digest, encode } from "@credlink/primitives";
import type { Kind } from "./options.ts";
import { makeLoadRecord } from "./records.ts";
import { identityOf, type Sender } from "./setup.ts";

/** What one thread is to sign: transactions `first`, `first + step`, … below `count`. */
export interface SigningTask {
  readonly kind: Kind;
  readonly senders: readonly Sender[];
  readonly chainId: string;
  readonly genesisDigest: Uint8Array;
  readonly expiryHeight: number;
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

/** A signed transaction of the load. */
export interface Prepared {
  readonly number: number;
  readonly id: Digest;
  readonly bytes: Uint8Array;
}

/** Gas that one credential may take. */
const GAS_LIMIT = 1_000_000;
/** Signed transactions are handed over in groups. */
const GROUP = 256;

/** Signs a task's transactions one after the other. */
export async function signTask(
  task: SigningTask,
  onGroup: (group: readonly Prepared[]) => void,
): Promise<void> {
  const builders = task.senders.map((sender) => ({
    sender,
    coSigners:
      task.kind === "transaction.task"
        ? [identityOf(sender.enterprise), identityOf(sender.worker)]
        : [],
    builder: createTransactionBuilder({
      chainId: task.chainId,
      genesisDigest: digest(task.genesisDigest),
      sender: identityOf(sender),
      currentHeight: () => 0,
      gasLimit: GAS_LIMIT,
    }),
  }));
  const nowMs = Date.now();
  let group: Prepared[] = [];
  for (let number = task.first; number < task.count; number += task.step) {
    const own = builders[number % builders.length];
    if (own === undefined) throw new Error("there are senders");
    const { id, bytes } = await own.builder.build({
      contract: CREDENTIAL_CONTRACT,
      version: CREDENTIAL_CONTRACT_VERSION,
      method: "submit",
      args: encode(submitArgsCodec, makeLoadRecord(task.kind, own.sender, number, nowMs)),
      expiryHeight: task.expiryHeight,
      coSigners: own.coSigners,
    });
    group.push({ number, id, bytes });
    if (group.length < GROUP) continue;
    onGroup(group);
    group = [];
  }
  onGroup(group);
}

/** Signs the whole load in `threads` threads; transaction `i` stands at place `i`. */
export async function prepareLoad(
  task: Omit<SigningTask, "first" | "step">,
  threads: number,
): Promise<readonly Prepared[]> {
  const prepared: Prepared[] = [];
  const run = (first: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url), {
        workerData: { ...task, first, step: threads } satisfies SigningTask,
      });
      worker.on("message", (group: readonly Prepared[]) => {
        for (const one of group) prepared[one.number] = one;
      });
      worker.once("error", reject);
      worker.once("exit", (code) => {
        if (code === 0) resolve();
        else reject(new Error(`a signing thread ended with code ${code}`));
      });
    });
  await Promise.all(Array.from({ length: threads }, (_, first) => run(first)));
  return prepared;
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  await signTask(workerData as SigningTask, (group) => port.postMessage(group));
}
