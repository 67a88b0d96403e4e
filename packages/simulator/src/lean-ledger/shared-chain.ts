import { createRoster } from "@credlink/consensus-pbft";
import {
  type Block,
  type BlockRefusalCode,
  type Candidate,
  createReplayGuard,
  type ExecutionRequest,
  type Executor,
  type Genesis,
  genesisDigest,
  headerDigest,
  judgeBlockEvidence,
  type ProposalCheck,
  type SealedCandidate,
  transactionId,
} from "@credlink/ledger";
import {
  blockOf,
  candidateOf,
  encodeReceipts,
  executionContext,
  genesisHeader,
  historySigners,
  isSameBody,
  judgeBlock,
  LAST_HEIGHT_WITHOUT_HISTORY,
  netWrites,
  rosterAfter,
  validatorsOfGenesis,
} from "@credlink/ledger/rules";
import {
  accept,
  type Digest,
  equalBytes,
  invariant,
  type Result,
  digest as toDigest,
  height as toHeight,
  toHex,
} from "@credlink/primitives";
import { ancestorAt, BranchIndex, nonceKey, replayGuardOf, type SharedTip } from "./branches.ts";
import { type ChainedPlace, ChainedView, cellOf, chainedRoot } from "./chained-view.ts";
import { validatorsOn } from "./validators-on.ts";

/** Whether the transactions at hand are those that the block names. */
function isWhole({ block, transactions }: ProposalCheck): boolean {
  const ids = block.body.transactionIds;
  return (
    transactions.length === ids.length &&
    transactions.every((input, at) => {
      const id = input instanceof Uint8Array ? transactionId(input) : input.id;
      return equalBytes(id, ids[at] ?? UNSEALED);
    })
  );
}

const UNSEALED = toDigest(new Uint8Array(32));
const NO_ROOT = new Uint8Array(32);

/** What came of judging a block, and whether it was executed for it. */
export interface SharedVerdict {
  readonly result: Result<Candidate, BlockRefusalCode>;
  readonly isExecuted: boolean;
}

/**
 * All blocks of a run and the states after them. A block is executed by who builds it and once
 * more by the first who judges it, by the ledger's own rules; to the others of the same parent it
 * can only be the same. What each node knows, holds durable and builds upon is its own.
 */
export class SharedChain {
  readonly genesis: Genesis;
  readonly genesisDigest: Digest;
  readonly root: SharedTip;
  readonly executor: Executor;
  readonly #tips = new Map<string, SharedTip>();
  readonly #cells = new BranchIndex<Uint8Array | null>();
  readonly #used = new BranchIndex<true>();
  /** Digest of a header, and whether a certificate proves it -> what was said of bodies so far. */
  readonly #verdicts = new Map<
    string,
    { readonly block: Block; readonly verdict: Promise<SharedVerdict> }[]
  >();
  readonly #layers = createReplayGuard();

  constructor(genesis: Genesis, executor: Executor) {
    this.genesis = genesis;
    this.genesisDigest = genesisDigest(genesis);
    this.executor = executor;
    this.root = this.#createRoot();
  }

  tip(digest: Digest): SharedTip | null {
    return this.#tips.get(toHex(digest)) ?? null;
  }

  #createRoot(): SharedTip {
    const { genesis, executor } = this;
    const writes = netWrites(null, executor.genesis(genesis));
    const validators = validatorsOfGenesis(genesis);
    const stateRoot = chainedRoot(NO_ROOT, writes);
    const header = genesisHeader(genesis, validators, stateRoot);
    const block: Block = {
      header,
      body: { transactionIds: [], history: new Uint8Array(0), evidence: [] },
    };
    const { height, timestampMs, parentHash: parentDigest, proposer } = header;
    const place = { height, digest: headerDigest(header), timestampMs, root: stateRoot };
    const view = new ChainedView(place, this.#cells, null, writes);
    const { history } = block.body;
    const request = { parentDigest, height, timestampMs, proposer, transactions: [], history };
    const outcome = {
      encodedReceipts: [],
      view,
      validatorsAfterNext: rosterAfter(executor, view),
    };
    const candidate = candidateOf(request, { gasUsed: 0, receipts: [] }, outcome);
    return this.#register(null, { ...candidate, view, sealed: { block, digest: place.digest } });
  }

