import {
  type ConsensusLedger,
  type DecodedTransaction,
  decodeSignedTransaction,
  type SignatureClaim,
  transactionId,
} from "@credlink/ledger";
import {
  type AdmittedPeer,
  accept,
  type Clock,
  type Digest,
  type Height,
  type Logger,
  type Network,
  type PeerId,
  type Refusal,
  type Result,
  refuse,
  height as toHeight,
} from "@credlink/primitives";
import { byteKey } from "./digest-key.ts";
import { type Mempool, RETRY_AFTER_MS } from "./mempool.ts";
import type { EngineInstruments } from "./metrics.ts";
import type { PeerBudget } from "./peer-budget.ts";
import { decodePush, MAX_PUSH_BYTES, TRANSACTIONS_PROTOCOL } from "./protocols.ts";
import type { TransactionSignatures } from "./signature-memory.ts";
import type { TransactionPusher } from "./transaction-push.ts";

/** Answer to who submitted: the id, or why not and when to come again. */
export type SubmitResult =
  | Result<{ readonly id: Digest }>
  | (Refusal & { readonly retryAfterMs?: number });

/** What the door of transactions works with. */
export interface IntakeComponents {
  readonly ledger: ConsensusLedger;
  readonly mempool: Mempool;
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly instruments: EngineInstruments;
  readonly signatures: TransactionSignatures;
  readonly pusher: TransactionPusher;
  readonly budget: PeerBudget;
  /** Called once per verified batch that brought at least one transaction. */
  readonly onAdded: () => void;
}

/** Where transactions enter: from clients through `submit`, from peers through pushes. */
export interface TransactionIntake {
  submit(bytes: Uint8Array): Promise<SubmitResult>;
  /** Receives the pushes of peers. */
  serve(): void;
  /** What is under way is refused with NODE_ENGINE_STOPPED; the ledger is not read any more. */
  stop(): void;
}

/** Transactions that may wait for verification, all sources together. */
const MAX_WAITING = 8_192;
/** … and of one peer, so that one cannot crowd out the others. */
const MAX_WAITING_PER_PEER = 4_096;
/** What a peer pushed is told to all after this time without a block, milliseconds … */
const RELAY_AFTER_MS = 150;
/** … while so few transactions wait. */
const MAX_RELAYED = 16;
/** Transactions verified in one call. */
const BATCH = 256;
/** Calls of the verifier under way at once: enough to keep a pool of threads busy. */
const MAX_CALLS = 3;

interface Waiting {
  readonly transaction: DecodedTransaction;
  readonly claims: readonly SignatureClaim[];
  /** The peer that pushed it; null when a client submitted it here. */
  readonly from: PeerId | null;
  readonly settle: (result: SubmitResult) => void;
}

class Intake implements TransactionIntake {
  readonly #parts: IntakeComponents;
  #waiting: Waiting[] = [];
  readonly #perPeer = new Map<PeerId, number>();
  /** Ids between decoding and the mempool. */
  readonly #inside = new Set<string>();
  #calls = 0;
  #isStopped = false;

  constructor(parts: IntakeComponents) {
    this.#parts = parts;
  }

  async submit(bytes: Uint8Array): Promise<SubmitResult> {
    const result = await this.#take(bytes, null);
    if (!result.ok) this.#parts.instruments.transactionsRefused.add(1, { code: result.code });
    return result;
  }

