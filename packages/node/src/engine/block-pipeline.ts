import type { Effect, Input, ValidatorSet } from "@credlink/consensus-pbft";
import {
  type Block,
  type ConsensusLedger,
  type DecodedTransaction,
  LedgerError,
  type SealedCandidate,
  type VerifyEvidence,
} from "@credlink/ledger";
import {
  type Clock,
  type Digest,
  type Height,
  invariant,
  type Logger,
  type PeerId,
  type Result,
  type ValidatorIndex,
} from "@credlink/primitives";
import { assembleBlock } from "./block-assembly.ts";
import type { EvidencePool } from "./evidence-pool.ts";
import type { Mempool } from "./mempool.ts";
import type { EngineInstruments } from "./metrics.ts";
import { createProposal, openProposal } from "./proposal-payload.ts";
import { successorOf } from "./replica-options.ts";
import type { TransactionSignatures } from "./signature-memory.ts";
import type { TransactionFetcher } from "./transaction-fetch.ts";

type ValidateEffect = Extract<Effect, { readonly type: "validate" }>;
type BuildEffect = Extract<Effect, { readonly type: "build-proposal" }>;
type VerifyHistory = Parameters<ConsensusLedger["checkProposal"]>[0]["verifyHistory"];

/** What the pipeline works with. */
export interface PipelineComponents {
  readonly ledger: ConsensusLedger;
  readonly mempool: Mempool;
  readonly fetcher: TransactionFetcher;
  readonly signatures: TransactionSignatures;
  readonly verifyHistory: VerifyHistory;
  readonly verifyEvidence: VerifyEvidence;
  readonly evidence: Pick<EvidencePool, "select">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly instruments: EngineInstruments;
  /** Other nodes of a list, those at `first` before the rest; ourselves left out. */
  readonly peersOf: (set: ValidatorSet, first: readonly ValidatorIndex[]) => readonly PeerId[];
  /** Our index in a list, or null. */
  readonly indexIn: (set: ValidatorSet) => ValidatorIndex | null;
}

/** Builds and validates candidate blocks; several of h and one of h + 1 side by side. */
export interface BlockPipeline {
  /** Resolves with the answer, or null when the height was decided meanwhile. */
  validate(effect: ValidateEffect): Promise<Input | null>;
  /** Resolves with the answer, or null when the height was decided meanwhile. */
  build(effect: BuildEffect): Promise<Input | null>;
  /** Makes the bodies of a validated block durable. */
  persistBodies(digest: Digest): Promise<void>;
  /** Judges a block that a certificate proves; its transactions' signatures are proven with it. */
  checkDecided(
    block: Block,
    transactions: readonly (Uint8Array | DecodedTransaction)[],
  ): Promise<Result<SealedCandidate>>;
  /** Must be called whenever the head moved: what waited for it goes on or ends. */
  onHead(): void;
}

class Pipeline implements BlockPipeline {
  readonly #parts: PipelineComponents;
  /** Run after every new candidate and every commit; each says whether it is done. */
  readonly #waiting = new Set<() => boolean>();

  constructor(parts: PipelineComponents) {
    this.#parts = parts;
  }

