import { setTimeout as delay } from "node:timers/promises";
import type { Client, SubmitResult } from "@credlink/client";
import { EXPIRY_WINDOW, SUCCESS } from "@credlink/ledger";
import { toHex } from "@credlink/primitives";
import type { Commits, Fate } from "./commits.ts";
import { askHeld, waitAfter } from "./held.ts";
import { CHUNK_WORKERS } from "./plan.ts";
import type { SignedItem, SigningPool } from "./signing-pool.ts";

/** Chunks under way at once: as many records as fill blocks while others wait for theirs. */
export const LANES = 6;
/** No chunk is begun before all that lie this far below it are whole. */
export const WINDOW = 2 * LANES;
/** Most transactions of one submission. */
const MAX_BATCH = 512;
/** After this long without a block that has it, the chain is asked, milliseconds. */
const PATIENCE_MS = 60_000;

/** It is in the node's mempool from before, so a block will have it. */
const WAITS_ALREADY = "NODE_MEMPOOL_KNOWN";
/** A block had it before we looked: the chain tells what came of it. */
const COMMITTED = "LEDGER_TRANSACTION_REPLAYED";
const EXPIRED = "LEDGER_TRANSACTION_EXPIRED";

/** What the loader works with. */
export interface LoaderParts {
  readonly clients: readonly Client[];
  readonly commits: Commits;
  readonly signing: SigningPool;
  /** Resolves when the nodes can be asked. */
  readonly ready: () => Promise<void>;
  readonly workers: number;
  /** Chunks in this range may be there in part: the chain is asked first. */
  readonly unsure: { readonly from: number; readonly to: number };
}

/** What a loader has done so far. */
export interface LoaderCounts {
  /** Credentials that stood in a block with SUCCESS. */
  committed: number;
  /** Credentials of unsure chunks that the chain held already. */
  found: number;
  /** Transactions that were submitted again. */
  repeated: number;
  /** Submissions to which the gateway said to come later, or did not answer. */
  busy: number;
}

/** The chain refuses what it must take: going on would not help. */
export class LoadRefused extends Error {
  override readonly name = "LoadRefused";
}

/** Loads chunks in lanes: a chunk's stages one after the other, each when the one before stands. */
export class Loader {
  readonly counts: LoaderCounts = { committed: 0, found: 0, repeated: 0, busy: 0 };
  readonly #parts: LoaderParts;
  readonly #chunks: number;
  readonly #whole = new Set<number>();
  #next: number;
  #lowest: number;
  #turn = 0;
  #advance: (() => void)[] = [];
  #failure: unknown = null;

  constructor(parts: LoaderParts) {
    this.#parts = parts;
    this.#chunks = Math.ceil(parts.workers / CHUNK_WORKERS);
    this.#next = Math.max(0, parts.unsure.from);
    this.#lowest = this.#next;
  }

  /** @throws LoadRefused */
  async run(): Promise<void> {
    await Promise.all(
      Array.from({ length: LANES }, async () => {
        try {
          await this.#lane();
        } catch (error) {
          // The other lanes would wait for this one's chunk.
          this.#failure ??= error;
          this.#wakeAll();
        }
      }),
    );
    if (this.#failure !== null) throw this.#failure;
  }

  async #lane(): Promise<void> {
    let ahead = this.#take();
    while (ahead !== null) {
      const { chunk, signed } = ahead;
      const items = await signed;
      // The next chunk is signed while this one is loaded.
      ahead = this.#take();
      await this.#mayBegin(chunk);
      if (this.#failure !== null) return;
      await this.#loadChunk(chunk, items);
      this.#whole.add(chunk);
      while (this.#whole.delete(this.#lowest)) this.#lowest += 1;
      this.#wakeAll();
    }
  }

  #take(): { readonly chunk: number; readonly signed: Promise<readonly SignedItem[]> } | null {
    if (this.#next >= this.#chunks || this.#failure !== null) return null;
    const chunk = this.#next++;
    const signed = this.#sign(chunk);
    signed.catch(() => {});
    return { chunk, signed };
  }

  #sign(chunk: number): Promise<readonly SignedItem[]> {
    const expiryHeight = this.#parts.commits.height + EXPIRY_WINDOW;
    return this.#parts.signing.sign({ chunk, workers: this.#parts.workers, expiryHeight });
  }

  async #mayBegin(chunk: number): Promise<void> {
    while (chunk >= this.#lowest + WINDOW && this.#failure === null) {
      await new Promise<void>((resolve) => this.#advance.push(resolve));
    }
  }

  #wakeAll(): void {
    for (const wake of this.#advance.splice(0)) wake();
  }

  async #loadChunk(chunk: number, signed: readonly SignedItem[]): Promise<void> {
    const { unsure } = this.#parts;
    let items = signed;
    if (chunk >= unsure.from && chunk <= unsure.to) {
      items = await this.#lacking(signed);
      this.counts.found += countRecords(signed) - countRecords(items);
    }
    for (const stage of new Set(items.map((item) => item.stage))) {
      const due = items.filter((item) => item.stage === stage);
      for (let at = 0; at < due.length; at += MAX_BATCH) {
        await this.#commit(chunk, due.slice(at, at + MAX_BATCH));
      }
    }
  }

