import {
  type ConsensusLedger,
  type DecodedTransaction,
  decodeSignedTransaction,
} from "@credlink/ledger";
import {
  type Clock,
  type Digest,
  decode,
  encode,
  type Logger,
  type Network,
  type PeerId,
  tryDecode,
} from "@credlink/primitives";
import { byteKey } from "./digest-key.ts";
import { EngineError } from "./errors.ts";
import type { Mempool } from "./mempool.ts";
import type { EngineInstruments } from "./metrics.ts";
import type { PeerBudget } from "./peer-budget.ts";
import {
  FETCH_PROTOCOL,
  fetchReplyCodec,
  fetchRequestCodec,
  MAX_FETCH_REPLY_BYTES,
  MAX_FETCH_REQUEST_BYTES,
} from "./protocols.ts";

/** What fetching needs of the node. */
export interface FetchComponents {
  readonly ledger: ConsensusLedger;
  readonly mempool: Mempool;
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly instruments: EngineInstruments;
  readonly budget: PeerBudget;
  readonly requestTimeoutMs: number;
}

/** Finds the transactions that a block names. */
export interface TransactionFetcher {
  /**
   * All transactions of `ids`, in their order: from the mempool, where their signatures are known to
   * be good, `inline`, the store, then peers in the order given, again and again. Null as soon as
   * `isAbandoned` says so.
   */
  collect(
    ids: readonly Digest[],
    inline: readonly Uint8Array[],
    peers: () => readonly PeerId[],
    isAbandoned: () => boolean,
  ): Promise<readonly DecodedTransaction[] | null>;
  /** Answers peers from the mempool, candidates that are being validated, and the store. */
  serve(): void;
  /** Proposals whose transactions are kept for peers. */
  readonly size: number;
}

/** Pushed batches that are still on their way get this long before anybody is asked. */
const GRACE_MS = 10;
/** Pause after all peers were asked in vain. */
const RETRY_MS = 100;
/** So many ids cost what a request costs. */
const IDS_PER_REQUEST = 50;
/** Collected transactions of recent proposals, for peers who miss them. */
const MAX_KEPT_PROPOSALS = 8;

class Fetcher implements TransactionFetcher {
  readonly #parts: FetchComponents;
  /** Transactions of recent proposals, oldest proposal first. */
  readonly #kept: Map<string, DecodedTransaction>[] = [];

