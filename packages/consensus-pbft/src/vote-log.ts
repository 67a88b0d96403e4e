/**
 * The bytes of the vote log: a header, then frames, each bound to the one before by its hash.
 * Pure: the shell owns files and `fsync`. @see docs/protocol/consensus.md §11
 */
import { taggedSm3 } from "@credlink/crypto";
import {
  accept,
  allocateBytes,
  type Digest,
  encode,
  equalBytes,
  invariant,
  type Result,
  refuse,
  tryDecode,
  utf8,
} from "@credlink/primitives";
import { MAX_PAYLOAD_BYTES, RECORD_TAGS, voteRecordCodec } from "./codecs.ts";
import { crc32c } from "./crc32c.ts";
import type { VoteRecord } from "./effects.ts";

/** Whose votes a log holds. A log of another chain or key must never be replayed. */
export interface VoteLogIdentity {
  readonly genesisDigest: Digest;
  /** SM3("credlink/vote-log-key/1", public key). */
  readonly publicKeyDigest: Digest;
}

/** Largest segment, bytes; a frame that would cross it opens the next segment. */
export const SEGMENT_BYTES = 64 * 1024 * 1024;
/** Version of header and frames. */
export const VOTE_LOG_VERSION = 1;
/** Bytes of a segment's header. */
export const SEGMENT_HEADER_BYTES = 100;
/** Bytes of a frame around its payload. */
export const FRAME_OVERHEAD_BYTES = 25;
/** Largest payload: a prepared certificate with its proposal. */
export const MAX_FRAME_PAYLOAD_BYTES = MAX_PAYLOAD_BYTES + 64 * 1024;
const LINK_BYTES = 8;
const MAGIC = utf8("CLVOTLOG");
/** Bytes of a frame that its length does not count: length and checksum. */
const PREFIX_BYTES = 8;
const FIXED_BYTES = FRAME_OVERHEAD_BYTES - PREFIX_BYTES;

/** The identity of the log of one key on one chain. */
export function voteLogIdentity(genesisDigest: Digest, publicKey: Uint8Array): VoteLogIdentity {
  return { genesisDigest, publicKeyDigest: taggedSm3("credlink/vote-log-key/1", publicKey) };
}

/** File name of the segment whose first record is `firstLsn`; names sort as their numbers do. */
export function segmentName(firstLsn: number): string {
  return `votes-${firstLsn.toString(16).padStart(14, "0")}.log`;
}

/** First lsn of a segment by its file name, or null when the name is not one. */
export function parseSegmentName(name: string): number | null {
  const digits = /^votes-([0-9a-f]{14})\.log$/.exec(name)?.[1];
  return digits === undefined ? null : Number.parseInt(digits, 16);
}

function linkOf(bytes: Uint8Array): Uint8Array {
  return taggedSm3("credlink/vote-log/1", bytes).slice(0, LINK_BYTES);
}

/**
 * Header of a segment: magic, version, genesis digest, public key digest, first lsn, link to the
 * last frame of the segment before (zeros in the first), checksum; numbers big-endian.
 */
export function encodeSegmentHeader(
  identity: VoteLogIdentity,
  firstLsn: number,
  previousLink: Uint8Array = new Uint8Array(LINK_BYTES),
): Uint8Array {
  invariant(previousLink.length === LINK_BYTES, "a link has 8 bytes");
  const header = new Uint8Array(SEGMENT_HEADER_BYTES);
  const view = new DataView(header.buffer);
  header.set(MAGIC);
  view.setUint32(8, VOTE_LOG_VERSION);
  header.set(identity.genesisDigest, 12);
  header.set(identity.publicKeyDigest, 44);
  view.setBigUint64(76, BigInt(firstLsn));
  header.set(previousLink, 84);
  view.setUint32(96, crc32c(header.subarray(0, 96)));
  return header;
}

/** The link that the first frame of a segment carries: it binds the frame to its header. */
export function headerLink(header: Uint8Array): Uint8Array {
  return linkOf(header);
}

