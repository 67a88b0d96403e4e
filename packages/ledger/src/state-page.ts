import { digest } from "@credlink/primitives";
import { LedgerError } from "./errors.ts";
import { u64At } from "./fixed-u64.ts";
import { leafNode, type TreeNode } from "./state-nodes.ts";

/** Levels of the tree in one page; `PAGE_NODES` is the first place beyond its last level. */
export const PAGE_LEVELS = 4;
export const PAGE_NODES = 32;
/** Nodes from this place on are on the page's last level: their children are in other pages. */
export const LAST_LEVEL = 16;

/**
 * Four levels of the tree. Place 1 is the page's own root (kept in the top page only, elsewhere
 * the page above holds it), the children of place p are at 2p and 2p + 1.
 */
export type Page = readonly (TreeNode | null)[];

/** A page to be filled. */
export function emptyPage(): (TreeNode | null)[] {
  return new Array<TreeNode | null>(PAGE_NODES).fill(null);
}

const HEAD_BYTES = 8;
const MAX_PAGE_BYTES = HEAD_BYTES + 64 * PAGE_NODES;

/**
 * Bytes of a page: u32 which places are taken, u32 which of those are leaves (bit p is place p),
 * then by ascending place: a leaf's path and value digest, an inner node's hash, and on the last
 * level the u64 height of the page below it.
 */
export function encodePage(page: Page): Uint8Array {
  let taken = 0;
  let leaves = 0;
  let at = HEAD_BYTES;
  const put = (part: Uint8Array): void => {
    draft.set(part, at);
    at += part.length;
  };
  for (let place = 1; place < PAGE_NODES; place++) {
    const node = page[place] ?? null;
    if (node === null) continue;
    taken |= 1 << place;
    if (node.leaf !== null) {
      leaves |= 1 << place;
      put(node.leaf.path);
      put(node.leaf.valueDigest);
      continue;
    }
    put(node.hash);
    if (place < LAST_LEVEL) continue;
    draftView.setUint32(at, Math.floor(node.pageHeight / 2 ** 32));
    draftView.setUint32(at + 4, node.pageHeight >>> 0);
    at += 8;
  }
  draftView.setUint32(0, taken >>> 0);
  draftView.setUint32(4, leaves >>> 0);
  return draft.slice(0, at);
}

// Encoding is synchronous and never re-entered, so one buffer serves every page of this thread.
const draft = new Uint8Array(MAX_PAGE_BYTES);
const draftView = new DataView(draft.buffer);

/** @throws LedgerError LEDGER_STORE_CORRUPT when the bytes are not a page. */
export function decodePage(input: Uint8Array): Page {
  const bytes = new Uint8Array(input);
  const view = new DataView(bytes.buffer);
  if (bytes.length < HEAD_BYTES) throw corrupt();
  const taken = view.getUint32(0);
  const leaves = view.getUint32(4);
  if ((taken & 1) !== 0 || (leaves & ~taken) !== 0) throw corrupt();
  const page = emptyPage();
  let at = HEAD_BYTES;
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw corrupt();
    at += length;
    return bytes.subarray(at - length, at);
  };
  for (let place = 1; place < PAGE_NODES; place++) {
    if (((taken >>> place) & 1) === 0) continue;
    if (((leaves >>> place) & 1) === 1) {
      page[place] = leafNode(take(32), take(32));
    } else {
      const hash = digest(take(32));
      const pageHeight = place >= LAST_LEVEL ? u64At(view, at) : 0;
      if (place >= LAST_LEVEL) take(8);
      page[place] = { hash, leaf: null, pageHeight };
    }
  }
  if (at !== bytes.length) throw corrupt();
  return page;
}

function corrupt(): LedgerError {
  return new LedgerError({ code: "LEDGER_STORE_CORRUPT" }, "a page of the state tree is damaged");
}
