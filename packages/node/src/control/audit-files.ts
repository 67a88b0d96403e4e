import { open, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { AuditEntry } from "@credlink/api";
import { equalBytes } from "@credlink/primitives";
import { hashEntry, readLine } from "./audit-line.ts";

const FILE = /^audit-(\d{12})\.jsonl$/;

/** One file of the log: its name carries the sequence of its first entry. */
export interface AuditFile {
  readonly path: string;
  readonly first: number;
}

/** Where a log's file that begins with entry `first` stands. */
export function auditPath(folder: string, first: number): string {
  return join(folder, `audit-${String(first).padStart(12, "0")}.jsonl`);
}

/** The files of a log, oldest first. */
export async function listAuditFiles(folder: string): Promise<readonly AuditFile[]> {
  const names = await readdir(folder);
  return names
    .flatMap((name) => {
      const first = FILE.exec(name)?.[1];
      return first === undefined ? [] : [{ path: join(folder, name), first: Number(first) }];
    })
    .sort((a, b) => a.first - b.first);
}

/** Where each whole line begins; the last number is where the last one ends. */
export type LineOffsets = readonly number[];

function offsetsIn(bytes: Buffer): number[] {
  const offsets = [0];
  for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, end + 1)) {
    offsets.push(end + 1);
  }
  return offsets;
}

/** Finds the lines of a file. */
export async function findLines({ path }: AuditFile): Promise<LineOffsets> {
  return offsetsIn(await readFile(path));
}

/**
 * Reads lines `from` to before `to` of a file, and those bytes alone: a page of a long log costs what
 * the page holds. Ends before a line that is not the entry of its place.
 */
export async function readAuditLines(
  { path, first }: AuditFile,
  offsets: LineOffsets,
  from: number,
  to: number,
): Promise<readonly AuditEntry[]> {
  const begin = offsets[from] ?? 0;
  const bytes = Buffer.alloc(Math.max(0, (offsets[to] ?? 0) - begin));
  const file = await open(path, "r");
  try {
    await file.read(bytes, 0, bytes.length, begin);
  } finally {
    await file.close();
  }
  const entries: AuditEntry[] = [];
  for (let line = from; line < to; line++) {
    const [start = 0, end = 0] = offsets.slice(line, line + 2);
    const entry = readLine(bytes.toString("utf8", start - begin, end - begin - 1));
    if (entry?.sequence !== first + line) break;
    entries.push(entry);
  }
  return entries;
}

/** What one file holds, up to the first line that is no entry or does not follow the one before. */
export interface AuditContent {
  readonly entries: readonly AuditEntry[];
  /** Bytes of whole, good lines. */
  readonly goodBytes: number;
  readonly totalBytes: number;
  /** Whole lines, good or not. */
  readonly lines: number;
  /** Whether a whole line is bad; a torn last line alone is what a crash leaves. */
  readonly isAltered: boolean;
}

/** Reads one file and checks each line's digest and place. */
export async function readAuditFile({ path, first }: AuditFile): Promise<AuditContent> {
  const bytes = await readFile(path);
  const lines = offsetsIn(bytes).length - 1;
  const entries: AuditEntry[] = [];
  let at = 0;
  for (let end = bytes.indexOf(10, at); end !== -1; end = bytes.indexOf(10, at)) {
    const entry = readLine(bytes.toString("utf8", at, end));
    const before = entries.at(-1);
    const follows =
      entry !== null &&
      entry.sequence === first + entries.length &&
      (before === undefined || equalBytes(entry.previous, hashEntry(before)));
    if (entry === null || !follows) {
      return { entries, goodBytes: at, totalBytes: bytes.length, lines, isAltered: true };
    }
    entries.push(entry);
    at = end + 1;
  }
  return { entries, goodBytes: at, totalBytes: bytes.length, lines, isAltered: false };
}

/** What a check of a whole log found. */
export interface AuditCheck {
  readonly files: number;
  readonly entries: number;
  /** Sequence of the first entry that is kept; older files were deleted by rotation. */
  readonly first: number;
  /** Where the log is not what was written, for people; empty: it is whole. */
  readonly faults: readonly string[];
}

/** Checks every line and link of a log, across its files. */
export async function checkAuditFolder(folder: string): Promise<AuditCheck> {
  const files = await listAuditFiles(folder);
  const faults: string[] = [];
  let entries = 0;
  let last: AuditEntry | undefined;
  for (const file of files) {
    const content = await readAuditFile(file);
    const [first] = content.entries;
    if (content.isAltered) {
      faults.push(`${file.path}: not what was written from byte ${content.goodBytes} on`);
    } else if (content.goodBytes < content.totalBytes) {
      faults.push(`${file.path}: the last line is torn`);
    }
    if (last !== undefined && first !== undefined) {
      const isNext = first.sequence === last.sequence + 1;
      if (!isNext || !equalBytes(first.previous, hashEntry(last))) {
        faults.push(`${file.path}: does not follow entry ${last.sequence}`);
      }
    }
    entries += content.entries.length;
    last = content.entries.at(-1) ?? last;
  }
  return { files: files.length, entries, first: files[0]?.first ?? 0, faults };
}
