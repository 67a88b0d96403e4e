import { createRoster, type Roster, type ValidatorSet } from "@credlink/consensus-pbft";
import {
  accept,
  type Digest,
  digest as digestOf,
  encode,
  equalBytes,
  type Height,
  height as heightOf,
  invariant,
  type Logger,
  type Metrics,
  noLogger,
  noMetrics,
  type Result,
  refuse,
  toHex,
} from "@credlink/primitives";
import type { Block } from "./block.ts";
import { isSameBody, LAST_HEIGHT_WITHOUT_HISTORY } from "./block-rules.ts";
import { blockOperations, pruneOperations } from "./commit-batch.ts";
import { createHistory, type SeenStatements } from "./consensus-history.ts";
import type { DecodedTransaction } from "./decoded-transaction.ts";
import { genesisDigest, headerDigest } from "./digests.ts";
import { judgeEnvelope } from "./envelope.ts";
import { type BlockRefusalCode, LedgerError } from "./errors.ts";
import { type EvidenceContext, judgeBlockEvidence, judgeEvidence } from "./evidence.ts";
import { executeOn } from "./execution.ts";
import { ancestorOf, executionContext, historySigners } from "./execution-context.ts";
import type { Executor, StateView } from "./executor.ts";
import type { Genesis, Parameters } from "./genesis.ts";
import { DEFAULT_HISTORY_HEIGHTS, HistoryLog } from "./history-log.ts";
import type {
  BlockReference,
  Candidate,
  Decision,
  ExecutionRequest,
  JudgementPlace,
  Ledger,
  ProposalCheck,
  SealedCandidate,
} from "./ledger.ts";
import { createLedgerCounters, type LedgerCounters } from "./metrics.ts";
import { openTip, readValidators } from "./opening.ts";
import { CommittedPages } from "./page-store.ts";
import { judgeBlock } from "./proposal-check.ts";
import { ChainReader } from "./reader.ts";
import { type CommittedReplayGuard, createReplayGuard, type ReplayGuard } from "./replay-guard.ts";
import { historyRecordCodec, prunedOperation, readPruned } from "./rows.ts";
import { StateBase } from "./state-view.ts";
import type { KeyValueStore, WriteOperation } from "./store.ts";
import { parametersAfterTip, type Tip } from "./tip.ts";
import { blockOf, type CandidateTip, Tips } from "./tips.ts";

/** What a ledger is made of. */
export interface LedgerComponents {
  readonly store: KeyValueStore;
  readonly executor: Executor;
  readonly genesis: Genesis;
  readonly metrics?: Metrics;
  readonly logger?: Logger;
  /** Memory for values of the committed state, bytes. Default 64 MiB. */
  readonly valueCacheBytes?: number;
  /** Memory for pages of the state tree, bytes. Default 64 MiB. */
  readonly pageCacheBytes?: number;
  /** Heights whose history of consensus is kept; 0 keeps all. Default 100,000. */
  readonly historyHeights?: number;
}

const DEFAULT_CACHE_BYTES = 64 * 1024 * 1024;

/**
 * Opens the chain in a store, or begins it with its genesis block.
 * @throws LedgerError LEDGER_GENESIS_MISMATCH, LEDGER_GENESIS_INVALID, LEDGER_SCHEMA_UNSUPPORTED,
 *   LEDGER_STORE_CORRUPT
 */
export async function createLedger(components: LedgerComponents): Promise<Ledger> {
  const { store, executor, genesis } = components;
  const base = new StateBase(store, components.valueCacheBytes ?? DEFAULT_CACHE_BYTES);
  const pages = new CommittedPages(store, components.pageCacheBytes ?? DEFAULT_CACHE_BYTES);
  const replay = createReplayGuard();
  const head = await openTip({ store, executor, genesis, base, pages, replay });
  const tips = new Tips(head);
  const kept = components.historyHeights ?? DEFAULT_HISTORY_HEIGHTS;
  const history = new HistoryLog(store, genesisDigest(genesis), kept);
  return new Chain(components, { pages, replay, tips, history });
}

