import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { utf8 } from "@credlink/primitives";
import { z } from "zod";
import { readTextOf } from "./connection.ts";
import { CliError } from "./errors.ts";
import { replaceFile } from "./line-file.ts";

const count = z.number().int().min(0);
const hex = z.string().regex(/^[0-9a-f]{64}$/);

const progressSchema = z.strictObject({
  format: z.literal("credlink-enrolment-progress/1"),
  /** Genesis digest, and the address that the enrolment key would give. */
  genesis: hex,
  enrolmentKey: z.string(),
  /** Lines of the list that are done, and a digest over them. */
  lines: count,
  digest: hex,
  /** Bytes of the two files that belong to these lines: what lies behind was cut off by a crash. */
  resultsBytes: count,
  rejectsBytes: count,
  enrolled: count,
  present: count,
  rejected: count,
});

/** How far an enrolment has come. */
export type EnrolmentProgress = z.infer<typeof progressSchema>;

/**
 * The folder of one list's enrolment: `results.jsonl`, `rejects.jsonl` and `progress.json`, for their
 * owner alone. Progress is replaced after what it counts is on disk, so a kill loses no row and
 * doubles none.
 */
export class EnrolmentFiles {
  progress: EnrolmentProgress;
  readonly #path: string;
  readonly #results: number;
  readonly #rejects: number;

  /** @throws CliError CLI_FILE_MALFORMED, CLI_PROGRESS_OTHER */
  constructor(dir: string, source: Pick<EnrolmentProgress, "genesis" | "enrolmentKey">) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    this.#path = join(dir, "progress.json");
    this.progress = readProgress(this.#path, source);
    this.#results = open(join(dir, "results.jsonl"), this.progress.resultsBytes);
    this.#rejects = open(join(dir, "rejects.jsonl"), this.progress.rejectsBytes);
  }

  /** Appends what became of some rows, then says that they are done. */
  append(
    results: readonly object[],
    rejects: readonly object[],
    done: Pick<EnrolmentProgress, "lines" | "digest" | "enrolled" | "present">,
  ): void {
    const { resultsBytes, rejectsBytes, rejected } = this.progress;
    this.progress = {
      ...this.progress,
      ...done,
      resultsBytes: resultsBytes + appendLines(this.#results, resultsBytes, results),
      rejectsBytes: rejectsBytes + appendLines(this.#rejects, rejectsBytes, rejects),
      rejected: rejected + rejects.length,
    };
    replaceFile(this.#path, `${JSON.stringify(this.progress, null, 2)}\n`);
  }

  close(): void {
    closeSync(this.#results);
    closeSync(this.#rejects);
  }
}

function readProgress(
  path: string,
  source: Pick<EnrolmentProgress, "genesis" | "enrolmentKey">,
): EnrolmentProgress {
  if (!existsSync(path)) {
    const counts = { lines: 0, resultsBytes: 0, rejectsBytes: 0, enrolled: 0, present: 0 };
    const format = "credlink-enrolment-progress/1";
    return { format, ...source, digest: "00".repeat(32), ...counts, rejected: 0 };
  }
  let json: unknown;
  try {
    json = JSON.parse(readTextOf(path));
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError("CLI_FILE_MALFORMED", `${path} is not JSON`, { cause });
  }
  const parsed = progressSchema.safeParse(json);
  if (!parsed.success) throw new CliError("CLI_FILE_MALFORMED", path);
  const { genesis, enrolmentKey } = parsed.data;
  if (genesis !== source.genesis) throw new CliError("CLI_PROGRESS_OTHER", "another chain");
  if (enrolmentKey !== source.enrolmentKey) {
    throw new CliError("CLI_PROGRESS_OTHER", "another enrolment key");
  }
  return parsed.data;
}

function open(path: string, bytes: number): number {
  const file = openSync(path, existsSync(path) ? "r+" : "w+", 0o600);
  ftruncateSync(file, bytes);
  return file;
}

function appendLines(file: number, at: number, lines: readonly object[]): number {
  if (lines.length === 0) return 0;
  const bytes = utf8(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(file, bytes, written, bytes.length - written, at + written);
  }
  fsyncSync(file);
  return bytes.length;
}
