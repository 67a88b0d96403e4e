import { readdir, readFile } from "node:fs/promises";
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
  const lines = bytes.reduce((count, byte) => count + (byte === 10 ? 1 : 0), 0);
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