interface ChainParts {
  readonly pages: CommittedPages;
  readonly replay: CommittedReplayGuard;
  readonly tips: Tips;
  readonly history: HistoryLog;
}

const UNSEALED = digestOf(new Uint8Array(32));
const NOTHING_SEEN: SeenStatements = { statements: [], dropped: 0 };
const MAX_REMEMBERED_VALIDATORS = 1_000;
const MAX_REMEMBERED_BODIES = 100_000;

class Chain extends ChainReader implements Ledger {
  readonly genesis: Genesis;
  readonly genesisDigest: Digest;
  readonly chainId: string;
  readonly #store: KeyValueStore;
  readonly #executor: Executor;
  readonly #logger: Logger;
  readonly #counters: LedgerCounters;
  readonly #pages: CommittedPages;
  readonly #replay: CommittedReplayGuard;
  readonly #tips: Tips;
  readonly #history: HistoryLog;
  readonly #validators = new Map<string, ValidatorSet>();
  /** Ids of transactions whose bodies are stored and not yet committed. */
  readonly #storedBodies = new Set<string>();
  /** The write under way; the next one waits for it. */
  #writing: Promise<unknown> = Promise.resolve();
  #failure: unknown = null;

  constructor(components: LedgerComponents, { pages, replay, tips, history }: ChainParts) {
    super(components.store, () => tips.head, history);
    this.genesis = components.genesis;
    this.genesisDigest = genesisDigest(components.genesis);
    this.chainId = components.genesis.chainId;
    this.#store = components.store;
    this.#executor = components.executor;
    this.#logger = components.logger ?? noLogger;
    this.#counters = createLedgerCounters(components.metrics ?? noMetrics);
    this.#pages = pages;
    this.#replay = replay;
    this.#tips = tips;
    this.#history = history;
    this.#counters.headHeight.set(tips.head.header.height);
  }

  get head(): BlockReference {
    return this.#tips.head;
  }

  reference(digest: Digest): BlockReference | null {
    const tip = this.#tips.get(digest);
    if (tip !== null) return tip;
    const at = this.heightOf(digest);
    return at === null ? null : this.header(at);
  }

  stateAt(digest: Digest): StateView | null {
    return this.#tips.get(digest)?.view ?? null;
  }

