import { Worker } from "node:worker_threads";
import { invariant, type Metrics, noMetrics } from "@credlink/primitives";
import { CryptoError } from "../errors.ts";
import { cryptoMetrics } from "../metrics.ts";
import { sm2Verify } from "./door.ts";
import { batchResult, packBatch, type VerificationRequest } from "./verification-batch.ts";

/** Verifies SM2 signatures beside the main thread. */
export interface VerificationPool {
  /** Signatures that wait or are being verified. */
  readonly queuedSignatures: number;
  /**
   * One answer a request, in their order. The requests' bytes must not change before it comes.
   * Rejects with CRYPTO_POOL_FULL when the queue would pass its limit (nothing of the call is
   * queued then), CRYPTO_POOL_CLOSED, or CRYPTO_POOL_WORKER_FAILED.
   */
  verify(requests: readonly VerificationRequest[]): Promise<readonly boolean[]>;
  /** Ends the threads; whatever waits is rejected with CRYPTO_POOL_CLOSED. */
  close(): Promise<void>;
}

export interface VerificationPoolOptions {
  /** Worker threads; 0 verifies on the calling thread, in slices. Default 1. */
  readonly threads?: number;
  /** Most signatures that may wait or be in work. Default 16,384. */
  readonly maxQueuedSignatures?: number;
  /** Default: none. */
  readonly metrics?: Metrics;
}

/** What a test replaces to see and end threads. */
export interface VerificationPoolComponents {
  readonly createWorker: () => Worker;
}

const DEFAULT_QUEUE = 16_384;
/** About 25 ms of work: small enough to spread, large enough for the message to cost nothing. */
const MAX_BATCH = 64;
/** On one thread: about 3 ms between two turns of the event loop. */
const INLINE_SLICE = 8;
/** A batch that has ended this many threads is given up. */
const MAX_ATTEMPTS = 3;

interface Job {
  readonly results: boolean[];
  open: number;
  isSettled: boolean;
  resolve(results: readonly boolean[]): void;
  reject(error: CryptoError): void;
}

interface Entry {
  readonly request: VerificationRequest;
  readonly job: Job;
  readonly index: number;
  attempts: number;
}

interface Thread {
  worker: Worker | undefined;
  batch: { readonly entries: readonly Entry[]; readonly memory: SharedArrayBuffer } | undefined;
  startedMs: number;
}

/** The worker file beside this one: TypeScript in development, JavaScript in dist. */
function createDefaultWorker(): Worker {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return new Worker(new URL(`./verification-worker.${extension}`, import.meta.url));
}

class Pool implements VerificationPool {
  readonly #maxQueued: number;
  readonly #components: VerificationPoolComponents;
  readonly #threads: readonly Thread[];
  readonly #count: ReturnType<typeof countersOf>;
  #waiting: Entry[] = [];
  /** Entries of `#waiting` before this place are taken. */
  #taken = 0;
  #queued = 0;
  #isClosed = false;
  #isTurning = false;

