import {
  parseSegmentName,
  type ScannedRecord,
  SEGMENT_HEADER_BYTES,
  type SegmentScan,
  scanSegment,
  segmentName,
  type VoteLogIdentity,
  type VoteRecord,
} from "@credlink/consensus-pbft";
import type { Disk } from "@credlink/primitives";
import { RENEWAL_MARKER, segmentNameOf } from "./vote-log-renewal.ts";

/** What the vote log's folder holds. */
export interface VoteLogState {
  /** Oldest first. */
  readonly segments: readonly OpenedSegment[];
  /** Records of all segments, oldest first. */
  readonly records: readonly VoteRecord[];
  /** Why this validator must not vote; null when the log is whole. */
  readonly abstain: string | null;
}

/** One segment file that was read to its end. */
export interface OpenedSegment {
  readonly path: string;
  readonly firstLsn: number;
  readonly scan: SegmentScan;
  /** Highest height that its records speak of. */
  readonly maxHeight: number;
}

/** Number of the first record of a log. */
export const FIRST_LSN = 1;

/** The height that a record is about. */
export function recordHeight(record: VoteRecord): number {
  return record.type === "commit-voted" ? record.certificate.height : record.height;
}

function maxHeightOf(records: readonly ScannedRecord[]): number {
  return records.reduce((highest, { record }) => Math.max(highest, recordHeight(record)), 0);
}

async function readWhole(disk: Disk, path: string): Promise<Uint8Array> {
  const file = await disk.open(path);
  try {
    return await file.read(0, await file.size());
  } finally {
    await file.close();
  }
}

/**
 * Reads the whole log and judges it against the committed head. Nothing is written.
 * Abstention follows from damage before the tail, from a log that is missing although blocks were
 * committed, and from one whose last decided height is more than one below the head: it is the
 * image of an earlier time, and the votes since then are forgotten.
 */
export async function readVoteLog(
  disk: Disk,
  folder: string,
  identity: VoteLogIdentity,
  headHeight: number,
): Promise<VoteLogState> {
  const all = await disk.list(folder);
  const names = all.flatMap((name) => parseSegmentName(name) ?? []);
  const segments: OpenedSegment[] = [];
  let damage: string | null = all.includes(RENEWAL_MARKER) ? "was being begun anew" : null;
  for (const [at, firstLsn] of names.sort((a, b) => a - b).entries()) {
    const path = `${folder}/${segmentName(firstLsn)}`;
    const before = segments.at(-1);
    const scan = scanSegment(await readWhole(disk, path), {
      identity,
      firstLsn,
      isSealed: at < names.length - 1,
      ...(before === undefined ? {} : { previousLink: before.scan.link }),
    });
    segments.push({ path, firstLsn, scan, maxHeight: maxHeightOf(scan.records) });
    if (scan.verdict === "damaged") damage ??= scan.reason ?? "damaged";
    if (before !== undefined && before.scan.nextLsn !== firstLsn) damage ??= "a segment is missing";
  }
  const records = segments.flatMap(({ scan }) => scan.records.map(({ record }) => record));
  return { segments, records, abstain: damage ?? judgeRecords(segments, records, headHeight) };
}

/**
 * Whether anything in the folder, also what was moved aside, may hold votes under a key: a record
 * beside that of a decided block, damage, or a segment that others came before.
 */
export async function hasVotesOf(
  disk: Disk,
  folder: string,
  identity: VoteLogIdentity,
): Promise<boolean> {
  for (const name of await disk.list(folder)) {
    const firstLsn = parseSegmentName(segmentNameOf(name));
    if (firstLsn === null) continue;
    const scan = scanSegment(await readWhole(disk, `${folder}/${name}`), { identity, firstLsn });
    const isOfThisKey = scan.endOffset >= SEGMENT_HEADER_BYTES;
    const isWhole = scan.verdict !== "damaged" && firstLsn === FIRST_LSN;
    const isVoteless = scan.records.every(({ record }) => record.type === "decided");
    if (isOfThisKey && !(isWhole && isVoteless)) return true;
  }
  return false;
}

function judgeRecords(
  segments: readonly OpenedSegment[],
  records: readonly VoteRecord[],
  headHeight: number,
): string | null {
  const last = records.findLast(({ type }) => type === "abstained" || type === "recovered");
  if (last?.type === "abstained") return "misses a vote that others have seen";
  if (headHeight === 0) return null;
  // A log that was made and holds nothing yet lags by the first block alone, as any log may.
  const isMade = segments.some(({ scan }) => scan.endOffset >= SEGMENT_HEADER_BYTES);
  if (records.length === 0 && !(isMade && headHeight === 1)) {
    return "missing although blocks were committed";
  }
  return highestDecided(records) + 1 < headHeight ? "older than the committed head" : null;
}

/** The highest height that the log says was decided; 0 when it says none. */
export function highestDecided(records: readonly VoteRecord[]): number {
  return records.reduce(
    (highest, record) => (record.type === "decided" ? Math.max(highest, record.height) : highest),
    0,
  );
}