  constructor(parts: FetchComponents) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#kept.length;
  }

  async collect(
    ids: readonly Digest[],
    inline: readonly Uint8Array[],
    peers: () => readonly PeerId[],
    isAbandoned: () => boolean,
  ): Promise<readonly DecodedTransaction[] | null> {
    const found = new Map<string, DecodedTransaction>();
    const wanted = new Set(ids.map(byteKey));
    this.#takePooled(ids, found);
    if (found.size < wanted.size) takeWanted(inline, wanted, found);
    if (found.size < wanted.size) this.#takeStored(ids, found);
    if (found.size < wanted.size) {
      await this.#pause(GRACE_MS);
      this.#takeLocal(ids, found);
      await this.#takeFromPeers(ids, wanted, found, peers, isAbandoned);
    }
    if (found.size < wanted.size) return null;
    this.#keep(found);
    return ids.flatMap((id) => found.get(byteKey(id)) ?? []);
  }

  serve(): void {
    const { network, budget } = this.#parts;
    const options = { maxBytes: MAX_FETCH_REQUEST_BYTES };
    network.onRequest(FETCH_PROTOCOL, options, async (from, request) => {
      if (!budget.spend(from.id, "requests") || !budget.spend(from.id, "reply-bytes", 0)) {
        throw new EngineError("NODE_PEER_OVER_BUDGET", "transactions");
      }
      const ids = decode(fetchRequestCodec, request, options);
      budget.spend(from.id, "requests", ids.length / IDS_PER_REQUEST);
      const reply: Uint8Array[] = [];
      let bytes = 0;
      for (const id of ids) {
        const transaction = this.#lookUp(id);
        if (transaction === null) continue;
        bytes += transaction.length + 8;
        if (bytes > MAX_FETCH_REPLY_BYTES - 1_024) break;
        reply.push(transaction);
      }
      budget.spend(from.id, "reply-bytes", bytes);
      return encode(fetchReplyCodec, reply);
    });
  }

  #lookUp(id: Digest): Uint8Array | null {
    const pooled = this.#parts.mempool.get(id);
    if (pooled !== null) return pooled.transaction.bytes;
    const key = byteKey(id);
    for (const proposal of this.#kept) {
      const kept = proposal.get(key);
      if (kept !== undefined) return kept.bytes;
    }
    return this.#parts.ledger.body(id);
  }

  #takeLocal(ids: readonly Digest[], found: Map<string, DecodedTransaction>): void {
    this.#takePooled(ids, found);
    this.#takeStored(ids, found);
  }

  /** What the mempool and recent proposals have is decoded, and most of it verified. */
  #takePooled(ids: readonly Digest[], found: Map<string, DecodedTransaction>): void {
    for (const id of ids) {
      const key = byteKey(id);
      if (found.has(key)) continue;
      const pooled = this.#parts.mempool.get(id)?.transaction ?? this.#keptTransaction(key);
      if (pooled !== null) found.set(key, pooled);
    }
  }

  /** The store has the bodies that we persisted. */
  #takeStored(ids: readonly Digest[], found: Map<string, DecodedTransaction>): void {
    for (const id of ids) {
      const key = byteKey(id);
      if (found.has(key)) continue;
      const stored = this.#parts.ledger.body(id);
      const decoded = stored === null ? null : decodeSignedTransaction(stored);
      if (decoded?.ok) found.set(key, decoded.value);
    }
  }

  #keptTransaction(key: string): DecodedTransaction | null {
    for (const proposal of this.#kept) {
      const transaction = proposal.get(key);
      if (transaction !== undefined) return transaction;
    }
    return null;
  }

  async #takeFromPeers(
    ids: readonly Digest[],
    wanted: ReadonlySet<string>,
    found: Map<string, DecodedTransaction>,
    peers: () => readonly PeerId[],
    isAbandoned: () => boolean,
  ): Promise<void> {
    while (found.size < wanted.size) {
      for (const peer of peers()) {
        const missing = ids.filter((id) => !found.has(byteKey(id)));
        if (missing.length === 0 || isAbandoned()) return;
        const before = found.size;
        takeWanted(await this.#ask(peer, missing), wanted, found);
        this.#parts.instruments.transactionsFetched.add(found.size - before);
      }
      if (isAbandoned()) return;
      if (found.size < wanted.size) await this.#pause(RETRY_MS);
      this.#takeLocal(ids, found);
    }
  }

  async #ask(peer: PeerId, missing: readonly Digest[]): Promise<readonly Uint8Array[]> {
    const { network, requestTimeoutMs: timeoutMs, logger } = this.#parts;
    try {
      const request = encode(fetchRequestCodec, missing);
      const options = { timeoutMs, maxReplyBytes: MAX_FETCH_REPLY_BYTES };
      const reply = await network.request(peer, FETCH_PROTOCOL, request, options);
      const decoded = tryDecode(fetchReplyCodec, reply, { maxBytes: MAX_FETCH_REPLY_BYTES });
      return decoded.ok ? decoded.value : [];
    } catch (error) {
      logger.debug("transactions not fetched", { peer, error });
      return [];
    }
  }

  #keep(found: Map<string, DecodedTransaction>): void {
    if (found.size === 0) return;
    this.#kept.push(found);
    if (this.#kept.length > MAX_KEPT_PROPOSALS) this.#kept.shift();
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.clock.schedule(delayMs, resolve);
    });
  }
}

/** Adds those of `bytes` that are wanted: the id is the digest of the complete signed bytes. */
function takeWanted(
  bytes: readonly Uint8Array[],
  wanted: ReadonlySet<string>,
  found: Map<string, DecodedTransaction>,
): void {
  for (const one of bytes) {
    const decoded = decodeSignedTransaction(one);
    if (!decoded.ok) continue;
    const key = byteKey(decoded.value.id);
    if (wanted.has(key) && !found.has(key)) found.set(key, decoded.value);
  }
}

/** Makes the fetcher of one node. */
export function createTransactionFetcher(parts: FetchComponents): TransactionFetcher {
  return new Fetcher(parts);
}