  /** Submits until the chain holds all of it. */
  async #commit(chunk: number, items: readonly SignedItem[]): Promise<void> {
    let due = items;
    for (;;) {
      const fates = await this.#attempt(due);
      const open = due.filter((item) => fates.get(item) !== SUCCESS);
      const lacking = open.length === 0 ? [] : await this.#lacking(open);
      this.counts.committed += countRecords(due) - countRecords(lacking);
      if (lacking.length === 0) return;
      this.counts.repeated += lacking.length;
      const fateOf = (item: SignedItem): Fate => fates.get(item) ?? null;
      for (const item of lacking) {
        const fate = fateOf(item);
        if (fate !== null && fate !== EXPIRED) {
          throw new LoadRefused(`chunk ${chunk}: ${toHex(item.place.key)} was refused: ${fate}`);
        }
      }
      due = lacking.some((item) => fateOf(item) === EXPIRED)
        ? await this.#signAgain(chunk, lacking)
        : lacking;
    }
  }

  async #signAgain(chunk: number, items: readonly SignedItem[]): Promise<readonly SignedItem[]> {
    const wanted = new Set(items.map(({ place }) => toHex(place.key)));
    return (await this.#sign(chunk)).filter(({ place }) => wanted.has(toHex(place.key)));
  }

  /** One submission of all: what became of each; null: not known. */
  async #attempt(items: readonly SignedItem[]): Promise<ReadonlyMap<SignedItem, Fate>> {
    const { commits, clients, ready } = this.#parts;
    await ready();
    const client = clients[this.#turn++ % clients.length];
    if (client === undefined) throw new Error("there are nodes");
    // Waited for from before the submission: a block may have it before the answer is here.
    const seen = items.map(({ id }) => commits.wait(id, PATIENCE_MS));
    const refusals: Fate[] = [];
    try {
      const answers = await client.submitBatch(items);
      for (const [index, { id }] of items.entries()) {
        const answer = answers[index];
        if (answer === undefined || answer.ok || answer.code === WAITS_ALREADY) continue;
        commits.forget(id);
        const isTransient = answer.code === COMMITTED || answer.retryAfterMs !== undefined;
        refusals[index] = isTransient ? null : answer.code;
      }
      const pauseMs = Math.max(0, ...answers.map(pauseOf));
      if (pauseMs > 0) {
        this.counts.busy += 1;
        await delay(pauseMs);
      }
    } catch (error) {
      for (const { id } of items) commits.forget(id);
      this.counts.busy += 1;
      await waitAfter(error);
    }
    const fates = await Promise.all(seen);
    return new Map(items.map((item, index) => [item, fates[index] ?? refusals[index] ?? null]));
  }

  async #lacking(items: readonly SignedItem[]): Promise<readonly SignedItem[]> {
    await this.#parts.ready();
    const [client] = this.#parts.clients;
    if (client === undefined) throw new Error("there are nodes");
    const held = await askHeld(
      client,
      items.map(({ place }) => place),
    );
    return items.filter((_, index) => held[index] !== true);
  }
}

function countRecords(items: readonly SignedItem[]): number {
  return items.reduce((sum, { records }) => sum + records, 0);
}

function pauseOf(answer: SubmitResult): number {
  return answer.ok ? 0 : (answer.retryAfterMs ?? 0);
}
