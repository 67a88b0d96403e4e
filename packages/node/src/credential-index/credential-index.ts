import type { KeyValueStore, Ledger, WriteOperation } from "@credlink/ledger";
import {
  type Clock,
  concatBytes,
  encode,
  equalBytes,
  type Height,
  height,
  invariant,
  type Logger,
  type Metrics,
  tryDecode,
} from "@credlink/primitives";
import { indexMetrics } from "./metrics.ts";
import {
  type ChildRow,
  decodeChild,
  decodeEvent,
  decodePosition,
  type EventRow,
  encodePosition,
  INDEX_HEAD_KEY,
  INDEX_VERSION,
  type IndexHead,
  indexHeadCodec,
  POSITION_BYTES,
  type Position,
  positionOf,
  type RowKind,
  rowKey,
  rowsOfBlock,
} from "./rows.ts";

export { encodePosition, type Position } from "./rows.ts";

/** What the index is made of. */
export interface CredentialIndexComponents {
  /** A store of its own, beside the chain's: losing it loses nothing that cannot be built again. */
  readonly store: KeyValueStore;
  readonly ledger: Pick<Ledger, "head" | "header" | "receipts" | "genesisDigest">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Which rows are asked for. */
export interface RowRequest {
  readonly id: Uint8Array;
  /** Encoded position after which to begin; absent: from the first. */
  readonly after?: Uint8Array;
  readonly limit: number;
  /** Highest height whose rows count. */
  readonly upTo: Height;
}

/** Rows in the chain's order. */
export type Placed<T> = T & Position;

/** Children and events of credentials, found in the receipts of committed blocks. */
export interface CredentialIndex {
  /** Highest block that is in it; −1 before the first. */
  readonly height: number;
  /** Takes up what was committed since: returns at once, the work goes on behind. */
  follow(): void;
  /** Resolves when the head of this moment is in it, or after `timeoutMs`. */
  caughtUp(timeoutMs: number): Promise<void>;
  children(request: RowRequest): Promise<readonly Placed<ChildRow>[]>;
  events(request: RowRequest): Promise<readonly Placed<EventRow>[]>;
  /** Ends the work behind; the store is closed by whoever opened it. */
  stop(): Promise<void>;
}

/** A batch is written when it has this many rows, or at the head. */
const BATCH_ROWS = 5_000;
/** Rows that one step of deleting an old index takes. */
const DELETE_ROWS = 10_000;

/**
 * Opens the index over its store. One of another version, chain or branch, or with a damaged head,
 * is deleted; what is missing is built from the stored receipts, behind.
 */
export async function createCredentialIndex(
  components: CredentialIndexComponents,
): Promise<CredentialIndex> {
  const head = readIndexHead(components);
  if (head === null) await clear(components);
  return new Index(components, head);
}

/** Where the index ends; null when it is none of this chain. */
function readIndexHead({ store, ledger }: CredentialIndexComponents): IndexHead | null {
  const row = store.get("metadata", INDEX_HEAD_KEY);
  const read = row === null ? null : tryDecode(indexHeadCodec, row);
  if (read === null || !read.ok) return null;
  const { version, genesisDigest, height: at, digest } = read.value;
  const block = ledger.header(at);
  const isOurs =
    version === INDEX_VERSION &&
    equalBytes(genesisDigest, ledger.genesisDigest) &&
    block !== null &&
    equalBytes(block.digest, digest);
  return isOurs ? read.value : null;
}

async function clear({ store, logger }: CredentialIndexComponents): Promise<void> {
  let isFirst = true;
  for (;;) {
    const rows = await store.range("index", { limit: DELETE_ROWS });
    if (rows.length === 0) break;
    if (isFirst) logger.warn("credential index is of another chain or version, built anew");
    isFirst = false;
    const operations = rows.map(
      ([key]): WriteOperation => ({ type: "delete", space: "index", key }),
    );
    await store.write(operations, { sync: false });
  }
  await store.write([{ type: "delete", space: "metadata", key: INDEX_HEAD_KEY }], { sync: false });
}

class Index implements CredentialIndex {
  readonly #parts: CredentialIndexComponents;
  readonly #waiting = new Set<() => void>();
  #height: number;
  #work: Promise<void> | null = null;
  #isStopped = false;

