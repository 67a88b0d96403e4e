import {
  type CommitCertificate,
  commitCertificateCodec,
  type Justification,
  justificationCodec,
} from "@credlink/consensus-pbft";
import { taggedSm3 } from "@credlink/crypto";
import {
  allocateBytes,
  type Codec,
  concatBytes,
  type Digest,
  decode,
  digestCodec,
  encode,
  equalBytes,
  type Height,
  height,
  heightCodec,
  nullable,
  struct,
  utf8,
  view,
} from "@credlink/primitives";
import { type Block, blockCodec } from "./block.ts";
import { LedgerError } from "./errors.ts";
import { decodeU64, encodeU64, putU32 } from "./fixed-u64.ts";
import type { KeyValueStore, WriteOperation } from "./store.ts";
import type { TransactionPlace } from "./transaction.ts";

/** Layout of the store; a store of another version is refused. */
export const SCHEMA_VERSION = 1;

/** Largest stored block row. */
const MAX_ROW_BYTES = 32 * 1024 * 1024;

/** A damaged or missing row; `what` is for people. */
export function corruptRow(what: string, cause?: unknown): LedgerError {
  return new LedgerError({ code: "LEDGER_STORE_CORRUPT" }, what, { cause });
}

/** `blocks`: u64 height -> the block, how it was decided, and a checksum over all of it. */
export interface BlockRow {
  readonly block: Block;
  /** Of the genesis block: height and view 0, no signatures. */
  readonly certificate: CommitCertificate;
  readonly justification: Justification | null;
}

const blockRowCodec: Codec<BlockRow> = struct({
  block: blockCodec,
  certificate: commitCertificateCodec,
  justification: nullable(justificationCodec),
});

/** What a body's history is made of: how height − 2 was decided. */
export interface HistoryRecord {
  readonly certificate: CommitCertificate;
  /** Of the deciding view, when it was above 0 and the proposer held it. */
  readonly justification: Justification | null;
}

export const historyRecordCodec: Codec<HistoryRecord> = struct({
  certificate: commitCertificateCodec,
  justification: nullable(justificationCodec),
});

const CHECKSUM_BYTES = 32;

/** Puts a digest in front of a row, so that a flipped bit is found without knowing the rest. */
function seal(domain: string, key: Uint8Array, payload: Uint8Array): Uint8Array {
  return concatBytes(taggedSm3(domain, Uint8Array.of(key.length), key, payload), payload);
}

function unseal(domain: string, key: Uint8Array, row: Uint8Array): Uint8Array {
  const payload = row.subarray(CHECKSUM_BYTES);
  const expected = taggedSm3(domain, Uint8Array.of(key.length), key, payload);
  if (!equalBytes(expected, row.subarray(0, CHECKSUM_BYTES))) {
    throw corruptRow("a row's checksum is wrong");
  }
  return payload;
}

export function encodeBlockRow(row: BlockRow): Uint8Array {
  const key = encodeU64(row.block.header.height);
  return seal("credlink/block-row/1", key, encode(blockRowCodec, row));
}

/** @throws LedgerError LEDGER_STORE_CORRUPT */
export function decodeBlockRow(key: Uint8Array, row: Uint8Array): BlockRow {
  const payload = unseal("credlink/block-row/1", key, new Uint8Array(row));
  try {
    return decode(blockRowCodec, payload, { maxBytes: MAX_ROW_BYTES });
  } catch (error) {
    throw corruptRow("a block's row does not decode", error);
  }
}

/**
 * The row of one height as it is stored; null when there is none.
 * @throws LedgerError LEDGER_STORE_CORRUPT
 */
export function readStoredBlock(store: KeyValueStore, at: number): BlockRow | null {
  const key = encodeU64(at);
  const row = store.get("blocks", key);
  return row === null ? null : decodeBlockRow(key, row);
}

/** `receipts`: u64 height ‖ u32 index -> receipt. */
export function receiptKey(place: TransactionPlace): Uint8Array {
  const key = allocateBytes(RECEIPT_KEY_BYTES);
  key.set(encodeU64(place.height));
  putU32(key, 8, place.index);
  return key;
}

