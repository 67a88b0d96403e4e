import { type Digest, equalBytes, invariant, toHex } from "@credlink/primitives";
import { type Block, HEADER_VERSION, type Header } from "./block.ts";
import { headerDigest, historyRoot } from "./digests.ts";
import { LedgerError } from "./errors.ts";
import type { Candidate, SealedCandidate } from "./ledger.ts";
import { evidenceRoot } from "./merkle.ts";
import { executionOf, type ParentTip, type SealedExecution, type Tip } from "./tip.ts";

/** A candidate's tip: its execution is there until it is committed or forgotten. */
export type CandidateTip = Tip & { readonly execution: SealedExecution };

/** Head and sealed candidates: the blocks that others may build on. */
export class Tips {
  readonly #candidates = new Map<string, CandidateTip>();
  #head: Tip;

  constructor(head: Tip) {
    this.#head = head;
  }

  get head(): Tip {
    return this.#head;
  }

  get candidateCount(): number {
    return this.#candidates.size;
  }

  get(digest: Digest): Tip | null {
    return equalBytes(digest, this.#head.digest) ? this.#head : this.candidate(digest);
  }

  candidate(digest: Digest): CandidateTip | null {
    return this.#candidates.get(toHex(digest)) ?? null;
  }

  /** @throws LedgerError LEDGER_PARENT_UNKNOWN */
  require(digest: Digest): Tip {
    const tip = this.get(digest);
    if (tip === null) {
      const code = "LEDGER_PARENT_UNKNOWN";
      throw new LedgerError({ code, digest }, "neither the head nor a candidate");
    }
    return tip;
  }

  /** Registers a candidate under its block's digest, or answers the one that is there. */
  seal(candidate: Candidate, block: Block): CandidateTip {
    const execution = executionOf.get(candidate);
    invariant(execution?.parent, "a candidate that this ledger executed");
    const parent = this.require(candidate.parentDigest);
    const digest = headerDigest(block.header);
    const known = this.candidate(digest);
    if (known !== null) return known;
    const { height, timestampMs, stateRoot } = candidate;
    const place = { height, digest, timestampMs, root: stateRoot };
    const view = parent.view.overlay(place, execution.writes);
    const sealed: SealedCandidate = { ...candidate, view, sealed: { block, digest } };
    executionOf.set(sealed, execution);
    const tip: CandidateTip = {
      digest,
      header: block.header,
      view,
      pages: execution.pages,
      replay: execution.replay,
      validatorsAfterNext: candidate.validatorsAfterNext,
      execution: { ...execution, parent, block, candidate: sealed },
    };
    this.#candidates.set(toHex(digest), tip);
    return tip;
  }

  /** A candidate's block was committed: it is the head, and what does not build on it goes. */
  advance(tip: CandidateTip): void {
    this.#candidates.delete(toHex(tip.digest));
    // Without its execution the head holds on to no earlier block.
    this.#head = Object.assign(tip, { execution: null });
    this.#dropOrphans();
  }

  /** Forgets a candidate and those built on it. */
  discard(digest: Digest): void {
    if (this.#candidates.delete(toHex(digest))) this.#dropOrphans();
  }

  #dropOrphans(): void {
    const ascending = [...this.#candidates].sort(
      ([, a], [, b]) => a.header.height - b.header.height,
    );
    for (const [text, { header }] of ascending) {
      if (this.get(header.parentHash) === null) this.#candidates.delete(text);
    }
  }
}

/** The block that a proposer makes of an executed candidate. */
export function blockOf(chainId: string, parent: ParentTip, candidate: Candidate): Block {
  const { evidence, history } = candidate;
  const header: Header = {
    version: HEADER_VERSION,
    chainId,
    height: candidate.height,
    parentHash: candidate.parentDigest,
    timestampMs: candidate.timestampMs,
    proposer: candidate.proposer,
    transactionRoot: candidate.transactionRoot,
    transactionCount: candidate.transactionCount,
    gasUsed: candidate.gasUsed,
    stateRoot: candidate.stateRoot,
    receiptRoot: candidate.receiptRoot,
    validatorsHash: parent.header.nextValidatorsHash,
    nextValidatorsHash: parent.validatorsAfterNext.hash,
    historyRoot: historyRoot(history),
    evidenceRoot: evidenceRoot(evidence),
  };
  const transactionIds = candidate.transactions.map(({ id }) => id);
  return { header, body: { transactionIds, history, evidence } };
}
