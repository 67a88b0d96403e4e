import {
  blockCodec,
  createMemoryStore,
  type MemoryStoreSnapshot,
  readStoredBlock,
  type Space,
} from "@credlink/ledger";
import { encode, equalBytes, toHex, utf8 } from "@credlink/primitives";
import { CheckFailure } from "./checker-errors.ts";

/** Rows by space and key, values as bytes or as digests of them. */
type Rows = ReadonlyMap<string, Uint8Array>;

/** Metadata that depends on what the node was told to keep, not on the chain. */
const LOCAL_METADATA = new Set(["pruned", "history"].map((name) => toHex(utf8(name))));
/** What each node saw of the consensus is its own. */
const LOCAL_SPACES = new Set<Space>(["history"]);

/** A store's contents at one head height. */
export interface StoreContents {
  readonly node: string;
  readonly height: number;
  readonly contents: MemoryStoreSnapshot;
}

/**
 * Equal stores (I14): nodes with the same head hold the same bytes, all of them. Local are only: how
 * a block was decided (any q signatures do, of any view), bodies of transactions that no block
 * holds, what was pruned, and the history of what was seen.
 *
 * @param rowsOf picks from a store what is not local.
 * @throws CheckFailure I14
 */
export function compareStores(
  stores: readonly StoreContents[],
  rowsOf: (contents: MemoryStoreSnapshot) => Rows,
): void {
  const known = new Map<number, { readonly node: string; readonly rows: Rows }>();
  for (const store of stores) {
    const rows = rowsOf(store.contents);
    const first = known.get(store.height);
    if (first === undefined) known.set(store.height, { node: store.node, rows });
    else compareRows(store.height, first, { node: store.node, rows });
  }
}

function compareRows(
  height: number,
  a: { readonly node: string; readonly rows: Rows },
  b: { readonly node: string; readonly rows: Rows },
): void {
  for (const key of new Set([...a.rows.keys(), ...b.rows.keys()])) {
    const [one, other] = [a.rows.get(key), b.rows.get(key)];
    if (one !== undefined && other !== undefined && equalBytes(one, other)) continue;
    const text = `stores of ${a.node} and ${b.node} differ at height ${height}`;
    throw new CheckFailure("I14", `${text} in ${key}`);
  }
}

/** The rows of the real ledger that every node with the same head must have. */
export function sharedRows(contents: MemoryStoreSnapshot): Rows {
  const store = createMemoryStore({ handedOver: true });
  store.restore(contents);
  const shared = new Map<string, Uint8Array>();
  for (const [space, rows] of contents) {
    if (LOCAL_SPACES.has(space)) continue;
    for (const [key, value] of rows) {
      const name = toHex(key);
      if (space === "metadata" && LOCAL_METADATA.has(name)) continue;
      if (space === "bodies" && store.get("receipts", key) === null) continue;
      shared.set(`${space}/${name}`, value);
    }
  }
  const heights = contents.get("blocks")?.length ?? 0;
  for (let at = 0; at < heights; at++) {
    const row = readStoredBlock(store, at);
    if (row === null) throw new CheckFailure("I14", `no block ${at} among ${heights}`);
    shared.set(`blocks/${at.toString(16).padStart(16, "0")}`, encode(blockCodec, row.block));
  }
  return shared;
}