/** An encoded frame, and the link that the next frame must carry. */
export interface EncodedFrame {
  readonly frame: Uint8Array;
  readonly link: Uint8Array;
}

/**
 * One record as [length u32][crc32c u32][lsn u64][link to the previous frame, 8 bytes]
 * [type u8][payload]. The length counts what follows the checksum; the checksum covers the length
 * and what follows it.
 */
export function encodeFrame(
  lsn: number,
  previousLink: Uint8Array,
  record: VoteRecord,
): EncodedFrame {
  invariant(previousLink.length === LINK_BYTES, "a link has 8 bytes");
  const payload = encode(voteRecordCodec, record);
  invariant(payload.length <= MAX_FRAME_PAYLOAD_BYTES, "a vote record is too large");
  const frame = allocateBytes(FRAME_OVERHEAD_BYTES + payload.length);
  const view = new DataView(frame.buffer, frame.byteOffset);
  view.setUint32(0, FIXED_BYTES + payload.length);
  view.setBigUint64(8, BigInt(lsn));
  frame.set(previousLink, 16);
  frame[24] = RECORD_TAGS[record.type];
  frame.set(payload, FRAME_OVERHEAD_BYTES);
  view.setUint32(4, frameChecksum(frame));
  return { frame, link: linkOf(frame) };
}

function frameChecksum(frame: Uint8Array): number {
  return crc32c(frame.subarray(PREFIX_BYTES), crc32c(frame.subarray(0, 4)));
}

/** A record found in a segment. */
export interface ScannedRecord {
  readonly lsn: number;
  readonly record: VoteRecord;
  readonly offset: number;
}

/** What a segment holds. */
export interface SegmentScan {
  readonly records: readonly ScannedRecord[];
  /** End of the last good frame: where a torn tail is cut and the next frame goes. */
  readonly endOffset: number;
  /** The link that the next frame must carry. */
  readonly link: Uint8Array;
  /** The lsn of the next frame. */
  readonly nextLsn: number;
  /** `torn-tail`: cut at `endOffset`. `damaged`: promises may be missing, so abstain. */
  readonly verdict: "clean" | "torn-tail" | "damaged";
  readonly reason?: string;
}

/** What the caller knows of a segment beforehand. */
export interface ScanExpectation {
  readonly identity: VoteLogIdentity;
  /** First lsn by the file's name. */
  readonly firstLsn: number;
  /** Link at the end of the segment before; absent for the oldest segment kept. */
  readonly previousLink?: Uint8Array;
  /** Whether a later segment exists: then nothing of this one may be missing. */
  readonly isSealed?: boolean;
  /** Highest lsn known to be durable from elsewhere; a scan that ends below it is `damaged`. */
  readonly acknowledgedLsn?: number;
}

/** Checks a segment's header. */
export function checkSegmentHeader(
  header: Uint8Array,
  expected: ScanExpectation,
): Result<null, "CONSENSUS_VOTE_LOG_IDENTITY"> {
  const claimed = header.subarray(84, 84 + LINK_BYTES);
  const { identity, firstLsn, previousLink } = expected;
  const wanted = encodeSegmentHeader(identity, firstLsn, previousLink ?? claimed);
  if (equalBytes(header, wanted)) return accept(null);
  return refuse("CONSENSUS_VOTE_LOG_IDENTITY", "header of another log, or damaged");
}

/**
 * Reads a segment to the last frame that is whole and linked. Zeros after it are room that was
 * laid out in advance. Anything else after it is a torn tail, unless a whole frame of a later lsn
 * stands behind it: then something that had been durable is gone.
 */
