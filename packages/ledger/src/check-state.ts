import { equalBytes, utf8ToText } from "@credlink/primitives";
import { stateNodeHash, statePath, stateValueDigest } from "./digests.ts";
import { LedgerError } from "./errors.ts";
import type { Finding } from "./finding.ts";
import { encodeU64 } from "./fixed-u64.ts";
import { decodeBlockRow, readHead } from "./rows.ts";
import { decodePage, LAST_LEVEL, type Page } from "./state-page.ts";
import { EMPTY_STATE_ROOT, pathBit } from "./state-proof.ts";
import { pageKey } from "./state-tree.ts";
import type { KeyValueStore } from "./store.ts";

type PageFault = { readonly key: Uint8Array; readonly detail: string };

/** What stands at the end of a path, or the page on the way that is not what it must be. */
type PathEnd =
  | { readonly fault: PageFault }
  | { readonly fault: null; readonly valueDigest: Uint8Array | null };

/** Places whose hash is not that of the nodes below them; the page's own root is computed. */
function rootOfPage(page: Page): Uint8Array | null {
  const hashAt = (place: number): Uint8Array => page[place]?.hash ?? EMPTY_STATE_ROOT;
  for (let place = LAST_LEVEL - 1; place > 1; place--) {
    const node = page[place] ?? null;
    if (node === null || node.leaf !== null) continue;
    const hash = stateNodeHash(hashAt(2 * place), hashAt(2 * place + 1));
    if (!equalBytes(hash, node.hash)) return null;
  }
  return stateNodeHash(hashAt(2), hashAt(3));
}

function readPage(store: KeyValueStore, key: Uint8Array): Page | PageFault {
  const row = store.get("pages", key);
  if (row === null) return { key, detail: "a page of the state tree is missing" };
  try {
    return decodePage(row);
  } catch (error) {
    if (error instanceof LedgerError) return { key, detail: error.message };
    throw error;
  }
}

function isFault(page: Page | PageFault): page is PageFault {
  return "detail" in page;
}

/** Follows a path from the root down, every page read from the store and hashed again. */
function followPath(
  store: KeyValueStore,
  head: number,
  root: Uint8Array,
  path: Uint8Array,
): PathEnd {
  let key = pageKey(new Uint8Array(0), 0, head);
  let page = readPage(store, key);
  if (isFault(page)) return { fault: page };
  let node = page[1] ?? null;
  if (!equalBytes(node?.hash ?? EMPTY_STATE_ROOT, root)) {
    return { fault: { key, detail: "its root is not the head's state root" } };
  }
  let place = 1;
  for (let depth = 0; node !== null && node.leaf === null; depth++) {
    if (place >= LAST_LEVEL) {
      key = pageKey(path, depth, node.pageHeight);
      page = readPage(store, key);
      if (isFault(page)) return { fault: page };
      place = 1;
    }
    if (place === 1) {
      const hash = rootOfPage(page);
      if (hash === null || !equalBytes(hash, node.hash)) {
        return { fault: { key, detail: "its nodes do not hash to what is above them" } };
      }
    }
    place = 2 * place + pathBit(path, depth);
    node = page[place] ?? null;
  }
  const isOwn = node !== null && node.leaf !== null && equalBytes(node.leaf.path, path);
  return { fault: null, valueDigest: isOwn ? (node?.leaf?.valueDigest ?? null) : null };
}

/** Root and height of the stored head; null when its row is damaged: another check names it. */
function headOf(store: KeyValueStore) {
  try {
    const head = readHead(store);
    const key = head && encodeU64(head.height);
    const row = key && store.get("blocks", key);
    if (head === null || key === null || row === null) return null;
    return { height: head.height, stateRoot: decodeBlockRow(key, row).block.header.stateRoot };
  } catch (error) {
    if (error instanceof LedgerError) return null;
    throw error;
  }
}

/** How often a row that a commit overtook is read again. */
const ATTEMPTS = 10;

/**
 * Holds one row of state against the stored head's state root: value against leaf, leaf against
 * page, page against page, up to the root. Nothing is taken from memory. Null when all agree.
 *
 * @param row key in the space `state`.
 */
export function checkStateRow(store: KeyValueStore, row: Uint8Array): Finding | null {
  const length = row[0] ?? 0;
  const stateKey = row.slice(1 + length);
  let contract: string;
  try {
    contract = utf8ToText(row.subarray(1, 1 + length));
  } catch {
    const detail = "a state value of no contract";
    return { code: "LEDGER_VERIFY_ROW_UNKNOWN", space: "state", key: row, detail };
  }
  const path = statePath(contract, stateKey);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const head = headOf(store);
    if (head === null) return null;
    const end = followPath(store, head.height, head.stateRoot, path);
    const value = store.get("state", row);
    // A commit between these reads gives values of one block and pages of another.
    if (headOf(store)?.height !== head.height) continue;
    if (end.fault !== null) {
      const { key, detail } = end.fault;
      return { code: "LEDGER_VERIFY_ROW_ALTERED", space: "pages", key, detail };
    }
    const place = { space: "state", key: row, contract, stateKey } as const;
    const { valueDigest } = end;
    if (value === null && valueDigest === null) return null;
    if (value === null) {
      return { ...place, code: "LEDGER_VERIFY_ROW_MISSING", detail: "a state value" };
    }
    if (valueDigest === null) {
      return { ...place, code: "LEDGER_VERIFY_ROW_UNKNOWN", detail: "a state value" };
    }
    if (equalBytes(stateValueDigest(value), valueDigest)) return null;
    return { ...place, code: "LEDGER_VERIFY_ROW_ALTERED", detail: "a state value" };
  }
  return null;
}