  serve(): void {
    const { network, instruments } = this.#parts;
    const drop = (reason: string): void =>
      instruments.messagesDropped.add(1, { protocol: "transactions", reason });
    network.onMessage(TRANSACTIONS_PROTOCOL, { maxBytes: MAX_PUSH_BYTES }, (from, message) => {
      if (from.provisional) return drop("provisional");
      if (!this.#parts.budget.spend(from.id, "transactions", 0)) return drop("over_budget");
      const decoded = decodePush(message);
      if (!decoded.ok) {
        this.#parts.budget.blame(from.id);
        return drop("malformed");
      }
      for (const bytes of decoded.value) void this.#takePushed(from, bytes);
    });
  }

  async #takePushed(from: AdmittedPeer, bytes: Uint8Array): Promise<void> {
    const { instruments, budget } = this.#parts;
    if ((this.#perPeer.get(from.id) ?? 0) >= MAX_WAITING_PER_PEER) {
      instruments.messagesDropped.add(1, { protocol: "transactions", reason: "budget" });
      return;
    }
    // Most of what is pushed again is known: one digest says so, without decoding.
    const isKnown = this.#parts.mempool.get(transactionId(bytes)) !== null;
    const result = isKnown ? refuse("NODE_MEMPOOL_KNOWN") : await this.#take(bytes, from.id);
    if (result.ok) return this.#relayLater(result.value.id, bytes);
    budget.spend(from.id, "transactions");
    if (result.code === "NODE_MEMPOOL_KNOWN") return;
    instruments.messagesDropped.add(1, { protocol: "transactions", reason: "refused" });
    // An honest peer judged it too, though perhaps on another head: only forgeries count.
    const isForged =
      result.code === "LEDGER_TRANSACTION_SIGNATURE_INVALID" ||
      result.code === "LEDGER_TRANSACTION_MALFORMED";
    if (isForged) budget.blame(from.id);
  }

  /**
   * A peer may have shown it to us and not to the primary: our timer would run out on a primary that
   * knows of nothing to do. If no block comes soon, everybody is told. Where more waits there is
   * work for everybody, and a block in a moment.
   */
  #relayLater(id: Digest, bytes: Uint8Array): void {
    const { mempool, clock, ledger, pusher } = this.#parts;
    const head = ledger.head.header.height;
    if (mempool.size > MAX_RELAYED) return;
    clock.schedule(RELAY_AFTER_MS, () => {
      const isWaiting = mempool.get(id) !== null && ledger.head.header.height === head;
      if (isWaiting && !this.#isStopped) pusher.push(bytes);
    });
  }

  #take(bytes: Uint8Array, from: PeerId | null): Promise<SubmitResult> {
    if (this.#isStopped) return Promise.resolve(refuse("NODE_ENGINE_STOPPED"));
    const decoded = decodeSignedTransaction(bytes);
    if (!decoded.ok) return Promise.resolve(decoded);
    const transaction = decoded.value;
    const key = byteKey(transaction.id);
    if (this.#inside.has(key)) return Promise.resolve(refuse("NODE_MEMPOOL_KNOWN"));
    const full = this.#parts.mempool.probe(transaction);
    if (full !== null) return Promise.resolve(full);
    if (this.#inside.size >= MAX_WAITING) {
      return Promise.resolve({ ...refuse("NODE_INTAKE_BUSY"), retryAfterMs: RETRY_AFTER_MS });
    }
    const judged = this.#judge(transaction);
    if (!judged.ok) return Promise.resolve(judged);
    // A peer's head may know a contract that ours does not yet: only clients are told at once.
    const status = from === null ? this.#parts.ledger.judgeCall(transaction) : null;
    if (status !== null) return Promise.resolve(refuse(status, transaction.contract));
    return new Promise((settle) => {
      this.#inside.add(key);
      if (from !== null) this.#perPeer.set(from, (this.#perPeer.get(from) ?? 0) + 1);
      this.#waiting.push({ transaction, claims: judged.value.claims, from, settle });
      if (this.#calls < MAX_CALLS) void this.#verify();
    });
  }

  #judge(transaction: DecodedTransaction): ReturnType<ConsensusLedger["judge"]> {
    const { ledger, clock } = this.#parts;
    const { header, digest: parentDigest } = ledger.head;
    const height: Height = toHeight(header.height + 1);
    const timestampMs = Math.max(clock.nowMs(), header.timestampMs + 1);
    return ledger.judge(transaction, { parentDigest, height, timestampMs });
  }

  /** Verifies batch after batch; what arrives during one call goes together in the next. */
  async #verify(): Promise<void> {
    this.#calls++;
    // Everything that arrives in the same turn belongs to the first batch.
    await null;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, BATCH);
      this.#waiting = this.#waiting.slice(BATCH);
      await this.#verifyBatch(batch);
    }
    this.#calls--;
  }

  async #verifyBatch(batch: readonly Waiting[]): Promise<void> {
    let answers: readonly boolean[] | null = null;
    try {
      answers = await this.#parts.signatures.verify(batch.flatMap(({ claims }) => claims));
    } catch (error) {
      this.#parts.logger.warn("signatures not verified", { error, transactions: batch.length });
    }
    let at = 0;
    let added = 0;
    const results = batch.map((waiting) => {
      const from = at;
      at += waiting.claims.length;
      const result = this.#settle(waiting, answers?.slice(from, at) ?? null);
      if (result.ok) added++;
      return result;
    });
    if (added > 0) this.#parts.onAdded();
    for (const [index, { settle }] of batch.entries()) {
      const result = results[index];
      if (result !== undefined) settle(result);
    }
  }

  #settle(waiting: Waiting, answers: readonly boolean[] | null): SubmitResult {
    const { transaction, from } = waiting;
    this.#inside.delete(byteKey(transaction.id));
    if (from !== null) this.#release(from);
    // Nothing is asked of a ledger that may be closed by now.
    if (this.#isStopped) return refuse("NODE_ENGINE_STOPPED");
    if (answers === null) return { ...refuse("NODE_INTAKE_BUSY"), retryAfterMs: RETRY_AFTER_MS };
    if (answers.some((answer) => !answer)) return refuse("LEDGER_TRANSACTION_SIGNATURE_INVALID");
    const { mempool, clock, ledger, pusher } = this.#parts;
    // It may have come in a block while its signatures were being verified.
    if (ledger.place(transaction.id) !== null) return refuse("LEDGER_TRANSACTION_REPLAYED");
    const added = mempool.add(transaction, clock.monotonicMs());
    if (!added.ok) return added;
    if (from === null) pusher.push(transaction.bytes);
    return accept({ id: transaction.id });
  }

  stop(): void {
    this.#isStopped = true;
  }

  #release(peer: PeerId): void {
    const left = (this.#perPeer.get(peer) ?? 1) - 1;
    if (left === 0) this.#perPeer.delete(peer);
    else this.#perPeer.set(peer, left);
  }
}

/** Makes the door of transactions of one node. */
export function createTransactionIntake(parts: IntakeComponents): TransactionIntake {
  return new Intake(parts);
}
