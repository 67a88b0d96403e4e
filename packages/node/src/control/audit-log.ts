import { type FileHandle, mkdir, open, rm } from "node:fs/promises";
import type { AuditEntry } from "@credlink/api";
import { type Clock, type Digest, digest, type Logger, type Metrics } from "@credlink/primitives";
import { RecentMap } from "../engine/recent-map.ts";
import { syncFolder } from "../storage/durable-file.ts";
import {
  type AuditFile,
  auditPath,
  findLines,
  type LineOffsets,
  listAuditFiles,
  readAuditFile,
  readAuditLines,
} from "./audit-files.ts";
import { hashEntry, showEntry } from "./audit-line.ts";
import { NodeControlError } from "./errors.ts";
import { controlMetrics } from "./metrics.ts";

/** What a new entry says; the log adds sequence, time and link. */
export type NewEntry = Omit<AuditEntry, "sequence" | "timeMs" | "previous">;

/** Bounds of the log. */
export interface AuditLimits {
  /** A file is full at so many bytes. */
  readonly fileBytes: number;
  /** Files kept; the oldest is deleted when another one is begun. */
  readonly files: number;
}

/** A node's own record of who was to change it: append-only, each entry bound to the one before. */
export interface AuditLog {
  /**
   * Resolves when the entry is on disk.
   * @throws NodeControlError NODE_AUDIT_FAILED: then nothing may be done
   */
  append(entry: NewEntry): Promise<AuditEntry>;
  /** Kept entries from a sequence on, oldest first. */
  read(from: number, limit: number): Promise<readonly AuditEntry[]>;
  /** Kept entries written at a time or later, oldest first. */
  since(timeMs: number): Promise<readonly AuditEntry[]>;
  /** The last entry. */
  head(): { readonly sequence: number; readonly hash: Digest };
  close(): Promise<void>;
}

const NOTHING = digest(new Uint8Array(32));
/** Files whose lines are remembered, beside the one that is written. */
const MAX_INDEXED = 4;

/** What opening found of the log as it was. */
interface Found {
  readonly files: readonly AuditFile[];
  /** Sequence of the next entry, and what it follows. */
  readonly next: number;
  readonly previous: Digest;
  /** Bytes of the last file that stay; null: a new file is to be begun. */
  readonly keptBytes: number | null;
  readonly isAltered: boolean;
  readonly detail: string;
}