  parametersAfter(digest: Digest): Parameters | null {
    const tip = this.#tips.get(digest);
    return tip && parametersAfterTip(tip, this.#executor);
  }

  replayGuardAt(digest: Digest): ReplayGuard | null {
    return this.#tips.get(digest)?.replay ?? null;
  }

  validatorsAt(height: Height): ValidatorSet | null {
    return this.validatorsOn(this.#tips.head.digest, height);
  }

  validatorsOn(parentDigest: Digest, height: Height): ValidatorSet | null {
    let tip = this.#tips.get(parentDigest);
    while (tip !== null) {
      if (height === tip.header.height + 2) return tip.validatorsAfterNext;
      if (height > tip.header.height + 2) return null;
      // V(k + 2) of the parent's height k is this block's V(height + 1).
      const parent: Tip | null = tip.execution?.parent ?? null;
      if (parent === null) break;
      tip = parent;
    }
    if (tip === null) return null;
    const { header } = tip;
    const hash =
      height === header.height + 1
        ? header.nextValidatorsHash
        : this.header(height)?.header.validatorsHash;
    return hash === undefined ? null : this.#validatorsOf(hash);
  }

  rosterOn(parentDigest: Digest, height: Height): Roster | null {
    const tip = this.#tips.get(parentDigest);
    if (tip === null) return null;
    if (height === tip.header.height + 2) return tip.validatorsAfterNext;
    const set = this.validatorsOn(parentDigest, height);
    if (set === null || height !== tip.header.height + 1) return null;
    return createRoster(set, this.#executor.skipped(tip.view, height));
  }

  /** Lists change rarely: each is read once. */
  #validatorsOf(hash: Digest): ValidatorSet | null {
    const name = toHex(hash);
    const known = this.#validators.get(name) ?? readValidators(this.#store, hash);
    if (known === null) return null;
    if (this.#validators.size >= MAX_REMEMBERED_VALIDATORS) this.#validators.clear();
    this.#validators.set(name, known);
    return known;
  }

  judge(
    transaction: Uint8Array | DecodedTransaction,
    on: JudgementPlace,
  ): ReturnType<Ledger["judge"]> {
    const tip = this.#tips.require(on.parentDigest);
    return judgeEnvelope(transaction, {
      parent: tip.view,
      header: { height: on.height, timestampMs: on.timestampMs },
      chainId: this.chainId,
      genesisDigest: this.genesisDigest,
      replay: on.replay ?? tip.replay,
      parameters: parametersAfterTip(tip, this.#executor),
    });
  }

  judgeEvidence(
    evidence: Uint8Array,
    { parentDigest, height }: Pick<JudgementPlace, "parentDigest" | "height">,
  ): ReturnType<Ledger["judgeEvidence"]> {
    return judgeEvidence(evidence, this.#evidenceContext(parentDigest, height));
  }

  #evidenceContext(parentDigest: Digest, height: Height): EvidenceContext {
    const { view } = this.#tips.require(parentDigest);
    const validatorsOn = (at: Height) => this.validatorsOn(parentDigest, at);
    return { parent: view, height, validatorsOn };
  }

  #signersOf({ parentDigest, height, history }: ExecutionRequest) {
    if (history.length === 0) return [];
    const set = this.validatorsOn(parentDigest, heightOf(height - 2));
    invariant(set !== null, "the validators of a block's grandparent are known");
    return historySigners(history, set.validators);
  }

  #misbehavioursOf({ parentDigest, height, evidence = [] }: ExecutionRequest) {
    const judged = judgeBlockEvidence(evidence, this.#evidenceContext(parentDigest, height));
    invariant(judged.ok, "evidence is judged before it is executed");
    return judged.value.map(({ misbehaviour }) => misbehaviour);
  }

  judgeCall(call: Pick<DecodedTransaction, "contract" | "contractVersion">): string | null {
    return this.#executor.judgeCall(this.#tips.require(this.head.digest).view, call);
  }

  async execute(request: ExecutionRequest): Promise<Candidate> {
    const parent = this.#tips.require(request.parentDigest);
    const { height, timestampMs } = request;
    invariant(height === parent.header.height + 1, "a block is one above its parent");
    invariant(timestampMs > parent.header.timestampMs, "a block is later than its parent");
    return executeOn(request, {
      executor: this.#executor,
      replay: this.#replay,
      context: executionContext(request, {
        chainId: this.chainId,
        genesisDigest: this.genesisDigest,
        roster: this.rosterOn(parent.digest, height),
        branch: (at) => ancestorOf(parent, at, (below) => this.header(below)?.digest ?? null),
        signers: this.#signersOf(request),
        misbehaviours: this.#misbehavioursOf(request),
      }),
      parent,
      unsealed: (root) => ({ height, digest: UNSEALED, timestampMs, root }),
    });
  }

  historyFor(parentDigest: Digest, height: Height): Uint8Array | null {
    if (height <= LAST_HEIGHT_WITHOUT_HISTORY) return new Uint8Array(0);
    const parent = this.#tips.get(parentDigest);
    if (parent === null || parent.header.height !== height - 1) return null;
    const row = this.row(heightOf(height - 2));
    if (row === null || !equalBytes(row.digest, parent.header.parentHash)) return null;
    const { certificate, justification } = row;
    return encode(historyRecordCodec, { certificate, justification });
  }

  buildBlock(candidate: Candidate): SealedCandidate {
    const parent = this.#tips.require(candidate.parentDigest);
    const block = blockOf(this.chainId, parent, candidate);
    return this.#seal(candidate, block);
  }

  #seal(candidate: Candidate, block: Block): SealedCandidate {
    const tip = this.#tips.seal(candidate, block);
    this.#counters.candidates.set(this.#tips.candidateCount);
    return tip.execution.candidate;
  }

  async checkProposal(check: ProposalCheck): Promise<Result<SealedCandidate, BlockRefusalCode>> {
    const digest = headerDigest(check.block.header);
    const known = this.candidate(digest);
    if (known !== null && isSameBody(known.sealed.block, check.block)) return accept(known);
    return this.#check(check);
  }

  async #check(check: ProposalCheck): Promise<Result<SealedCandidate, BlockRefusalCode>> {
    const { header } = check.block;
    const parent = this.#tips.get(header.parentHash);
    if (parent === null) return refuse("LEDGER_BLOCK_PARENT_UNKNOWN");
    const validators = this.validatorsOn(parent.digest, heightOf(parent.header.height + 1));
    invariant(validators !== null, "the validators above a known block are known");
    const hasHistory = header.height > LAST_HEIGHT_WITHOUT_HISTORY;
    const historyValidators = hasHistory
      ? this.validatorsOn(parent.digest, heightOf(header.height - 2))
      : null;
    const verdict = await judgeBlock(check, {
      parent,
      rules: {
        chainId: this.chainId,
        parent,
        validators,
        nextValidators: parent.validatorsAfterNext,
        parameters: parametersAfterTip(parent, this.#executor),
        grandparent: hasHistory ? this.reference(parent.header.parentHash) : null,
      },
      historyValidators,
      genesisDigest: this.genesisDigest,
      replay: this.#replay,
      evidence: this.#evidenceContext(parent.digest, header.height),
      execute: (request) => this.execute(request),
    });
    if (verdict.ok) {
      // The parent may have lost to a rival while we judged.
      if (this.#tips.get(header.parentHash) === null) return refuse("LEDGER_BLOCK_PARENT_UNKNOWN");
      return accept(this.#seal(verdict.value, check.block));
    }
    this.#counters.blocksRefused.add(1, { code: verdict.code });
    const { code, detail } = verdict;
    this.#logger.warn("block refused", { height: header.height, code, detail });
    return verdict;
  }

  candidate(digest: Digest): SealedCandidate | null {
    return this.#tips.candidate(digest)?.execution.candidate ?? null;
  }

  async persistBodies(transactions: readonly DecodedTransaction[]): Promise<void> {
    const missing = transactions.filter(({ id }) => !this.#storedBodies.has(toHex(id)));
    if (missing.length === 0) return;
    const operations = missing.map(
      ({ id, bytes }): WriteOperation => ({ type: "put", space: "bodies", key: id, value: bytes }),
    );
    await this.#store.write(operations, { sync: true });
    if (this.#storedBodies.size > MAX_REMEMBERED_BODIES) this.#storedBodies.clear();
    for (const { id } of missing) this.#storedBodies.add(toHex(id));
  }

  async commit(candidate: Candidate, block: Block, decision: Decision): Promise<BlockReference> {
    return this.#exclusively(() => this.#commit(candidate, block, decision));
  }

  async #commit(candidate: Candidate, block: Block, decision: Decision): Promise<BlockReference> {
    const digest = headerDigest(block.header);
    const tip = this.#requireCommittable(candidate, digest, decision);
    const head = this.#tips.head;
    const { certificate, justification = null, seen = NOTHING_SEEN } = decision;
    const { height, proposer } = block.header;
    const history = createHistory({ height, digest, proposer, certificate }, seen);
    const isBodyStored = (id: Uint8Array) => this.#storedBodies.has(toHex(id));
    const operations = blockOperations(
      this.#store,
      tip.execution,
      { certificate, justification },
      isBodyStored,
    );
    operations.push(...this.#history.operations(history));
    head.view.prepareCommit(tip.view);
    await this.#write(operations);
    this.#history.written();
    this.remember({ block, certificate, justification, digest }, blockBytes(operations));
    const { tree, pages, replay, transactions } = tip.execution;
    this.#count(tip, operations);
    tip.view.finishCommit();
    this.#pages.apply(tree);
    pages.finishCommit(this.#pages);
    this.#replay.absorb(replay);
    for (const { id } of transactions) this.#storedBodies.delete(toHex(id));
    this.#tips.advance(tip);
    this.#counters.candidates.set(this.#tips.candidateCount);
    return this.#tips.head;
  }

  /** @throws LedgerError when this block cannot follow the head as it was decided. */
  #requireCommittable(candidate: Candidate, digest: Digest, decision: Decision): CandidateTip {
    const tip = this.#tips.candidate(digest);
    if (tip === null || !equalBytes(tip.header.stateRoot, candidate.stateRoot)) {
      const code = "LEDGER_CANDIDATE_MISMATCH";
      throw new LedgerError({ code, digest }, "the block is not the candidate's");
    }
    if (!equalBytes(tip.header.parentHash, this.#tips.head.digest)) {
      const code = "LEDGER_PARENT_NOT_HEAD";
      throw new LedgerError({ code, digest }, "the block does not follow the head");
    }
    const { certificate } = decision;
    if (certificate.height !== tip.header.height || !equalBytes(certificate.digest, digest)) {
      const code = "LEDGER_CERTIFICATE_MISMATCH";
      throw new LedgerError({ code, digest }, "the certificate is for another block");
    }
    return tip;
  }

  #count(tip: CandidateTip, operations: readonly WriteOperation[]): void {
    const { receipts, writeCount, tree } = tip.execution;
    const succeeded = receipts.filter(({ status }) => status === "SUCCESS").length;
    const counters = this.#counters;
    counters.headHeight.set(tip.header.height);
    counters.blocks.add(1);
    counters.transactions.add(succeeded, { outcome: "success" });
    counters.transactions.add(receipts.length - succeeded, { outcome: "failure" });
    counters.stateWrites.add(writeCount);
    counters.pagesWritten.add(tree.pages.length);
    let sizeBytes = 0;
    for (const operation of operations) {
      sizeBytes += operation.key.length;
      if (operation.type === "put") sizeBytes += operation.value.length;
    }
    counters.commitBytes.observe(sizeBytes);
  }

  /** One synced batch. After a failure nothing is written any more: the store's state is open. */
  async #write(operations: readonly WriteOperation[]): Promise<void> {
    try {
      await this.#store.write(operations, { sync: true });
    } catch (cause) {
      this.#failure = cause;
      throw new LedgerError({ code: "LEDGER_STORE_FAILED" }, "a batch was not written", { cause });
    }
  }

  async #exclusively<T>(body: () => Promise<T>): Promise<T> {
    const run = this.#writing.then(() => {
      if (this.#failure === null) return body();
      const cause = this.#failure;
      throw new LedgerError({ code: "LEDGER_STORE_FAILED" }, "an earlier write failed", { cause });
    });
    this.#writing = run.catch(() => {});
    return run;
  }

  discard(digest: Digest): void {
    this.#tips.discard(digest);
    this.#counters.candidates.set(this.#tips.candidateCount);
  }

  async pruneStale(height: Height): Promise<number> {
    return this.#exclusively(async () => {
      const last = Math.min(height, this.#tips.head.header.height);
      const operations: WriteOperation[] = [];
      for (let at = readPruned(this.#store) + 1; at <= last; at++) {
        operations.push(...pruneOperations(this.#store, at));
      }
      if (operations.length === 0) return 0;
      await this.#write([...operations, prunedOperation(last)]);
      return operations.filter(({ space }) => space === "pages").length;
    });
  }

  async close(): Promise<void> {
    await this.#writing;
  }
}

/** What a block's own row takes, bytes. */
function blockBytes(operations: readonly WriteOperation[]): number {
  const row = operations.find(({ space }) => space === "blocks");
  return row?.type === "put" ? row.value.length : 0;
}
