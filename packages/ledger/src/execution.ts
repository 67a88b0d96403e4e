import { type Digest, encode, equalBytes, invariant, textOfBytes } from "@credlink/primitives";
import type { DecodedTransaction } from "./decoded-transaction.ts";
import { statePaths, stateValueDigests } from "./digests.ts";
import type {
  ExecutionContext,
  ExecutionResult,
  Executor,
  StateView,
  StateWrite,
} from "./executor.ts";
import type { Candidate, ExecutionRequest } from "./ledger.ts";
import { receiptRoot, transactionRoot } from "./merkle.ts";
import { CandidatePages } from "./page-store.ts";
import { type Receipt, receiptCodec } from "./receipt.ts";
import type { CommittedReplayGuard } from "./replay-guard.ts";
import { stateRowKey } from "./rows.ts";
import { type PageSource, updateTree } from "./state-tree.ts";
import { type ViewPlace, WriteSet } from "./state-view.ts";
import { type Execution, executionOf, rosterAfter, type Tip } from "./tip.ts";

/** The changes that really change something: writing what is there already is none. */
export function netWrites(view: StateView | null, writes: readonly StateWrite[]): StateWrite[] {
  const seen = new Set<string>();
  return writes.filter(({ contract, key, value }) => {
    const cell = textOfBytes(stateRowKey(contract, key));
    invariant(!seen.has(cell), "an executor names each changed key once");
    seen.add(cell);
    const before = view?.get(contract, key) ?? null;
    if (before === null || value === null) return before !== value;
    return !equalBytes(before, value);
  });
}

/** Updates the state tree of `parentHeight` (null: the empty tree) by net changes. */
export function updateStateTree(
  pages: PageSource,
  parentHeight: number | null,
  height: number,
  writes: readonly StateWrite[],
) {
  const paths = statePaths(writes);
  const valueDigests = stateValueDigests(writes.flatMap(({ value }) => value ?? []));
  let next = 0;
  const changes = writes.map(({ value }, i) => ({
    path: paths[i] as Digest,
    valueDigest: value === null ? null : (valueDigests[next++] as Digest),
  }));
  return updateTree(pages, parentHeight, height, changes);
}

/** What executing needs beyond the request. */
export interface ExecutionParts {
  readonly executor: Executor;
  readonly replay: CommittedReplayGuard;
  readonly context: ExecutionContext;
  readonly parent: Tip;
  /** Place of a view whose block has no header yet. */
  readonly unsealed: (root: ViewPlace["root"]) => ViewPlace;
}

/** Executes transactions on a tip. Nothing is written, nothing is registered. */
export async function executeOn(
  request: ExecutionRequest,
  { executor, replay, context, parent, unsealed }: ExecutionParts,
): Promise<Candidate> {
  const { height, transactions } = request;
  const result = await executor.execute(parent.view, context, transactions);
  const encodedReceipts = encodeReceipts(transactions, result.receipts);
  const net = netWrites(parent.view, result.writes);
  const tree = updateStateTree(parent.pages, height - 1, height, net);
  const writes = new WriteSet(net);
  const layer = replay.layer(parent.replay, height);
  for (const { sender, nonce } of transactions) layer.add(sender, nonce);
  const view = parent.view.overlay(unsealed(tree.root), writes);
  const validatorsAfterNext = rosterAfter(executor, view);
  const candidate = candidateOf(request, result, { encodedReceipts, view, validatorsAfterNext });
  const execution: Execution = {
    parent,
    transactions,
    receipts: result.receipts,
    encodedReceipts,
    writes,
    writeCount: net.length,
    tree,
    pages: new CandidatePages(parent.pages, tree),
    replay: layer,
  };
  executionOf.set(candidate, execution);
  return candidate;
}

/** The candidate that an execution makes; `view` has the state after it. */
export function candidateOf(
  {
    parentDigest,
    height,
    timestampMs,
    proposer,
    transactions,
    history,
    evidence = [],
  }: ExecutionRequest,
  { gasUsed, receipts }: Pick<ExecutionResult, "gasUsed" | "receipts">,
  outcome: Pick<Candidate, "view" | "validatorsAfterNext"> & {
    readonly encodedReceipts: readonly Uint8Array[];
  },
): Candidate {
  const { encodedReceipts, view, validatorsAfterNext } = outcome;
  return {
    parentDigest,
    height,
    timestampMs,
    proposer,
    transactions,
    history,
    evidence,
    transactionRoot: transactionRoot(transactions.map(({ id }) => id)),
    transactionCount: transactions.length,
    gasUsed,
    stateRoot: view.root,
    receiptRoot: receiptRoot(encodedReceipts),
    receipts,
    validatorsAfterNext,
    view,
    sealed: null,
  };
}

/** The receipts as they are stored and rooted: one a transaction, in their order. */
export function encodeReceipts(
  transactions: readonly DecodedTransaction[],
  receipts: readonly Receipt[],
): readonly Uint8Array[] {
  invariant(receipts.length === transactions.length, "one receipt a transaction");
  for (const [index, receipt] of receipts.entries()) {
    const id = transactions[index]?.id;
    invariant(id && equalBytes(receipt.transactionId, id), "receipts in the transactions' order");
  }
  return receipts.map((receipt) => encode(receiptCodec, receipt));
}