  onHead(): void {
    for (const attempt of [...this.#waiting]) if (attempt()) this.#waiting.delete(attempt);
  }

  async validate(effect: ValidateEffect): Promise<Input | null> {
    const { proposal } = effect;
    const { height, digest } = proposal;
    const opened = openProposal(proposal);
    invariant(opened.ok, "the door lets no proposal through whose facts are false");
    if (!(await this.#isReady(height, proposal.parentDigest))) return null;
    const block = opened.value;
    const transactions = await this.#collect(effect, block);
    if (transactions === null) return null;
    const checked = await this.#check(height, block, transactions);
    if (checked === null) return null;
    if (!checked.ok) {
      const { logger } = this.#parts;
      logger.warn("proposal refused", { height, code: checked.code, detail: checked.detail });
      return { type: "validated", height, digest, outcome: { valid: false, code: checked.code } };
    }
    this.#poolAll(transactions, checked.value);
    this.onHead();
    const successor = successorOf(this.#parts.ledger, checked.value);
    // A rival was committed in this very moment and took the candidate away.
    if (successor === null) return null;
    return { type: "validated", height, digest, outcome: { valid: true, successor } };
  }

  async build(effect: BuildEffect): Promise<Input | null> {
    const { height, view, parentDigest } = effect;
    const isReady = await this.#isReady(
      height,
      parentDigest,
      () => this.#parts.ledger.historyFor(parentDigest, height) !== null,
    );
    if (!isReady) return null;
    const startedMs = this.#parts.clock.monotonicMs();
    try {
      const candidate = await assembleBlock(this.#parts, effect);
      const proposal = candidate === null ? null : createProposal(candidate);
      this.#observe(startedMs);
      if (proposal !== null) this.onHead();
      return { type: "proposal-built", height, view, parentDigest, proposal };
    } catch (error) {
      if (this.#isGone(error, height)) return null;
      throw error;
    }
  }

  async persistBodies(digest: Digest): Promise<void> {
    const { ledger } = this.#parts;
    const candidate = ledger.candidate(digest);
    // No candidate: the block is committed, or was overtaken by the one that is.
    if (candidate !== null) await ledger.persistBodies(candidate.transactions);
  }

  async checkDecided(
    block: Block,
    transactions: readonly (Uint8Array | DecodedTransaction)[],
  ): Promise<Result<SealedCandidate>> {
    const { ledger } = this.#parts;
    return ledger.checkProposal({
      block,
      isProven: true,
      transactions,
      verifySignatures: async (claims) => claims.map(() => true),
      verifyHistory: () => true,
      verifyEvidence: () => true,
    });
  }

  #collect(effect: ValidateEffect, block: Block): Promise<readonly DecodedTransaction[] | null> {
    const { proposal, transactions, holders } = effect;
    const { ledger, peersOf, fetcher } = this.#parts;
    const set = ledger.validatorsOn(proposal.parentDigest, proposal.height);
    invariant(set !== null, "the validators of a child of a known block are known");
    return fetcher.collect(
      block.body.transactionIds,
      transactions,
      () => peersOf(set, [proposal.proposer, ...holders]),
      () => this.#isPast(proposal.height),
    );
  }

  /** The ledger's judgement; null when the height was decided while it was being judged. */
  async #check(
    height: Height,
    block: Block,
    transactions: readonly DecodedTransaction[],
  ): Promise<Result<SealedCandidate> | null> {
    const { ledger, clock, signatures, verifyHistory, verifyEvidence } = this.#parts;
    const startedMs = clock.monotonicMs();
    const verifySignatures = signatures.verifyUrgently;
    try {
      const check = { block, transactions, verifySignatures, verifyHistory, verifyEvidence };
      const checked = await ledger.checkProposal(check);
      this.#observe(startedMs);
      // The parent was there when we began: a rival was committed and took it away.
      const isGone = !checked.ok && checked.code === "LEDGER_BLOCK_PARENT_UNKNOWN";
      return isGone ? null : checked;
    } catch (error) {
      if (this.#isGone(error, height)) return null;
      throw error;
    }
  }

  /** Keeps a proposal's transactions: they stay when the proposal is abandoned. */
  #poolAll(transactions: readonly DecodedTransaction[], candidate: SealedCandidate): void {
    const { mempool, clock, ledger } = this.#parts;
    if (this.#isPast(candidate.height)) return;
    const now = clock.monotonicMs();
    for (const transaction of transactions) {
      if (ledger.place(transaction.id) === null) mempool.add(transaction, now);
    }
  }

  #observe(startedMs: number): void {
    const { instruments, clock } = this.#parts;
    instruments.executionTime.observe((clock.monotonicMs() - startedMs) / 1_000);
  }

  #isPast(height: Height): boolean {
    return this.#parts.ledger.head.header.height >= height;
  }

  /** Whether an error only says that a rival was committed and took our parent with it. */
  #isGone(error: unknown, height: Height): boolean {
    const isUnknown = error instanceof LedgerError && error.code === "LEDGER_PARENT_UNKNOWN";
    return isUnknown || this.#isPast(height);
  }

  /** Waits until a parent can be built upon; false when its child's height was decided. */
  #isReady(height: Height, parent: Digest, also: () => boolean = () => true): Promise<boolean> {
    return new Promise((resolve) => {
      const attempt = (): boolean => {
        if (this.#isPast(height)) {
          resolve(false);
          return true;
        }
        if (this.#parts.ledger.stateAt(parent) === null || !also()) return false;
        resolve(true);
        return true;
      };
      if (!attempt()) this.#waiting.add(attempt);
    });
  }
}

/** Makes the pipeline of one node. */
export function createBlockPipeline(parts: PipelineComponents): BlockPipeline {
  return new Pipeline(parts);
}
