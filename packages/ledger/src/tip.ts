import { createRoster, type Roster } from "@credlink/consensus-pbft";
import { type Digest, height as heightOf } from "@credlink/primitives";
import type { Block, Header } from "./block.ts";
import type { DecodedTransaction } from "./decoded-transaction.ts";
import type { Executor, StateView } from "./executor.ts";
import type { Parameters } from "./genesis.ts";
import type { Candidate, SealedCandidate } from "./ledger.ts";
import type { CandidatePages } from "./page-store.ts";
import type { Receipt } from "./receipt.ts";
import type { ReplayGuard, ReplayLayer } from "./replay-guard.ts";
import type { PageSource, TreeUpdate } from "./state-tree.ts";
import type { LayeredView, WriteSet } from "./state-view.ts";

/** What came out of executing a block, before its header exists. */
export interface Execution {
  /** Null for the genesis block. */
  readonly parent: Tip | null;
  readonly transactions: readonly DecodedTransaction[];
  readonly receipts: readonly Receipt[];
  readonly encodedReceipts: readonly Uint8Array[];
  readonly writes: WriteSet;
  readonly writeCount: number;
  readonly tree: TreeUpdate;
  readonly pages: CandidatePages;
  readonly replay: ReplayLayer;
}

/** What only a candidate has: the parts of its commit. */
export interface SealedExecution extends Execution {
  readonly block: Block;
  readonly candidate: SealedCandidate;
}

/** What the rules of a block ask of the one below it. */
export interface ParentTip {
  readonly digest: Digest;
  readonly header: Header;
  /** The state after it. */
  readonly view: StateView;
  readonly replay: ReplayGuard;
  /** V(height + 2). */
  readonly validatorsAfterNext: Roster;
}

/** A block that others may build on: the head or a sealed candidate. */
export interface Tip extends ParentTip {
  readonly view: LayeredView;
  readonly pages: PageSource;
  /** Null for the head. */
  readonly execution: SealedExecution | null;
}

/** V(h + 2) with its primaries, as the state after block h names them. */
export function rosterAfter(executor: Executor, view: StateView): Roster {
  const skipped = executor.skipped(view, heightOf(view.height + 2));
  return createRoster(executor.validators(view), skipped);
}

const parametersOf = new WeakMap<Tip, Parameters>();

/** Parameters in force for the block after a tip, asked of the executor once. */
export function parametersAfterTip(tip: Tip, executor: Executor): Parameters {
  const known = parametersOf.get(tip);
  if (known !== undefined) return known;
  const parameters = executor.parameters(tip.view);
  parametersOf.set(tip, parameters);
  return parameters;
}

/** Executions behind candidates that were handed out. */
export const executionOf = new WeakMap<Candidate, Execution>();