  constructor(options: VerificationPoolOptions, components: VerificationPoolComponents) {
    const threads = options.threads ?? 1;
    invariant(Number.isInteger(threads) && threads >= 0, "threads is a whole number from 0");
    this.#maxQueued = options.maxQueuedSignatures ?? DEFAULT_QUEUE;
    this.#components = components;
    this.#count = countersOf(options.metrics ?? noMetrics);
    this.#threads = Array.from({ length: threads }, () => ({
      worker: undefined,
      batch: undefined,
      startedMs: 0,
    }));
  }

  get queuedSignatures(): number {
    return this.#queued;
  }

  async verify(requests: readonly VerificationRequest[]): Promise<readonly boolean[]> {
    if (this.#isClosed) throw new CryptoError("CRYPTO_POOL_CLOSED", "the pool is closed");
    if (requests.length === 0) return [];
    if (this.#queued + requests.length > this.#maxQueued) {
      this.#count.refused.add(requests.length);
      throw new CryptoError("CRYPTO_POOL_FULL", "the verification queue is full");
    }
    return new Promise((resolve, reject) => {
      const results = new Array<boolean>(requests.length).fill(false);
      const job: Job = { results, open: requests.length, isSettled: false, resolve, reject };
      requests.forEach((request, index) => {
        this.#waiting.push({ request, job, index, attempts: 0 });
      });
      this.#changeQueued(requests.length);
      this.#pump();
    });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const error = new CryptoError("CRYPTO_POOL_CLOSED", "the pool was closed");
    const inWork = this.#threads.flatMap((thread) => [...(thread.batch?.entries ?? [])]);
    const entries = [...this.#waiting.slice(this.#taken), ...inWork];
    this.#waiting = [];
    this.#taken = 0;
    for (const thread of this.#threads) thread.batch = undefined;
    for (const entry of entries) this.#fail(entry, error);
    await Promise.all(this.#threads.map((thread) => thread.worker?.terminate()));
  }

  #changeQueued(amount: number): void {
    this.#queued += amount;
    this.#count.queued.set(this.#queued);
  }

  #take(most: number): readonly Entry[] {
    const entries = this.#waiting.slice(this.#taken, this.#taken + most);
    this.#taken += entries.length;
    // The taken front is cut off now and then, so that taking stays cheap and memory bounded.
    if (this.#taken === this.#waiting.length || this.#taken > 4096) {
      this.#waiting = this.#waiting.slice(this.#taken);
      this.#taken = 0;
    }
    return entries;
  }

  #pump(): void {
    if (this.#threads.length === 0) {
      this.#turn();
      return;
    }
    for (const thread of this.#threads) {
      const waiting = this.#waiting.length - this.#taken;
      if (waiting === 0 || this.#isClosed) return;
      if (thread.batch !== undefined) continue;
      const share = Math.ceil(waiting / this.#threads.length);
      this.#dispatch(thread, this.#take(Math.min(MAX_BATCH, share)));
    }
  }

  #dispatch(thread: Thread, entries: readonly Entry[]): void {
    for (const entry of entries) entry.attempts++;
    const memory = packBatch(entries.map((entry) => entry.request));
    thread.batch = { entries, memory };
    thread.startedMs = performance.now();
    thread.worker ??= this.#start(thread);
    // An idle thread must not keep the process alive, a busy one must.
    thread.worker.ref();
    thread.worker.postMessage(memory);
  }

  #start(thread: Thread): Worker {
    const worker = this.#components.createWorker();
    worker.on("message", () => this.#onAnswer(thread, worker));
    // An error is always followed by the exit, which is where the thread is replaced.
    worker.on("error", () => {});
    worker.on("exit", () => this.#onExit(thread, worker));
    return worker;
  }

  #onAnswer(thread: Thread, worker: Worker): void {
    const { batch } = thread;
    if (batch === undefined) return;
    thread.batch = undefined;
    worker.unref();
    this.#count.duration.observe((performance.now() - thread.startedMs) / 1000);
    batch.entries.forEach((entry, place) => {
      this.#settle(entry, batchResult(batch.memory, place));
    });
    this.#pump();
  }

  #onExit(thread: Thread, worker: Worker): void {
    if (thread.worker !== worker || this.#isClosed) return;
    this.#count.failures.add();
    const entries = thread.batch?.entries ?? [];
    thread.worker = undefined;
    thread.batch = undefined;
    const error = new CryptoError("CRYPTO_POOL_WORKER_FAILED", "threads died on this batch");
    const again = entries.filter((entry) => entry.attempts < MAX_ATTEMPTS);
    for (const entry of entries) if (entry.attempts >= MAX_ATTEMPTS) this.#fail(entry, error);
    this.#waiting = [...again, ...this.#waiting.slice(this.#taken)];
    this.#taken = 0;
    this.#pump();
  }

  /** Verifies one slice on this thread and leaves the rest to later turns of the event loop. */
  #turn(): void {
    if (this.#isTurning) return;
    this.#isTurning = true;
    setImmediate(() => {
      this.#isTurning = false;
      for (const entry of this.#take(INLINE_SLICE)) {
        const { publicKey, message, signature } = entry.request;
        this.#settle(entry, sm2Verify(publicKey, message, signature));
      }
      if (this.#waiting.length > this.#taken) this.#turn();
    });
  }

  #settle({ job, index }: Entry, isGood: boolean): void {
    this.#changeQueued(-1);
    this.#count.verified.add(1, { result: isGood ? "good" : "bad" });
    job.results[index] = isGood;
    job.open--;
    if (job.open > 0 || job.isSettled) return;
    job.isSettled = true;
    job.resolve(job.results);
  }

  #fail({ job }: Entry, error: CryptoError): void {
    this.#changeQueued(-1);
    job.open--;
    if (job.isSettled) return;
    job.isSettled = true;
    job.reject(error);
  }
}

function countersOf(metrics: Metrics) {
  return {
    verified: metrics.counter(cryptoMetrics.verifiedSignatures),
    refused: metrics.counter(cryptoMetrics.refusedSignatures),
    queued: metrics.gauge(cryptoMetrics.queuedSignatures),
    duration: metrics.histogram(cryptoMetrics.batchDuration),
    failures: metrics.counter(cryptoMetrics.workerFailures),
  };
}

/** Starts a pool; its threads start with the first work and are replaced when they die. */
export function createVerificationPool(
  options: VerificationPoolOptions = {},
  components: VerificationPoolComponents = { createWorker: createDefaultWorker },
): VerificationPool {
  return new Pool(options, components);
}