class FileAuditLog implements AuditLog {
  readonly #folder: string;
  readonly #limits: AuditLimits;
  readonly #clock: Clock;
  #files: AuditFile[];
  readonly #indexed = new RecentMap<string, LineOffsets>(MAX_INDEXED);
  #handle: FileHandle | null = null;
  /** Where each line of the file that is written begins, and where the next one goes. */
  #lines: number[] = [0];
  #sequence: number;
  #hash: Digest;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(folder: string, limits: AuditLimits, clock: Clock, found: Found) {
    this.#folder = folder;
    this.#limits = limits;
    this.#clock = clock;
    this.#files = [...found.files];
    this.#sequence = found.next - 1;
    this.#hash = found.previous;
  }

  /** Goes on in the last file, without what a crash tore. */
  async resume(keptBytes: number): Promise<void> {
    const file = this.#files.at(-1);
    if (file === undefined) return;
    this.#handle = await open(file.path, "r+");
    await this.#handle.truncate(keptBytes);
    await this.#handle.sync();
    this.#lines = [...(await findLines(file))];
  }

  /** Bytes of the file that is written. */
  get #size(): number {
    return this.#lines.at(-1) ?? 0;
  }

  append(entry: NewEntry): Promise<AuditEntry> {
    const appended = this.#queue.then(() => this.#append(entry));
    this.#queue = appended.catch(() => undefined);
    return appended;
  }

  async read(from: number, limit: number): Promise<readonly AuditEntry[]> {
    await this.#queue;
    const found: AuditEntry[] = [];
    const start = this.#files.findLastIndex(({ first }) => first <= from);
    for (const file of this.#files.slice(Math.max(0, start))) {
      const offsets = await this.#linesOf(file);
      const begin = Math.max(0, from - file.first);
      const end = Math.min(offsets.length - 1, begin + limit - found.length);
      if (begin < end) found.push(...(await readAuditLines(file, offsets, begin, end)));
      if (found.length >= limit) break;
    }
    return found;
  }

  async #linesOf(file: AuditFile): Promise<LineOffsets> {
    if (this.#handle !== null && file === this.#files.at(-1)) return this.#lines;
    const known = this.#indexed.get(file.path) ?? (await findLines(file));
    this.#indexed.set(file.path, known);
    return known;
  }

  async since(timeMs: number): Promise<readonly AuditEntry[]> {
    await this.#queue;
    const found: AuditEntry[] = [];
    for (const file of this.#files.toReversed()) {
      const { entries } = await readAuditFile(file);
      found.unshift(...entries.filter((entry) => entry.timeMs >= timeMs));
      if ((entries[0]?.timeMs ?? Infinity) < timeMs) break;
    }
    return found;
  }

  head(): { readonly sequence: number; readonly hash: Digest } {
    return { sequence: Math.max(0, this.#sequence), hash: this.#hash };
  }

  async close(): Promise<void> {
    await this.#queue;
    await this.#handle?.close();
    this.#handle = null;
  }

  async #append(entry: NewEntry): Promise<AuditEntry> {
    const whole: AuditEntry = {
      ...entry,
      sequence: this.#sequence + 1,
      timeMs: this.#clock.nowMs(),
      previous: this.#hash,
    };
    const line = Buffer.from(`${JSON.stringify(showEntry(whole))}\n`);
    try {
      const handle = await this.#place(whole.sequence, line.length);
      // Written at a place of our own: half a line that a full disk left is written over.
      const { bytesWritten } = await handle.write(line, 0, line.length, this.#size);
      if (bytesWritten !== line.length) throw new Error(`${bytesWritten} of ${line.length} bytes`);
      await handle.datasync();
    } catch (cause) {
      throw new NodeControlError("NODE_AUDIT_FAILED", String(cause), { cause });
    }
    this.#lines.push(this.#size + line.length);
    this.#sequence = whole.sequence;
    this.#hash = hashEntry(whole);
    return whole;
  }

  /** The file that the next line goes to. */
  async #place(sequence: number, bytes: number): Promise<FileHandle> {
    const isFull = this.#size > 0 && this.#size + bytes > this.#limits.fileBytes;
    if (this.#handle !== null && !isFull) return this.#handle;
    await this.#handle?.truncate(this.#size);
    await this.#handle?.close();
    this.#handle = null;
    const path = auditPath(this.#folder, sequence);
    // A file of that name is what a failed attempt left; a good one would have a later successor.
    this.#handle = await open(path, "w+", 0o600);
    await syncFolder(this.#folder);
    this.#lines = [0];
    if (this.#files.at(-1)?.path !== path) this.#files.push({ path, first: sequence });
    while (this.#files.length > this.#limits.files) {
      const [oldest] = this.#files.splice(0, 1);
      if (oldest !== undefined) await rm(oldest.path, { force: true });
    }
    return this.#handle;
  }
}

/** Looks at the last file with a line; those above it are what failed attempts left. */
async function findEnd(folder: string): Promise<Found> {
  const files = [...(await listAuditFiles(folder))];
  for (let file = files.at(-1); file !== undefined; file = files.at(-1)) {
    const { entries, goodBytes, totalBytes, lines, isAltered } = await readAuditFile(file);
    if (lines === 0 && file.first > 0) {
      files.pop();
      continue;
    }
    const last = entries.at(-1);
    const place = { files, next: file.first + lines, isAltered };
    const previous = last === undefined ? NOTHING : hashEntry(last);
    // What was altered stays for whoever examines it; a new file goes on behind it.
    const detail = `altered: ${file.path} from byte ${goodBytes} on`;
    if (isAltered) return { ...place, previous, keptBytes: null, detail };
    const torn = totalBytes - goodBytes;
    return { ...place, previous, keptBytes: goodBytes, detail: torn === 0 ? "" : `torn: ${torn}` };
  }
  return { files, next: 0, previous: NOTHING, keptBytes: null, isAltered: false, detail: "" };
}

/**
 * Opens a node's audit log and writes down that it was opened.
 * A torn last line, which never had an act, is cut; an altered file is left and reported.
 * @throws NodeControlError NODE_AUDIT_FAILED
 */
export async function openAuditLog(
  folder: string,
  limits: AuditLimits,
  components: { readonly clock: Clock; readonly logger: Logger; readonly metrics: Metrics },
): Promise<AuditLog> {
  const { clock, logger, metrics } = components;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const found = await findEnd(folder);
    if (found.isAltered) {
      metrics.counter(controlMetrics.auditFaults).add();
      logger.error("audit log altered", { code: "NODE_AUDIT_ALTERED", detail: found.detail });
    }
    const log = new FileAuditLog(folder, limits, clock, found);
    if (found.keptBytes !== null) await log.resume(found.keptBytes);
    await log.append({
      type: "opened",
      of: null,
      member: null,
      code: found.isAltered ? "NODE_AUDIT_ALTERED" : "",
      detail: found.detail.slice(0, 500),
      request: new Uint8Array(),
      signature: new Uint8Array(),
      suppressed: 0,
    });
    return log;
  } catch (cause) {
    if (cause instanceof NodeControlError) throw cause;
    throw new NodeControlError("NODE_AUDIT_FAILED", `${folder}: ${String(cause)}`, { cause });
  }
}