  /** Executes on a block that is known. */
  async execute(request: ExecutionRequest, parent: SharedTip): Promise<Candidate> {
    const { executor, genesisDigest: chain, genesis } = this;
    const { height, timestampMs, transactions, history, evidence = [] } = request;
    const judged = judgeBlockEvidence(evidence, this.#evidenceContext(parent));
    invariant(judged.ok, "evidence is judged before it is executed");
    const hasHistory = history.length > 0;
    const signedBy = hasHistory ? (validatorsOn(parent, height - 2)?.validators ?? []) : [];
    const signers = historySigners(history, signedBy);
    const context = executionContext(request, {
      chainId: genesis.chainId,
      genesisDigest: chain,
      roster: parent.nextRoster,
      branch: (at) => ancestorAt(parent, at)?.digest ?? null,
      signers,
      misbehaviours: judged.value.map(({ misbehaviour }) => misbehaviour),
    });
    const result = await executor.execute(parent.view, context, transactions);
    const encodedReceipts = encodeReceipts(transactions, result.receipts);
    const writes = netWrites(parent.view, result.writes);
    const root = chainedRoot(parent.view.root, writes);
    const place = { height, digest: UNSEALED, timestampMs, root };
    const view = new ChainedView(place, this.#cells, parent, writes);
    const validatorsAfterNext = rosterAfter(executor, view);
    return candidateOf(request, result, { encodedReceipts, view, validatorsAfterNext });
  }

  /** The block that a proposer makes of a candidate. */
  build(candidate: Candidate, parent: SharedTip): SharedTip {
    return this.seal(candidate, parent, blockOf(this.genesis.chainId, parent, candidate));
  }

  /** The tip of a candidate's block; the one that is there when somebody made it before. */
  seal(candidate: Candidate, parent: SharedTip, block: Block): SharedTip {
    const digest = headerDigest(block.header);
    const known = this.tip(digest);
    if (known !== null && isSameBody(known.candidate.sealed.block, block)) return known;
    const { height, timestampMs, stateRoot: root, view: unsealed } = candidate;
    invariant(unsealed instanceof ChainedView, "a candidate of this chain");
    const place: ChainedPlace = { height, digest, timestampMs, root };
    const view = new ChainedView(place, this.#cells, parent, unsealed.writes);
    return this.#register(parent, { ...candidate, view, sealed: { block, digest } });
  }

  #register(parent: SharedTip | null, candidate: SealedCandidate): SharedTip {
    const { executor } = this;
    const { view, validatorsAfterNext, sealed } = candidate;
    invariant(view instanceof ChainedView, "a candidate of this chain");
    const { header } = sealed.block;
    const next = toHeight(header.height + 1);
    const skipped = executor.skipped(view, next);
    const tip: SharedTip = {
      digest: sealed.digest,
      header,
      view,
      replay: replayGuardOf(this.#used, () => tip),
      validatorsAfterNext,
      parent,
      candidate,
      parameters: executor.parameters(view),
      nextRoster: createRoster(parent?.validatorsAfterNext ?? validatorsAfterNext, skipped),
    };
    this.#tips.set(toHex(sealed.digest), tip);
    for (const { contract, key, value } of view.writes) {
      this.#cells.add(cellOf(contract, key), tip, value);
    }
    for (const { sender, nonce } of candidate.transactions) {
      this.#used.add(nonceKey(sender, nonce), tip, true);
    }
    return tip;
  }

  /** What the ledger's rules say of a block on a parent: said once of the same block and bodies. */
  judge(check: ProposalCheck, parent: SharedTip): Promise<SharedVerdict> {
    const { block, isProven = false } = check;
    // A liar's wrong bodies say nothing about the block.
    if (!isWhole(check)) return this.#judge(check, parent);
    const name = `${toHex(headerDigest(block.header))}/${isProven}`;
    const known = this.#verdicts.get(name) ?? [];
    this.#verdicts.set(name, known);
    const same = known.find((one) => isSameBody(one.block, block));
    if (same !== undefined) return same.verdict;
    const verdict = this.#judge(check, parent);
    known.push({ block, verdict });
    return verdict;
  }

  async #judge(check: ProposalCheck, parent: SharedTip): Promise<SharedVerdict> {
    const { header } = check.block;
    const hasHistory = header.height > LAST_HEIGHT_WITHOUT_HISTORY;
    let isExecuted = false;
    const result = await judgeBlock(check, {
      parent,
      rules: {
        chainId: this.genesis.chainId,
        parent,
        validators: parent.nextRoster,
        nextValidators: parent.validatorsAfterNext,
        parameters: parent.parameters,
        grandparent: hasHistory ? parent.parent : null,
      },
      historyValidators: hasHistory ? validatorsOn(parent, header.height - 2) : null,
      genesisDigest: this.genesisDigest,
      replay: this.#layers,
      evidence: this.#evidenceContext(parent),
      execute: (request) => {
        isExecuted = true;
        return this.execute(request, parent);
      },
    });
    return { result: result.ok ? accept(result.value) : result, isExecuted };
  }

  #evidenceContext(parent: SharedTip) {
    const height = toHeight(parent.header.height + 1);
    return {
      parent: parent.view,
      height,
      validatorsOn: (at: number) => validatorsOn(parent, at),
    };
  }
}
