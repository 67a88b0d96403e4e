import {
  type CommitCertificate,
  commitCertificateCodec,
  MESSAGE_TAGS,
  type Statement,
  statementCodec,
} from "@credlink/consensus-pbft";
import { taggedSm3 } from "@credlink/crypto";
import {
  type Codec,
  concatBytes,
  type Digest,
  decode,
  digestCodec,
  digest as digestOf,
  encode,
  equalBytes,
  type Height,
  heightCodec,
  list,
  struct,
  u32,
  type ValidatorIndex,
  validatorIndexCodec,
} from "@credlink/primitives";
import { encodeU64 } from "./fixed-u64.ts";
import { corruptRow } from "./rows.ts";

/** Statements of one height that a row keeps at most. */
export const MAX_HISTORY_STATEMENTS = 4_096;
/** Weight of the statements that a row keeps at most, bytes. */
export const MAX_HISTORY_BYTES = 1024 * 1024;
/** Largest row: the statements, their frames, and a certificate of the most validators. */
const MAX_HISTORY_ROW_BYTES = 2 * MAX_HISTORY_BYTES;
const LINK_BYTES = 32;

/** What one node saw of how one height was decided. */
export interface ConsensusHistory {
  readonly height: Height;
  /** Of the block that was decided. */
  readonly digest: Digest;
  /** Its proposer, by index in V(height). */
  readonly proposer: ValidatorIndex;
  /** Its view is the one that decided. */
  readonly certificate: CommitCertificate;
  /** Verified statements, by view, type, sender and digest. */
  readonly statements: readonly Statement[];
  /** Statements that were seen and not kept: a row has bounds. */
  readonly dropped: number;
}

/** A stored history and its link, which also binds all rows below it. */
export interface LinkedHistory {
  readonly history: ConsensusHistory;
  readonly link: Digest;
  /** The link of the row below, which this one goes on from. */
  readonly below: Digest;
}

/** What the node saw signed about one height; every signature was verified. */
export interface SeenStatements {
  readonly statements: readonly Statement[];
  readonly dropped: number;
}

export const consensusHistoryCodec: Codec<ConsensusHistory> = struct({
  height: heightCodec,
  digest: digestCodec,
  proposer: validatorIndexCodec,
  certificate: commitCertificateCodec,
  statements: list(statementCodec, MAX_HISTORY_STATEMENTS),
  dropped: u32,
});

const SIGNED_BYTES = 160;
const INDEXED_SIGNATURE_BYTES = 70;

/** What a statement weighs at most, bytes. */
export function statementBytes(statement: Statement): number {
  if (statement.type === "view-change") {
    return SIGNED_BYTES + INDEXED_SIGNATURE_BYTES * (statement.prepared?.signatures.length ?? 0);
  }
  if (statement.type !== "pre-prepare" || statement.justification === null) return SIGNED_BYTES;
  const { viewChanges, prepared } = statement.justification;
  const signatures = prepared?.signatures.length ?? 0;
  return SIGNED_BYTES * (2 + viewChanges.length) + INDEXED_SIGNATURE_BYTES * signatures;
}

/** Orders by view, type, sender. */
function compareStatements(a: Statement, b: Statement): number {
  return a.view - b.view || MESSAGE_TAGS[a.type] - MESSAGE_TAGS[b.type] || a.sender - b.sender;
}

/**
 * The history of a decided block. Where statements are too many, those of the lowest views go:
 * the deciding view is told whole.
 */
export function createHistory(
  decided: Pick<ConsensusHistory, "height" | "digest" | "proposer" | "certificate">,
  seen: SeenStatements,
): ConsensusHistory {
  const ordered = [...seen.statements].sort(compareStatements);
  let first = ordered.length;
  let sizeBytes = 0;
  while (first > 0 && ordered.length - first < MAX_HISTORY_STATEMENTS) {
    const next = ordered[first - 1];
    sizeBytes += next === undefined ? 0 : statementBytes(next);
    if (sizeBytes > MAX_HISTORY_BYTES) break;
    first -= 1;
  }
  const { height, digest, proposer, certificate } = decided;
  const dropped = seen.dropped + first;
  return { height, digest, proposer, certificate, statements: ordered.slice(first), dropped };
}

/** Link of a row: it binds the row's payload and, through the link below, all rows before. */
export function historyLink(previous: Digest, payload: Uint8Array): Digest {
  return taggedSm3("credlink/consensus-history/1", previous, payload);
}

/** `history`: u64 height -> the row's link, then the encoded history. */
export function encodeHistoryRow(
  previous: Digest,
  history: ConsensusHistory,
): { readonly key: Uint8Array; readonly row: Uint8Array; readonly link: Digest } {
  const payload = encode(consensusHistoryCodec, history);
  const link = historyLink(previous, payload);
  return { key: encodeU64(history.height), row: concatBytes(link, payload), link };
}

/** A stored row, taken apart; its link is not checked. @throws LedgerError LEDGER_STORE_CORRUPT */
export function splitHistoryRow(row: Uint8Array): {
  readonly link: Digest;
  readonly payload: Uint8Array;
} {
  if (row.length <= LINK_BYTES) throw corruptRow("a row of history is too short");
  return { link: digestOf(row.slice(0, LINK_BYTES)), payload: row.slice(LINK_BYTES) };
}

/** @throws LedgerError LEDGER_STORE_CORRUPT */
export function decodeHistory(at: Height, payload: Uint8Array): ConsensusHistory {
  let history: ConsensusHistory;
  try {
    history = decode(consensusHistoryCodec, payload, { maxBytes: MAX_HISTORY_ROW_BYTES });
  } catch (error) {
    throw corruptRow(`the history of height ${at} does not decode`, error);
  }
  if (history.height !== at) throw corruptRow(`the history of height ${at} is another one`);
  return history;
}

/** The history in a row whose link holds. @throws LedgerError LEDGER_STORE_CORRUPT */
export function openHistoryRow(previous: Digest, at: Height, row: Uint8Array): LinkedHistory {
  const { link, payload } = splitHistoryRow(row);
  if (!equalBytes(link, historyLink(previous, payload))) {
    throw corruptRow(`the history of height ${at} does not link to the one below it`);
  }
  return { history: decodeHistory(at, payload), link, below: previous };
}
