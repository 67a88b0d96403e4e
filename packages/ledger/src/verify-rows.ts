import { concatBytes, equalBytes, type Height, height, utf8ToText } from "@credlink/primitives";
import { transactionId } from "./digests.ts";
import type { Finding } from "./finding.ts";
import { decodeU64 } from "./fixed-u64.ts";
import { RECEIPT_KEY_BYTES } from "./rows.ts";
import { type KeyValueStore, type Space, spaces } from "./store.ts";

/** How much of the store the scratch store can vouch for. */
export type VerifyScope =
  | { readonly type: "whole" }
  /** Only rows of blocks up to `last`. */
  | { readonly type: "up-to"; readonly last: Height };

const PAGE_ROWS = 1_000;

/** Every row of a space, read in pages. */
export async function* rowsOf(store: KeyValueStore, space: Space) {
  let from: Uint8Array = new Uint8Array(0);
  for (;;) {
    const rows = await store.range(space, { from, limit: PAGE_ROWS });
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_ROWS) return;
    from = concatBytes(last[0], Uint8Array.of(0));
  }
}

/** Compares stored rows with those that the chain led to in the scratch store. */
export async function compareStores(
  store: KeyValueStore,
  scratch: KeyValueStore,
  scope: VerifyScope,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const space of spaces) {
    if (space === "history") continue;
    for await (const [key, value] of rowsOf(store, space)) {
      const expected = scratch.get(space, key);
      if (expected !== null) {
        if (isInScope(space, key, scope) && !equalBytes(expected, value)) {
          findings.push(describeRow("LEDGER_VERIFY_ROW_ALTERED", space, key));
        }
      } else if (isUnknown(space, key, value, scope)) {
        findings.push(describeRow("LEDGER_VERIFY_ROW_UNKNOWN", space, key));
      }
    }
    for await (const [key] of rowsOf(scratch, space)) {
      // Blocks and bodies that are missing were met while walking.
      if (space === "bodies" || !isInScope(space, key, scope)) continue;
      if (store.get(space, key) === null) {
        findings.push(describeRow("LEDGER_VERIFY_ROW_MISSING", space, key));
      }
    }
  }
  return findings;
}

/** Whether the scratch store knows what this row must be. */
function isInScope(space: Space, key: Uint8Array, scope: VerifyScope): boolean {
  if (isHistoryAnchor(space, key)) return false;
  if (scope.type === "whole") return true;
  switch (space) {
    case "blocks":
    case "bodies":
      return true;
    case "receipts":
      return true;
    case "index":
      // Stale lists go when they are old, and the scratch chain is not as old as the stored one.
      return key[0] !== STALE_KIND;
    case "metadata":
      return !equalText(key, "head") && !equalText(key, "pruned");
    default:
      return false;
  }
}

const STALE_KIND = 2;

/** How much history is kept is each node's own choice; `verifyConsensusHistory` judges it. */
function isHistoryAnchor(space: Space, key: Uint8Array): boolean {
  return space === "metadata" && equalText(key, "history");
}

function equalText(key: Uint8Array, text: string): boolean {
  return key.length === text.length && String.fromCharCode(...key) === text;
}

/** Whether a row that the scratch store does not have has no business in the store. */
function isUnknown(space: Space, key: Uint8Array, value: Uint8Array, scope: VerifyScope): boolean {
  if (isHistoryAnchor(space, key)) return false;
  // A body may belong to a block that was prepared and lost: it vouches for itself.
  if (space === "bodies") return !equalBytes(transactionId(value), key);
  if (scope.type === "whole") return true;
  const at = heightOfRow(space, key);
  if (space === "metadata") return !equalText(key, "pruned");
  if (space === "blocks") return at === undefined;
  return at !== undefined && at <= scope.last && space === "receipts";
}

/** The block that a row belongs to by its key. */
function heightOfRow(space: Space, key: Uint8Array): Height | undefined {
  const at =
    space === "blocks" && key.length === 8
      ? key
      : space === "receipts" && key.length === RECEIPT_KEY_BYTES
        ? key
        : space === "index" && key.length === 9
          ? key.subarray(1)
          : space === "pages" && key.length > 8
            ? key.subarray(key.length - 8)
            : null;
  if (at === null) return undefined;
  try {
    return height(decodeU64(at));
  } catch {
    return undefined;
  }
}

function describeRow(code: Finding["code"], space: Space, key: Uint8Array): Finding {
  const at = heightOfRow(space, key);
  const place = at === undefined ? {} : { height: at };
  if (space !== "state") return { code, space, key, ...place, detail: nameOf(space, key) };
  const length = key[0] ?? 0;
  try {
    const contract = utf8ToText(key.subarray(1, 1 + length));
    return { code, space, key, contract, stateKey: key.slice(1 + length), detail: "a state value" };
  } catch {
    return { code, space, key, detail: "a state value of no contract" };
  }
}

function nameOf(space: Space, key: Uint8Array): string {
  switch (space) {
    case "pages":
      return `a page of the state tree, ${4 * (key[0] ?? 0)} levels down`;
    case "receipts":
      return key.length === RECEIPT_KEY_BYTES ? "a receipt" : "the place of a transaction";
    case "index":
      return INDEX_NAMES[(key[0] ?? 0) - 1] ?? "an index row of no kind";
    case "metadata":
      return "a fact about the store";
    default:
      return `a row of ${space}`;
  }
}

const INDEX_NAMES = [
  "the nonces of a block",
  "the stale pages of a block",
  "the height of a block's digest",
  "a list of validators",
] as const;
