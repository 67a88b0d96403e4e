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
   *
   * @param options.urgent goes before everything that is not: what consensus waits for must not
   *   stand behind a flood of transactions. Urgent requests have a limit of the same size to
   *   themselves.
   */
  verify(
    requests: readonly VerificationRequest[],
    options?: { readonly urgent?: boolean },
  ): Promise<readonly boolean[]>;
  /** Ends the threads; whatever waits is rejected with CRYPTO_POOL_CLOSED. */
  close(): Promise<void>;
}

export interface VerificationPoolOptions {
  /** Worker threads; 0 verifies on the calling thread, in slices. Default 1. */
  readonly threads?: number;
  /** Most signatures that may wait or be in work, of each urgency. Default 16,384. */
  readonly maxQueuedSignatures?: number;
  /** Default: none. */
  readonly metrics?: Metrics;
}

/** What a test replaces to see and end threads. */
export interface VerificationPoolComponents {
  readonly createWorker: () => Worker;
}

const DEFAULT_QUEUE = 16_384;
/**
 * 2 ms of work for the kernel, 25 ms without it: what is urgent waits for one batch at most, and the
 * message to the thread still costs nothing beside it.
 */
const MAX_BATCH = 64;
/** On one thread: about 3 ms between two turns of the event loop. */
const INLINE_SLICE = 8;
/** A batch that has ended this many threads is given up. */
const MAX_ATTEMPTS = 3;

interface Job {
  readonly lane: Lane;
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

/** Entries in order of arrival; taking from the front is cheap and memory stays bounded. */
class Lane {
  #entries: Entry[] = [];
  /** Entries before this place are taken. */
  #taken = 0;
  /** Entries of this lane that wait or are in work. */
  queued = 0;

  get waiting(): number {
    return this.#entries.length - this.#taken;
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
  }

  putBack(entries: readonly Entry[]): void {
    this.#entries = [...entries, ...this.#entries.slice(this.#taken)];
    this.#taken = 0;
  }

  take(most: number): readonly Entry[] {
    const entries = this.#entries.slice(this.#taken, this.#taken + most);
    this.#taken += entries.length;
    if (this.#taken === this.#entries.length || this.#taken > 4096) {
      this.#entries = this.#entries.slice(this.#taken);
      this.#taken = 0;
    }
    return entries;
  }
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
  readonly #urgent = new Lane();
  readonly #normal = new Lane();
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
    return this.#urgent.queued + this.#normal.queued;
  }

  async verify(
    requests: readonly VerificationRequest[],
    options: { readonly urgent?: boolean } = {},
  ): Promise<readonly boolean[]> {
    const lane = options.urgent === true ? this.#urgent : this.#normal;
    if (this.#isClosed) throw new CryptoError("CRYPTO_POOL_CLOSED", "the pool is closed");
    if (requests.length === 0) return [];
    if (lane.queued + requests.length > this.#maxQueued) {
      this.#count.refused.add(requests.length);
      throw new CryptoError("CRYPTO_POOL_FULL", "the verification queue is full");
    }
    return new Promise((resolve, reject) => {
      const results = new Array<boolean>(requests.length).fill(false);
      const job: Job = { lane, results, open: requests.length, isSettled: false, resolve, reject };
      requests.forEach((request, index) => {
        lane.push({ request, job, index, attempts: 0 });
      });
      this.#changeQueued(lane, requests.length);
      this.#pump();
    });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const error = new CryptoError("CRYPTO_POOL_CLOSED", "the pool was closed");
    const inWork = this.#threads.flatMap((thread) => [...(thread.batch?.entries ?? [])]);
    const entries = [...this.#take(Infinity), ...this.#take(Infinity), ...inWork];
    for (const thread of this.#threads) thread.batch = undefined;
    for (const entry of entries) this.#fail(entry, error);
    await Promise.all(this.#threads.map((thread) => thread.worker?.terminate()));
  }

  #changeQueued(lane: Lane, amount: number): void {
    lane.queued += amount;
    this.#count.queued.set(this.queuedSignatures);
  }

  /** From one lane, the urgent one first: a batch never mixes them. */
  #take(most: number): readonly Entry[] {
    return (this.#urgent.waiting > 0 ? this.#urgent : this.#normal).take(most);
  }

  #pump(): void {
    if (this.#threads.length === 0) {
      this.#turn();
      return;
    }
    for (const thread of this.#threads) {
      const waiting = this.#urgent.waiting > 0 ? this.#urgent.waiting : this.#normal.waiting;
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
    again[0]?.job.lane.putBack(again);
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
      if (this.#urgent.waiting + this.#normal.waiting > 0) this.#turn();
    });
  }

  #settle({ job, index }: Entry, isGood: boolean): void {
    this.#changeQueued(job.lane, -1);
    this.#count.verified.add(1, { result: isGood ? "good" : "bad" });
    job.results[index] = isGood;
    job.open--;
    if (job.open > 0 || job.isSettled) return;
    job.isSettled = true;
    job.resolve(job.results);
  }

  #fail({ job }: Entry, error: CryptoError): void {
    this.#changeQueued(job.lane, -1);
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