export function scanSegment(segment: Uint8Array, expected: ScanExpectation): SegmentScan {
  const header = segment.subarray(0, SEGMENT_HEADER_BYTES);
  if (segment.length < SEGMENT_HEADER_BYTES || !checkSegmentHeader(header, expected).ok) {
    return scanWithoutHeader(segment, expected);
  }
  const records: ScannedRecord[] = [];
  let link = headerLink(header);
  let nextLsn = expected.firstLsn;
  let at = SEGMENT_HEADER_BYTES;
  for (;;) {
    const frame = frameAt(segment, at);
    if (frame === null || frame.lsn !== nextLsn || !equalBytes(frame.link, link)) break;
    records.push({ lsn: frame.lsn, record: frame.record, offset: at });
    link = linkOf(frame.bytes);
    at += frame.bytes.length;
    nextLsn++;
  }
  const found = { records, endOffset: at, link, nextLsn };
  return judgeEnd(segment, found, expected);
}

function judgeEnd(
  segment: Uint8Array,
  found: Omit<SegmentScan, "verdict" | "reason">,
  expected: ScanExpectation,
): SegmentScan {
  const damaged = (reason: string): SegmentScan => ({ ...found, verdict: "damaged", reason });
  const { acknowledgedLsn = 0, isSealed = false } = expected;
  if (found.nextLsn <= acknowledgedLsn) return damaged("ends before what was durable");
  const rest = segment.subarray(found.endOffset);
  if (rest.every((byte) => byte === 0)) return { ...found, verdict: "clean" };
  if (isSealed) return damaged("a sealed segment does not end cleanly");
  if (hasLaterFrame(rest, found.nextLsn)) return damaged("a bad frame before a good one");
  return { ...found, verdict: "torn-tail", reason: "the last frame is not whole" };
}

/** A segment that was being created has no header yet and no frames either. */
function scanWithoutHeader(segment: Uint8Array, expected: ScanExpectation): SegmentScan {
  const nextLsn = expected.firstLsn;
  const found = { records: [], endOffset: 0, link: new Uint8Array(LINK_BYTES), nextLsn };
  const { acknowledgedLsn = 0, isSealed = false } = expected;
  const mayBeNew = !isSealed && acknowledgedLsn < nextLsn && !hasLaterFrame(segment, 0);
  const isPrefix = segment.length < SEGMENT_HEADER_BYTES;
  if (mayBeNew && (isPrefix || segment.every((byte) => byte === 0))) {
    return { ...found, verdict: "torn-tail", reason: "the header is not whole" };
  }
  return { ...found, verdict: "damaged", reason: "the header is not that of this log" };
}

interface FoundFrame {
  readonly bytes: Uint8Array;
  readonly lsn: number;
  readonly link: Uint8Array;
  readonly record: VoteRecord;
}

/** The whole, well-formed frame at `at`, or null. */
function frameAt(segment: Uint8Array, at: number): FoundFrame | null {
  if (at + FRAME_OVERHEAD_BYTES > segment.length) return null;
  const view = new DataView(segment.buffer, segment.byteOffset + at);
  const length = view.getUint32(0);
  if (length < FIXED_BYTES || length > FIXED_BYTES + MAX_FRAME_PAYLOAD_BYTES) return null;
  if (at + PREFIX_BYTES + length > segment.length) return null;
  const bytes = segment.subarray(at, at + PREFIX_BYTES + length);
  const lsn = view.getBigUint64(8);
  if (lsn > BigInt(Number.MAX_SAFE_INTEGER)) return null;
  if (view.getUint32(4) !== frameChecksum(bytes)) return null;
  const decoded = tryDecode(voteRecordCodec, bytes.slice(FRAME_OVERHEAD_BYTES));
  if (!decoded.ok || RECORD_TAGS[decoded.value.type] !== bytes[24]) return null;
  const link = bytes.slice(16, 16 + LINK_BYTES);
  return { bytes, lsn: Number(lsn), link, record: decoded.value };
}

/** Whether a whole frame with an lsn from `fromLsn` on stands anywhere in `rest`. */
function hasLaterFrame(rest: Uint8Array, fromLsn: number): boolean {
  for (let at = 1; at + FRAME_OVERHEAD_BYTES <= rest.length; at++) {
    const frame = frameAt(rest, at);
    if (frame !== null && frame.lsn >= fromLsn) return true;
  }
  return false;
}
