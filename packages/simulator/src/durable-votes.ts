import { type VoteRecord, voteRecordCodec } from "@credlink/consensus-pbft";
import { VOTE_LOG_FOLDER } from "@credlink/node/engine";
import { decode, toHex } from "@credlink/primitives";
import type { SimulatedDisk } from "@credlink/testkit";

const HEADER_BYTES = 100;
const FRAME_FIXED_BYTES = 25;

/** What a node's vote log binds it to at one height. */
interface HeightPromises {
  /** Highest view entered. */
  entered: number;
  /** The block that COMMIT was promised for last, as `view/digest`. */
  lock: string | null;
  /** View entered -> the lock that stood in the log before it. */
  readonly entryLocks: Map<number, string | null>;
}

/** Reads the durable part of a vote log frame by frame; a reader of its own, apart from the code. */
export class DurableVotes {
  readonly #disk: SimulatedDisk;
  #path: string | null = null;
  #offset = HEADER_BYTES;
  /** Names of the promises that are durable. */
  readonly names = new Set<string>();
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

  refresh(): void {
    const path =
      this.#path ??
      this.#disk
        .durablePaths()
        .find((one) => one.startsWith(VOTE_LOG_FOLDER) && one.endsWith(".log"));
    if (path === undefined) return;
    this.#path = path;
    // A log that is shorter than what was read was begun anew; what the old one promised stays.
    if ((this.#disk.durable(path)?.length ?? 0) < this.#offset) this.#offset = HEADER_BYTES;
    const bytes = this.#disk.durable(path, this.#offset);
    if (bytes === null) return;
    let at = 0;
    while (at + FRAME_FIXED_BYTES <= bytes.length) {
      const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0);
      const end = at + 8 + length;
      if (length < FRAME_FIXED_BYTES - 8 || end > bytes.length) break;
      this.#take(decode(voteRecordCodec, bytes.slice(at + FRAME_FIXED_BYTES, end)));
      at = end;
    }
    this.#offset += at;
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

function promiseName(
  type: string,
  { height, view }: { readonly height: number; readonly view: number },
  rest: string,
): string {
  return `${type}/${height}/${view}/${rest}`;
}
