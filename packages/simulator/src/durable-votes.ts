import { crc32c, type VoteRecord, voteRecordCodec } from "@credlink/consensus-pbft";
import { VOTE_LOG_FOLDER } from "@credlink/node/engine";
import { toHex, tryDecode } from "@credlink/primitives";
import type { SimulatedDisk } from "@credlink/testkit";

const HEADER_BYTES = 100;
const FRAME_FIXED_BYTES = 25;

const NOTHING_READ: DurableSegment = { bytes: HEADER_BYTES, frames: 0, maxHeight: 0 };

function heightOf(record: VoteRecord): number {
  return record.type === "commit-voted" ? record.certificate.height : record.height;
}

/** What a node's vote log binds it to at one height. */
interface HeightPromises {
  /** Highest view entered. */
  entered: number;
  /** The block that COMMIT was promised for last, as `view/digest`. */
  lock: string | null;
  /** View entered -> the lock that stood in the log before it. */
  readonly entryLocks: Map<number, string | null>;
}

/** One file of the log, as far as it was read. */
export interface DurableSegment {
  readonly bytes: number;
  readonly frames: number;
  /** Highest height that it speaks of. */
  readonly maxHeight: number;
}

/**
 * Reads the durable part of a vote log frame by frame, segment by segment; a reader of its own,
 * apart from the code. A log that is begun anew is read from its start, and what the old one
 * promised stays.
 */
export class DurableVotes {
  readonly #disk: SimulatedDisk;
  readonly #segments = new Map<string, DurableSegment>();
  #abandoned = 0;
  #revision = -1;
  /** Names of the promises that are durable. */
  readonly names = new Set<string>();
  /** Height and view of the PREPARE that was promised last. */
  lastPrepare: string | null = null;
  readonly #heights = new Map<number, HeightPromises>();

  constructor(disk: SimulatedDisk) {
    this.#disk = disk;
  }

  /** Highest view of a height that the log knows entered. */
  entered(height: number): number {
    return this.#heights.get(height)?.entered ?? 0;
  }

  /** The lock as `view/digest` when a view was entered, null for none; undefined: not entered. */
  lockAtEntry(height: number, view: number): string | null | undefined {
    return this.#heights.get(height)?.entryLocks.get(view);
  }

  /** The segments that are durable now, oldest first. */
  get segments(): readonly DurableSegment[] {
    return [...this.#segments].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, segment]) => segment);
  }

  refresh(): void {
    if (this.#revision === this.#disk.durableRevision) return;
    this.#revision = this.#disk.durableRevision;
    const paths = this.#disk.durablePaths().filter((path) => path.startsWith(VOTE_LOG_FOLDER));
    const segments = paths.filter((path) => path.endsWith(".log"));
    const abandoned = paths.filter((path) => path.includes(".abandoned-")).length;
    if (abandoned !== this.#abandoned) this.#segments.clear();
    this.#abandoned = abandoned;
    for (const path of this.#segments.keys()) {
      if (!segments.includes(path)) this.#segments.delete(path);
    }
    // Names ascend as the numbers in them do.
    for (const path of segments) this.#read(path);
  }

  #read(path: string): void {
    let { bytes: from, frames, maxHeight } = this.#segments.get(path) ?? NOTHING_READ;
    let bytes = this.#disk.durable(path, from);
    if (bytes?.length === 0 && (this.#disk.durable(path)?.length ?? 0) < from) {
      ({ bytes: from, frames, maxHeight } = NOTHING_READ);
      bytes = this.#disk.durable(path, from);
    }
    if (bytes === null) return;
    let at = 0;
    while (at + FRAME_FIXED_BYTES <= bytes.length) {
      const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0);
      const end = at + 8 + length;
      if (length < FRAME_FIXED_BYTES - 8 || end > bytes.length) break;
      // A frame that was torn: its process never knew it durable, and cuts it at its next start. It
      // may well decode, when what is missing lies inside a digest or a payload.
      if (!isWhole(bytes.subarray(at, end))) break;
      const record = tryDecode(voteRecordCodec, bytes.slice(at + FRAME_FIXED_BYTES, end));
      if (!record.ok) break;
      this.#take(record.value);
      frames++;
      maxHeight = Math.max(maxHeight, heightOf(record.value));
      at = end;
    }
    this.#segments.set(path, { bytes: from + at, frames, maxHeight });
  }

  #take(record: VoteRecord): void {
    switch (record.type) {
      case "proposed":
        this.names.add(
          promiseName(
            "pre-prepare",
            record,
            `${toHex(record.parentDigest)}/${toHex(record.digest)}`,
          ),
        );
        return;
      case "prepare-voted":
        this.names.add(promiseName("prepare", record, toHex(record.digest)));
        this.lastPrepare = `${record.height}/${record.view}`;
        return;
      case "commit-voted": {
        const { certificate } = record;
        const digest = toHex(certificate.digest);
        this.names.add(promiseName("commit", certificate, digest));
        this.#at(certificate.height).lock = `${certificate.view}/${digest}`;
        return;
      }
      case "entered-view": {
        const promises = this.#at(record.height);
        promises.entered = Math.max(promises.entered, record.view);
        promises.entryLocks.set(record.view, promises.lock);
        return;
      }
      case "decided":
        return;
    }
  }

  #at(height: number): HeightPromises {
    const known = this.#heights.get(height);
    if (known !== undefined) return known;
    const fresh: HeightPromises = { entered: 0, lock: null, entryLocks: new Map() };
    this.#heights.set(height, fresh);
    return fresh;
  }
}

/** Length, checksum over it and all that follows the checksum, and the rest. */
function isWhole(frame: Uint8Array): boolean {
  const { buffer, byteOffset } = frame;
  const checksum = new DataView(buffer, byteOffset).getUint32(4);
  return crc32c(frame.subarray(8), crc32c(frame.subarray(0, 4))) === checksum;
}

function promiseName(
  type: string,
  { height, view }: { readonly height: number; readonly view: number },
  rest: string,
): string {
  return `${type}/${height}/${view}/${rest}`;
}
