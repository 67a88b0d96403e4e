import {
  type CommitCertificate,
  type Justification,
  validatorsCodec,
} from "@credlink/consensus-pbft";
import { concatBytes, encode, equalBytes } from "@credlink/primitives";
import { encodeU64 } from "./fixed-u64.ts";
import {
  decodeKeyList,
  encodeBlockRow,
  encodeKeyList,
  headOperation,
  indexKeys,
  receiptKey,
  stateRowKey,
} from "./rows.ts";
import { encodePage } from "./state-page.ts";
import type { KeyValueStore, WriteOperation } from "./store.ts";
import type { SealedExecution } from "./tip.ts";

/** Heights for which pages that went stale are kept, so that peers can still read them. */
export const STALE_PAGES_HEIGHTS = 1_000;

/** How the block of a batch was decided. */
export interface BatchDecision {
  readonly certificate: CommitCertificate;
  readonly justification: Justification | null;
}

function put(space: WriteOperation["space"], key: Uint8Array, value: Uint8Array): WriteOperation {
  return { type: "put", space, key, value };
}

/** Every row that one block adds, changes or takes away: one atomic batch. */
export function blockOperations(
  store: KeyValueStore,
  execution: SealedExecution,
  decision: BatchDecision,
  isBodyStored: (id: Uint8Array) => boolean,
): WriteOperation[] {
  const { block, candidate } = execution;
  const { height } = block.header;
  const { digest } = candidate.sealed;
  const operations: WriteOperation[] = [
    put("blocks", encodeU64(height), encodeBlockRow({ block, ...decision })),
    put("index", indexKeys.digest(digest), encodeU64(height)),
    ...transactionOperations(execution, isBodyStored),
    ...stateOperations(execution),
    ...validatorOperations(execution),
    ...pruneOperations(store, height - STALE_PAGES_HEIGHTS),
    headOperation({ height, digest }),
  ];
  return operations;
}

function transactionOperations(
  { transactions, encodedReceipts, candidate }: SealedExecution,
  isBodyStored: (id: Uint8Array) => boolean,
): WriteOperation[] {
  const operations: WriteOperation[] = [];
  for (const [index, { id, bytes }] of transactions.entries()) {
    const key = receiptKey({ height: candidate.height, index });
    const receipt = encodedReceipts[index] ?? new Uint8Array(0);
    operations.push(put("receipts", key, receipt), put("receipts", id, key));
    if (!isBodyStored(id)) operations.push(put("bodies", id, bytes));
  }
  const pairs = transactions.flatMap(({ sender, nonce }) => [sender, nonce]);
  operations.push(put("index", indexKeys.replay(candidate.height), concatBytes(...pairs)));
  return operations;
}

function stateOperations({ writes, tree, candidate }: SealedExecution): WriteOperation[] {
  const operations: WriteOperation[] = [];
  for (const { contract, key, value } of writes.all()) {
    const row = stateRowKey(contract, key);
    operations.push(
      value === null ? { type: "delete", space: "state", key: row } : put("state", row, value),
    );
  }
  for (const { key, page } of tree.pages) operations.push(put("pages", key, encodePage(page)));
  operations.push(put("index", indexKeys.stale(candidate.height), encodeKeyList(tree.stale)));
  return operations;
}

function validatorOperations({ candidate, parent }: SealedExecution): WriteOperation[] {
  const { validators, hash } = candidate.validatorsAfterNext;
  if (parent !== null && equalBytes(hash, parent.validatorsAfterNext.hash)) return [];
  return [put("index", indexKeys.validators(hash), encode(validatorsCodec, validators))];
}

/** Deletes the pages that the block at `height` made stale, and the list of them. */
export function pruneOperations(store: KeyValueStore, height: number): WriteOperation[] {
  if (height < 0) return [];
  const key = indexKeys.stale(height);
  const list = store.get("index", key);
  if (list === null) return [];
  const pages = decodeKeyList(list).map(
    (page): WriteOperation => ({ type: "delete", space: "pages", key: page }),
  );
  return [...pages, { type: "delete", space: "index", key }];
}
