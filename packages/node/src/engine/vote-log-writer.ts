import {
  type EncodedFrame,
  encodeFrame,
  encodeSegmentHeader,
  headerLink,
  SEGMENT_BYTES,
  SEGMENT_HEADER_BYTES,
  segmentName,
  type VoteLogIdentity,
  type VoteRecord,
} from "@credlink/consensus-pbft";
import {
  type Clock,
  concatBytes,
  type Disk,
  type DiskFile,
  invariant,
  type Logger,
} from "@credlink/primitives";
import { EngineError, type EngineErrorCode } from "./errors.ts";
import type { EngineInstruments } from "./metrics.ts";
import type { PlainLog, VoteLog } from "./vote-log.ts";
import { FIRST_LSN, type OpenedSegment, readVoteLog, recordHeight } from "./vote-log-opening.ts";
import { createRenewableLog } from "./vote-log-renewal.ts";

/** What the writer works with. */
export interface VoteLogComponents {
  readonly disk: Disk;
  readonly folder: string;
  readonly identity: VoteLogIdentity;
  /** Height of the committed head, which the log must not be older than. */
  readonly headHeight: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly instruments: Pick<EngineInstruments, "voteLogSync">;
  /**
   * Records of a new log for a key that never voted: whatever log is there is moved aside. Null or
   * left out: the log that is there goes on.
   */
  readonly beginsWith?: readonly VoteRecord[] | null;
  /** Default `SEGMENT_BYTES`. */
  readonly segmentBytes?: number | undefined;
}

/** A disk writes this many bytes at once or not at all. */
const SECTOR_BYTES = 512;

interface Segment {
  readonly path: string;
  maxHeight: number;
}

interface Pending {
  readonly record: VoteRecord;
  /** Set on the last record of a call. */
  readonly settle: { readonly done: () => void; readonly fail: (error: Error) => void } | null;
}

/** Where the next frame goes. */
interface Cursor {
  readonly file: DiskFile;
  readonly segment: Segment;
  offset: number;
  link: Uint8Array;
  nextLsn: number;
}

class Writer implements PlainLog {
  readonly records: readonly VoteRecord[];
  readonly abstain = null;
  readonly #parts: VoteLogComponents;
  readonly #segmentBytes: number;
  #cursor: Cursor;
  /** Full segments, oldest first. */
  #sealed: Segment[];
  #queue: Pending[] = [];
  /** Records of the group that is being written. */
  #inFlight: Pending[] = [];
  #running: Promise<void> | null = null;
  #failure: EngineError | null = null;
  #pruneBelow = -1;

  constructor(
    parts: VoteLogComponents,
    records: readonly VoteRecord[],
    sealed: Segment[],
    cursor: Cursor,
  ) {
    this.#parts = parts;
    this.records = records;
    this.#segmentBytes = parts.segmentBytes ?? SEGMENT_BYTES;
    this.#sealed = sealed;
    this.#cursor = cursor;
  }

  append(records: readonly VoteRecord[]): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (records.length === 0) return this.#running ?? Promise.resolve();
    return new Promise((done, fail) => {
      for (const [at, record] of records.entries()) {
        const isLast = at === records.length - 1;
        this.#queue.push({ record, settle: isLast ? { done, fail } : null });
      }
      this.#running ??= this.#run();
    });
  }

  prune(height: number): void {
    this.#pruneBelow = Math.max(this.#pruneBelow, height);
    this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    await this.#running;
    await this.#cursor.file.close();
  }

  async #run(): Promise<void> {
    // Everything appended in this turn goes into the first group.
    await null;
    try {
      while (this.#queue.length > 0) await this.#writeGroup();
      await this.#deleteOld();
    } catch (cause) {
      this.#fail(cause);
    }
    this.#running = null;
    if (this.#queue.length > 0 && this.#failure === null) this.#running = this.#run();
  }

  /** A failed write or sync is final: what the kernel dropped cannot be known. */
  #fail(cause: unknown): void {
    const error = new EngineError("NODE_VOTE_LOG_FAILED", "the vote log failed", { cause });
    this.#failure = error;
    this.#parts.logger.error("vote log failed", { error: cause });
    const queue = this.#queue;
    this.#queue = [];
    for (const { settle } of [...this.#inFlight, ...queue]) settle?.fail(error);
    this.#inFlight = [];
  }

  async #writeGroup(): Promise<void> {
    const startedMs = this.#parts.clock.monotonicMs();
    const first = this.#queue[0];
    invariant(first !== undefined, "a group is not empty");
    let frame = encodeFrame(this.#cursor.nextLsn, this.#cursor.link, first.record);
    if (this.#cursor.offset + frame.frame.length > this.#segmentBytes && this.#hasFrames()) {
      await this.#rotate();
      frame = encodeFrame(this.#cursor.nextLsn, this.#cursor.link, first.record);
    }
    const cursor = this.#cursor;
    const start = cursor.offset;
    const frames = this.#takeGroup(frame);
    await cursor.file.write(start, concatBytes(...frames));
    await cursor.file.sync();
    this.#parts.instruments.voteLogSync.observe(
      (this.#parts.clock.monotonicMs() - startedMs) / 1_000,
    );
    const settled = this.#inFlight;
    this.#inFlight = [];
    for (const { settle } of settled) settle?.done();
  }

  /** Moves records from the queue into the group, from `frame`, the first one's, on. */
  #takeGroup(frame: EncodedFrame): readonly Uint8Array[] {
    const cursor = this.#cursor;
    const start = cursor.offset;
    const frames: Uint8Array[] = [];
    let current = frame;
    for (let pending = this.#queue.shift(); pending !== undefined; pending = this.#queue.shift()) {
      this.#inFlight.push(pending);
      frames.push(current.frame);
      cursor.offset += current.frame.length;
      cursor.link = current.link;
      cursor.nextLsn++;
      const { segment } = cursor;
      segment.maxHeight = Math.max(segment.maxHeight, recordHeight(pending.record));
      const next = this.#queue[0];
      if (next === undefined || !this.#mayFollow(start, cursor.offset)) break;
      current = encodeFrame(cursor.nextLsn, cursor.link, next.record);
      if (cursor.offset + current.frame.length > this.#segmentBytes) break;
    }
    return frames;
  }

  #hasFrames(): boolean {
    return this.#cursor.offset > SEGMENT_HEADER_BYTES;
  }

  /**
   * A further frame joins a group only if it begins in the sector where the group began. Sectors
   * of an unsynced write may survive in any order, so otherwise a crash could leave a later frame
   * whole behind an earlier one that is not: nobody could tell that from damage.
   */
  #mayFollow(groupStart: number, frameStart: number): boolean {
    return Math.floor(groupStart / SECTOR_BYTES) === Math.floor(frameStart / SECTOR_BYTES);
  }

  async #rotate(): Promise<void> {
    const { link, nextLsn, file, segment } = this.#cursor;
    await file.close();
    this.#sealed.push(segment);
    this.#cursor = await createSegment(this.#parts, nextLsn, link);
  }

  async #deleteOld(): Promise<void> {
    const { disk, folder } = this.#parts;
    let isChanged = false;
    for (;;) {
      const oldest = this.#sealed[0];
      if (oldest === undefined || oldest.maxHeight > this.#pruneBelow) break;
      this.#sealed.shift();
      await disk.remove(oldest.path);
      isChanged = true;
    }
    if (isChanged) await disk.syncFolder(folder);
  }
}