  constructor(parts: CredentialIndexComponents, head: IndexHead | null) {
    this.#parts = parts;
    this.#height = head?.height ?? -1;
    parts.metrics.gauge(indexMetrics.height).set(this.#height);
  }

  get height(): number {
    return this.#height;
  }

  follow(): void {
    if (this.#work !== null || this.#isStopped || !this.#isBehind()) return;
    const { logger, metrics } = this.#parts;
    this.#work = this.#catchUp()
      .catch((error: unknown) => {
        // The chain does not need the index: it is told and tried again at the next block.
        metrics.counter(indexMetrics.failures).add(1);
        logger.warn("credential index not extended", { error });
      })
      .finally(() => {
        this.#work = null;
        this.#wake();
      });
  }

  #isBehind(): boolean {
    return this.#height < this.#parts.ledger.head.header.height;
  }

  async #catchUp(): Promise<void> {
    const { store, ledger, metrics } = this.#parts;
    while (!this.#isStopped && this.#isBehind()) {
      const rows: WriteOperation[] = [];
      let at = this.#height;
      while (rows.length < BATCH_ROWS && at < ledger.head.header.height && !this.#isStopped) {
        at += 1;
        const receipts = await ledger.receipts(height(at));
        // Passed over, the block's credentials would be missing for good, and nobody would know.
        invariant(receipts !== null, "the receipts of a committed block are kept");
        rows.push(...rowsOfBlock(height(at), receipts));
      }
      const block = ledger.header(height(at));
      invariant(block !== null, "a committed block has a header");
      const { genesisDigest } = ledger;
      const head = { version: INDEX_VERSION, genesisDigest, height: height(at), ...block };
      const value = encode(indexHeadCodec, head);
      const put: WriteOperation = { type: "put", space: "metadata", key: INDEX_HEAD_KEY, value };
      // Not synced: what a power cut takes is a tail, and the head's row goes with it.
      await store.write([...rows, put], { sync: false });
      this.#height = at;
      metrics.gauge(indexMetrics.height).set(at);
      this.#wake();
    }
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  async caughtUp(timeoutMs: number): Promise<void> {
    const target = this.#parts.ledger.head.header.height;
    if (this.#height >= target) return;
    this.follow();
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#waiting.delete(look);
        cancel();
        resolve();
      };
      const look = (): void => {
        if (this.#height >= target || this.#work === null) done();
      };
      const cancel = this.#parts.clock.schedule(timeoutMs, done);
      this.#waiting.add(look);
    });
  }

  children(request: RowRequest): Promise<readonly Placed<ChildRow>[]> {
    return this.#rows("child", request, decodeChild);
  }

  events(request: RowRequest): Promise<readonly Placed<EventRow>[]> {
    return this.#rows("event", request, decodeEvent);
  }

  async #rows<T extends object>(
    kind: RowKind,
    { id, after, limit, upTo }: RowRequest,
    read: (row: Uint8Array) => T,
  ): Promise<readonly Placed<T>[]> {
    const next = encodePosition({ height: height(upTo + 1), index: 0, event: 0 });
    const start = after ?? new Uint8Array(POSITION_BYTES);
    // The least key above `after` is itself with a zero byte behind.
    const from = after === undefined ? start : concatBytes(after, Uint8Array.of(0));
    const rows = await this.#parts.store.range("index", {
      from: rowKey(kind, id, from),
      to: rowKey(kind, id, next),
      limit,
    });
    return rows.map(([key, value]) => ({ ...read(value), ...decodePosition(positionOf(key)) }));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#work;
    this.#wake();
  }
}
