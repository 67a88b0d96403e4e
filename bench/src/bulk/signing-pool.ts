import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { createTransactionBuilder } from "@credlink/client";
import { type Digest, digest } from "@credlink/primitives";
import { identityOf } from "../setup.ts";
import { type Item, itemsOfChunk } from "./items.ts";
import { type LoadPlan, senderOf, sendersOf } from "./plan.ts";

/** A transaction of the load, ready to be submitted. */
export type SignedItem = Omit<Item, "call"> & { readonly id: Digest; readonly bytes: Uint8Array };

/** What a thread is asked for. */
interface Request {
  readonly chunk: number;
  readonly workers: number;
  readonly expiryHeight: number;
}

interface ThreadSetup {
  readonly plan: LoadPlan;
  readonly chainId: string;
  readonly genesisDigest: Uint8Array;
}

/** Threads that make and sign chunks, so that doing so does not hold up the submissions. */
export interface SigningPool {
  /** The transactions of a chunk, ascending by stage. */
  sign(request: Request): Promise<readonly SignedItem[]>;
  close(): Promise<void>;
}

interface Waiting {
  readonly request: Request;
  readonly resolve: (items: readonly SignedItem[]) => void;
  readonly reject: (error: Error) => void;
}

/** Starts the threads. Each makes the plan's institutions for itself. */
export function createSigningPool(setup: ThreadSetup, threads: number): SigningPool {
  const queue: Waiting[] = [];
  const under = new Map<Worker, Waiting>();
  const idle: Worker[] = [];
  let failure: Error | null = null;

  const next = (): void => {
    while (idle.length > 0 && queue.length > 0) {
      const [worker, waiting] = [idle.pop(), queue.shift()];
      if (worker === undefined || waiting === undefined) return;
      under.set(worker, waiting);
      worker.postMessage(waiting.request);
    }
  };
  const fail = (error: Error): void => {
    failure ??= error;
    for (const { reject } of [...under.values(), ...queue.splice(0)]) reject(error);
    under.clear();
  };
  const workers = Array.from({ length: threads }, () => {
    const worker = new Worker(new URL(import.meta.url), { workerData: setup });
    worker.on("message", (items: readonly SignedItem[]) => {
      under.get(worker)?.resolve(items);
      under.delete(worker);
      idle.push(worker);
      next();
    });
    worker.once("error", (error) =>
      fail(error instanceof Error ? error : new Error(String(error))),
    );
    worker.once("exit", (code) => fail(new Error(`a signing thread ended with code ${code}`)));
    idle.push(worker);
    return worker;
  });
  return {
    sign: (request) =>
      new Promise((resolve, reject) => {
        if (failure !== null) return reject(failure);
        queue.push({ request, resolve, reject });
        next();
      }),
    close: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

/** What a thread does. */
function createSigner(setup: ThreadSetup): (request: Request) => Promise<readonly SignedItem[]> {
  const senders = sendersOf(setup.plan);
  return async ({ chunk, workers, expiryHeight }) => {
    const builder = createTransactionBuilder({
      chainId: setup.chainId,
      genesisDigest: digest(setup.genesisDigest),
      sender: identityOf(senderOf(senders, chunk).key),
      currentHeight: () => 0,
    });
    const signed: SignedItem[] = [];
    for (const { call, ...item } of itemsOfChunk(senders, chunk, workers)) {
      const { id, bytes } = await builder.build({ ...call, expiryHeight });
      signed.push({ ...item, id, bytes });
    }
    return signed.sort((a, b) => a.stage - b.stage);
  };
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  const sign = createSigner(workerData as ThreadSetup);
  port.on("message", (request: Request) => {
    // A failure ends the thread, and with it the run.
    void sign(request).then((items) => port.postMessage(items));
  });
}
