import {
  closeSync,
  createReadStream,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { concatBytes } from "@credlink/primitives";
import { CliError } from "./errors.ts";

const LINE_FEED = 0x0a;

/**
 * Lines of a file without their line feeds, as they are read: a large file is never in memory.
 * @throws CliError CLI_FILE_UNREADABLE, CLI_DOCUMENT_UNKNOWN for a line above `maxBytes` or not UTF-8
 */
export async function* readLines(path: string, maxBytes: number): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const textOf = (bytes: Uint8Array): string => {
    try {
      return decoder.decode(bytes);
    } catch (cause) {
      throw new CliError("CLI_DOCUMENT_UNKNOWN", `${path} is not UTF-8`, { cause });
    }
  };
  let rest: Uint8Array = new Uint8Array(0);
  for await (const chunk of createReadStream(path)) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      yield textOf(concatBytes(rest, chunk.subarray(from, end)));
      rest = new Uint8Array(0);
      from = end + 1;
    }
    rest = concatBytes(rest, chunk.subarray(from));
    if (rest.length > maxBytes)
      throw new CliError("CLI_DOCUMENT_UNKNOWN", `${path}: a line too long`);
  }
  if (rest.length > 0) yield textOf(rest);
}

/** Whole or not at all, and readable by its owner alone: it may hold a payload in clear. */
export function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/**
 * Adds lines to a file of receipts and makes them durable; the file is its owner's alone.
 * @throws CliError CLI_FILE_UNREADABLE
 */
export function appendReceipts(path: string, lines: string): void {
  try {
    const file = openSync(path, "a", 0o600);
    try {
      writeFileSync(file, lines);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
    throw new CliError("CLI_FILE_UNREADABLE", `${path}: ${reason}`, { cause });
  }
}

/** The first bytes of a file as text. @throws CliError CLI_FILE_UNREADABLE */
export function beginningOf(path: string, bytes: number): string {
  const buffer = new Uint8Array(bytes);
  const file = openSync(path, "r");
  try {
    return new TextDecoder().decode(buffer.subarray(0, readSync(file, buffer)));
  } finally {
    closeSync(file);
  }
}
