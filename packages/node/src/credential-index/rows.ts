import {
  CREDENTIAL_CONTRACT,
  type CredentialRelation,
  type CredentialType,
  credentialRelations,
  credentialTypes,
  SUBMITTED_TOPIC,
  submittedEventCodec,
} from "@credlink/contracts";
import { type Event, type Receipt, SUCCESS, type WriteOperation } from "@credlink/ledger";
import {
  bytes,
  type Codec,
  concatBytes,
  type Digest,
  decode,
  digestCodec,
  encode,
  type Height,
  height,
  heightCodec,
  oneOf,
  struct,
  text,
  tryDecode,
  u32,
  utf8,
  type WireValue,
  wireValue,
} from "@credlink/primitives";

/*
 * Rows of the index, all in the space "index" of a store of its own:
 *   1 ‖ parent id ‖ position -> a child of that credential
 *   2 ‖ credential id ‖ position -> an event that names it
 * A position is u64 height ‖ u32 place of the transaction ‖ u16 place of the event, so that rows
 * of one credential stand in the chain's order.
 */

/** Version of the rows; an index of another one is built anew. */
export const INDEX_VERSION = 1;

export const POSITION_BYTES = 14;
const ID_BYTES = 32;
const kinds = { child: 1, event: 2 } as const;
export type RowKind = keyof typeof kinds;

/** Where an event stands in the chain. */
export interface Position {
  readonly height: Height;
  /** Place of the transaction in its block. */
  readonly index: number;
  /** Place of the event in its receipt. */
  readonly event: number;
}

export function encodePosition(position: Position): Uint8Array {
  const row = new Uint8Array(POSITION_BYTES);
  const numbers = new DataView(row.buffer);
  numbers.setBigUint64(0, BigInt(position.height));
  numbers.setUint32(8, position.index);
  numbers.setUint16(12, position.event);
  return row;
}

/** @param row `POSITION_BYTES` long. */
export function decodePosition(row: Uint8Array): Position {
  const numbers = new DataView(row.buffer, row.byteOffset, row.length);
  return {
    height: height(Number(numbers.getBigUint64(0))),
    index: numbers.getUint32(8),
    event: numbers.getUint16(12),
  };
}

/** Everything of one credential that stands before `position`. */
export function rowKey(kind: RowKind, id: Uint8Array, position: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(kinds[kind]), id, position);
}

export function positionOf(key: Uint8Array): Uint8Array {
  return key.subarray(1 + ID_BYTES);
}

/** What a row of a parent says of its child. */
export interface ChildRow {
  readonly id: Uint8Array;
  readonly type: CredentialType;
  readonly relation: CredentialRelation;
}

const childRowCodec: Codec<ChildRow> = struct({
  id: bytes(ID_BYTES),
  type: oneOf(...credentialTypes),
  relation: oneOf(...credentialRelations),
});
export const decodeChild = (row: Uint8Array): ChildRow => decode(childRowCodec, row);

/** What a row of a credential says of an event that names it. */
export interface EventRow {
  readonly topic: string;
  readonly transactionId: Digest;
}

const eventRowCodec: Codec<EventRow> = struct({ topic: text(64), transactionId: digestCodec });
export const decodeEvent = (row: Uint8Array): EventRow => decode(eventRowCodec, row);

/** How far the index goes, and on which chain. */
export interface IndexHead {
  readonly version: number;
  readonly genesisDigest: Digest;
  readonly height: Height;
  /** Of the block at `height`: an index of another branch or chain is built anew. */
  readonly digest: Digest;
}

export const indexHeadCodec: Codec<IndexHead> = struct({
  version: u32,
  genesisDigest: digestCodec,
  height: heightCodec,
  digest: digestCodec,
});
export const INDEX_HEAD_KEY = utf8("head");

/** The credential that an event of the contract names: each one's data begin with its id. */
function subjectOf(event: Event): Uint8Array | null {
  const data = tryDecode(wireValue, event.data);
  const first: WireValue | undefined =
    data.ok && Array.isArray(data.value) ? data.value[0] : undefined;
  return first instanceof Uint8Array && first.length === ID_BYTES ? first : null;
}

/**
 * The rows that a block's receipts add. Events of other contracts are passed over, and so are
 * those that do not name a credential.
 */
export function rowsOfBlock(at: Height, receipts: readonly Receipt[]): WriteOperation[] {
  const rows: WriteOperation[] = [];
  const put = (key: Uint8Array, value: Uint8Array): void => {
    rows.push({ type: "put", space: "index", key, value });
  };
  for (const [index, { status, events, transactionId }] of receipts.entries()) {
    if (status !== SUCCESS) continue;
    for (const [place, event] of events.entries()) {
      if (event.contract !== CREDENTIAL_CONTRACT) continue;
      const id = subjectOf(event);
      if (id === null) continue;
      const { topic } = event;
      const position = encodePosition({ height: at, index, event: place });
      put(rowKey("event", id, position), encode(eventRowCodec, { topic, transactionId }));
      if (topic !== SUBMITTED_TOPIC) continue;
      const submitted = tryDecode(submittedEventCodec, event.data);
      if (!submitted.ok) continue;
      const { type, parents } = submitted.value;
      for (const { id: parent, relation } of parents) {
        put(rowKey("child", parent, position), encode(childRowCodec, { id, type, relation }));
      }
    }
  }
  return rows;
}