async function createSegment(
  { disk, folder, identity }: VoteLogComponents,
  firstLsn: number,
  previousLink: Uint8Array | undefined,
): Promise<Cursor> {
  const path = `${folder}/${segmentName(firstLsn)}`;
  const header = encodeSegmentHeader(identity, firstLsn, previousLink);
  const file = await disk.open(path, { create: true });
  await file.write(0, header);
  await file.sync();
  await disk.syncFolder(folder);
  return {
    file,
    segment: { path, maxHeight: 0 },
    offset: SEGMENT_HEADER_BYTES,
    link: headerLink(header),
    nextLsn: firstLsn,
  };
}

/** A log that abstains writes nothing: what condemned it must be there at the next start. */
function createAbstainingLog(reason: string, records: readonly VoteRecord[]): PlainLog {
  return {
    records,
    abstain: reason,
    append: () => Promise.resolve(),
    prune: () => {},
    close: () => Promise.resolve(),
  };
}

/** Cuts the torn tail of the last segment and returns where to go on; null without segments. */
async function continueLast(
  parts: VoteLogComponents,
  segments: OpenedSegment[],
): Promise<Cursor | null> {
  const last = segments.at(-1);
  if (last === undefined) return null;
  const { scan, path, maxHeight } = last;
  if (scan.endOffset < SEGMENT_HEADER_BYTES) {
    // It was being created: no frame can have been acknowledged in it.
    await parts.disk.remove(path);
    await parts.disk.syncFolder(parts.folder);
    segments.pop();
    return continueLast(parts, segments);
  }
  const file = await parts.disk.open(path);
  const sizeBytes = await file.size();
  if (scan.verdict === "torn-tail" || sizeBytes > scan.endOffset) {
    const cutBytes = sizeBytes - scan.endOffset;
    parts.logger.warn("torn tail of the vote log cut", { segment: path, cutBytes });
    await file.truncate(scan.endOffset);
    await file.sync();
  }
  const { endOffset: offset, link, nextLsn } = scan;
  return { file, segment: { path, maxHeight }, offset, link, nextLsn };
}

/**
 * Opens the vote log, cuts a torn tail, and makes it ready for appending. A log that cannot be
 * trusted comes back with `abstain` set and is left as it is.
 * @throws EngineError NODE_VOTE_LOG_FAILED when the disk fails.
 */
export async function openVoteLog(parts: VoteLogComponents): Promise<VoteLog> {
  const { disk, folder, logger } = parts;
  const create = async (): Promise<PlainLog> =>
    new Writer(parts, [], [], await createSegment(parts, FIRST_LSN, undefined));
  const { beginsWith = null } = parts;
  const renewable = { disk, folder, logger, create };
  if (beginsWith === null) return createRenewableLog(renewable, await openPlainLog(parts));
  const log = createRenewableLog(renewable, createAbstainingLog("of another key", []));
  await log.renew(beginsWith);
  return log;
}

async function openPlainLog(parts: VoteLogComponents): Promise<PlainLog> {
  const { disk, folder, identity, headHeight, logger } = parts;
  try {
    await disk.makeFolder(folder);
    const state = await readVoteLog(disk, folder, identity, headHeight);
    if (state.abstain !== null) {
      const code: EngineErrorCode = "NODE_VOTE_LOG_UNTRUSTED";
      logger.error("vote log cannot be trusted, abstaining", { code, reason: state.abstain });
      return createAbstainingLog(state.abstain, state.records);
    }
    const segments = [...state.segments];
    const cursor =
      (await continueLast(parts, segments)) ?? (await createSegment(parts, FIRST_LSN, undefined));
    const sealed = segments
      .filter(({ path }) => path !== cursor.segment.path)
      .map(({ path, maxHeight }) => ({ path, maxHeight }));
    return new Writer(parts, state.records, sealed, cursor);
  } catch (cause) {
    throw new EngineError("NODE_VOTE_LOG_FAILED", "the vote log cannot be opened", { cause });
  }
}