/** Tells receipts from places, whose keys are transaction ids of 32 bytes. */
export const RECEIPT_KEY_BYTES = 12;

/** `receipts`: transaction id -> u64 height ‖ u32 index. */
export function decodePlace(row: Uint8Array): TransactionPlace {
  if (row.length !== RECEIPT_KEY_BYTES) throw corruptRow("a transaction's place is damaged");
  const index = new DataView(row.buffer, row.byteOffset).getUint32(8);
  return { height: height(decodeU64(row)), index };
}

/** `index` rows begin with one byte of kind. */
export const indexKeys = {
  /** -> 48 bytes (sender ‖ nonce) a transaction: what the replay guard is made of. */
  replay: (at: number) => concatBytes(Uint8Array.of(1), encodeU64(at)),
  /** -> keys of pages that the block made stale, each behind one byte of length. */
  stale: (at: number) => concatBytes(Uint8Array.of(2), encodeU64(at)),
  /** -> u64 height of the block with this digest. */
  digest: (block: Digest) => concatBytes(Uint8Array.of(3), block),
  /** -> encoded validators with this hash. */
  validators: (hash: Digest) => concatBytes(Uint8Array.of(4), hash),
} as const;

export function encodeKeyList(keys: readonly Uint8Array[]): Uint8Array {
  return concatBytes(...keys.flatMap((key) => [Uint8Array.of(key.length), key]));
}

/** @throws LedgerError LEDGER_STORE_CORRUPT */
export function decodeKeyList(row: Uint8Array): readonly Uint8Array[] {
  const keys: Uint8Array[] = [];
  for (let at = 0; at < row.length; ) {
    const length = row[at] ?? 0;
    if (at + 1 + length > row.length) throw corruptRow("a list of stale pages is damaged");
    keys.push(row.slice(at + 1, at + 1 + length));
    at += 1 + length;
  }
  return keys;
}

/** `state`: one byte of length, the contract's name, the key -> value as of the head. */
export function stateRowKey(contract: string, key: Uint8Array): Uint8Array {
  const name = utf8(contract);
  return concatBytes(Uint8Array.of(name.length), name, key);
}

/** Names of the rows in `metadata`. */
export type MetadataName = "schema" | "genesis" | "head" | "pruned" | "history";

export function metadataOperation(name: MetadataName, payload: Uint8Array): WriteOperation {
  const key = utf8(name);
  const value = seal("credlink/metadata/1", key, payload);
  return { type: "put", space: "metadata", key, value };
}

/** @throws LedgerError LEDGER_STORE_CORRUPT */
export function readMetadata(store: KeyValueStore, name: MetadataName): Uint8Array | null {
  const key = utf8(name);
  const row = store.get("metadata", key);
  return row === null ? null : unseal("credlink/metadata/1", key, row);
}

/** The last committed block. */
export interface HeadRow {
  readonly height: Height;
  readonly digest: Digest;
}

const headRowCodec: Codec<HeadRow> = struct({ height: heightCodec, digest: digestCodec });

export function headOperation(head: HeadRow): WriteOperation {
  return metadataOperation("head", encode(headRowCodec, head));
}

/** @throws LedgerError LEDGER_STORE_CORRUPT */
export function readHead(store: KeyValueStore): HeadRow | null {
  const payload = readMetadata(store, "head");
  return payload === null ? null : decode(headRowCodec, payload);
}

/** Highest height whose stale pages are deleted; −1 for none. */
export function readPruned(store: KeyValueStore): number {
  const payload = readMetadata(store, "pruned");
  return payload === null ? -1 : decodeU64(payload);
}

export function prunedOperation(pruned: number): WriteOperation {
  return metadataOperation("pruned", encodeU64(pruned));
}

/** A certificate that stands in for the genesis block's, which nobody voted on. */
export function genesisCertificate(block: Digest): CommitCertificate {
  return { height: height(0), view: view(0), digest: block, signatures: [] };
}
