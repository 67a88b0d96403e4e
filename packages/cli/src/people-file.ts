import { MAX_REFERENCE_BYTES, type Person, readEvidence } from "@credlink/client";
import { identityEvidenceKinds } from "@credlink/ledger";
import { AppError, utf8 } from "@credlink/primitives";
import { z } from "zod";
import { CliError } from "./errors.ts";
import { readLines } from "./line-file.ts";

/** Most bytes of one row: a certificate in PEM has room. */
export const MAX_ROW_BYTES = 64 * 1024;
const CSV_HEADER = "reference,kind,value";

/** One row of a list of people: a person in normal form, or why it is none. */
export type PeopleRow = { readonly line: number } & (
  | { readonly person: Person }
  | { readonly code: string; readonly reference: string | null }
);

/** What is read of a list, line by line. */
export interface PeopleLine {
  /** As it stands in the file. */
  readonly text: string;
  /** Null for a header or an empty line. */
  readonly row: PeopleRow | null;
}

const rowSchema = z.strictObject({
  reference: z.string().refine((text) => {
    const { length } = utf8(text);
    return length >= 1 && length <= MAX_REFERENCE_BYTES;
  }),
  kind: z.enum(identityEvidenceKinds),
  value: z.string(),
});

/**
 * Reads a list of people, `.csv` with the header `reference,kind,value` (RFC 4180, no line breaks in
 * fields) or `.jsonl` with an object of these three a line. A bad row is an answer, not the end.
 *
 * @param nowMs when certificates must be valid.
 * @throws CliError CLI_FILE_UNREADABLE, CLI_DOCUMENT_UNKNOWN (no UTF-8, a row above 64 KiB),
 *   CLI_FILE_MALFORMED for another ending or header
 */
export async function* readPeople(path: string, nowMs: number): AsyncGenerator<PeopleLine> {
  const isCsv = path.endsWith(".csv");
  if (!isCsv && !path.endsWith(".jsonl")) {
    throw new CliError("CLI_FILE_MALFORMED", `${path} ends neither in .csv nor in .jsonl`);
  }
  let line = 0;
  for await (const text of readLines(path, MAX_ROW_BYTES)) {
    line += 1;
    const content = text.replace(/\r$/, "");
    const isHeader = isCsv && line === 1;
    if (isHeader && content.replace(/^\ufeff/, "") !== CSV_HEADER) {
      throw new CliError("CLI_FILE_MALFORMED", `${path}: the header is not ${CSV_HEADER}`);
    }
    const isEmpty = content.trim() === "";
    const row = isHeader || isEmpty ? null : { line, ...judge(isCsv, content, nowMs) };
    yield { text, row };
  }
}

function judge(isCsv: boolean, content: string, nowMs: number) {
  const parsed = rowSchema.safeParse(isCsv ? csvRow(content) : jsonRow(content));
  if (!parsed.success) return { code: "CLI_ROW_MALFORMED", reference: null };
  const { reference, kind, value } = parsed.data;
  try {
    return { person: { reference, kind, value: readEvidence(kind, value, nowMs) } };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { code: "CLIENT_EVIDENCE_INVALID", reference };
  }
}

function jsonRow(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return null;
  }
}

function csvRow(content: string): unknown {
  const fields = csvFields(content);
  if (fields?.length !== 3) return null;
  const [reference, kind, value] = fields;
  return { reference, kind, value };
}

/** A field in quotes, with quotes doubled, or one without any. @see RFC 4180 §2 */
const FIELD = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;

/** Fields of one line, or null when it is none. */
export function csvFields(content: string): readonly string[] | null {
  const fields: string[] = [];
  FIELD.lastIndex = 0;
  for (;;) {
    const found = FIELD.exec(content);
    if (found === null) return null;
    const [, quoted, plain = "", end] = found;
    fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === "") return fields;
  }
}
