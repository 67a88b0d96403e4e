import { constants, type FileHandle, open } from "node:fs/promises";
import { taggedSm3 } from "@credlink/crypto";
import { toHex, utf8 } from "@credlink/primitives";
import { CaError } from "./errors.ts";
import { reasonOf } from "./files.ts";

/** Domain of the digest that links a line to all before it. */
export const JOURNAL_DOMAIN = "credlink/ca-journal/1";
/** What the first line names as the one before it. */
const NOTHING = "00".repeat(32);
const OWNER_ONLY = 0o600;

/** One line of a journal. */
export interface JournalLine {
  /** Counts from 1. */
  readonly sequence: number;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly entry: unknown;
}

/** Where a journal ends, as far as it was read. */
interface End {
  readonly bytes: number;
  readonly sequence: number;
  readonly digest: string;
  readonly atMs: number;
}

/**
 * A file of lines that only grows. Each line is `digest space JSON`; the digest covers the JSON,
 * which names the digest before it, so no line can be changed, moved or taken out from between
 * others unnoticed. Whoever appends holds the authority's lock.
 *
 * Invariant: what `append` returned from is on disk, whole.
 */
export class Journal {
  readonly #path: string;
  #end: End = { bytes: 0, sequence: 0, digest: NOTHING, atMs: 0 };

  constructor(path: string) {
    this.#path = path;
  }

  /** The time of the last line, milliseconds; 0 when there is none. */
  get lastMs(): number {
    return this.#end.atMs;
  }

  /** The digest of the last line: to be noted elsewhere, it fixes all that the journal says. */
  get digest(): string {
    return this.#end.digest;
  }

  /**
   * Reads what was appended since the last call. A last line that a crash cut off is taken away:
   * nobody was answered for it.
   * @throws CaError CA_JOURNAL_DAMAGED, CA_WRITE_FAILED
   */
  async read(): Promise<readonly JournalLine[]> {
    const file = await this.#open(constants.O_RDWR | constants.O_CREAT);
    try {
      const { size } = await file.stat();
      if (size < this.#end.bytes) throw this.#damaged("it was shortened");
      const buffer = Buffer.alloc(size - this.#end.bytes);
      await readAll(file, buffer, this.#end.bytes);
      const whole = buffer.lastIndexOf(0x0a) + 1;
      if (whole < buffer.length) {
        await file.truncate(this.#end.bytes + whole);
        await file.sync();
      }
      const text = buffer.subarray(0, whole).toString("utf8");
      return text === ""
        ? []
        : text
            .slice(0, -1)
            .split("\n")
            .map((line) => this.#take(line));
    } catch (error) {
      throw this.#asFailure(error);
    } finally {
      await file.close();
    }
  }

  /**
   * Appends an entry and makes it durable. `read` must have been called under the same lock.
   * @throws CaError CA_WRITE_FAILED
   */
  async append(entry: unknown, atMs: number): Promise<JournalLine> {
    const sequence = this.#end.sequence + 1;
    const at = new Date(atMs).toISOString();
    const json = JSON.stringify({ sequence, at, previous: this.#end.digest, entry });
    const line = `${digestOf(json)} ${json}`;
    const file = await this.#open(constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT);
    try {
      await file.appendFile(`${line}\n`);
      await file.sync();
    } catch (error) {
      throw this.#asFailure(error);
    } finally {
      await file.close();
    }
    return this.#take(line);
  }

  #take(line: string): JournalLine {
    const json = line.slice(65);
    if (line.slice(0, 65) !== `${digestOf(json)} `) throw this.#damaged("a line was changed");
    const value: unknown = JSON.parse(json);
    if (!isLine(value)) throw this.#damaged("a line is of another form");
    const { sequence, at, previous, entry } = value;
    if (sequence !== this.#end.sequence + 1 || previous !== this.#end.digest) {
      throw this.#damaged(`line ${sequence} does not follow`);
    }
    const bytes = this.#end.bytes + Buffer.byteLength(line) + 1;
    this.#end = { bytes, sequence, digest: line.slice(0, 64), atMs: Date.parse(at) };
    return { sequence, at, entry };
  }

  async #open(flags: number): Promise<FileHandle> {
    try {
      return await open(this.#path, flags | constants.O_NOFOLLOW, OWNER_ONLY);
    } catch (error) {
      throw this.#asFailure(error);
    }
  }

  #damaged(what: string): CaError {
    return new CaError("CA_JOURNAL_DAMAGED", `${this.#path}: ${what}`);
  }

  #asFailure(error: unknown): CaError {
    if (error instanceof CaError) return error;
    return new CaError("CA_WRITE_FAILED", `${this.#path}: ${reasonOf(error)}`, { cause: error });
  }
}

function digestOf(json: string): string {
  return toHex(taggedSm3(JOURNAL_DOMAIN, utf8(json)));
}

async function readAll(file: FileHandle, buffer: Buffer, position: number): Promise<void> {
  for (let done = 0; done < buffer.length; ) {
    const { bytesRead } = await file.read(buffer, done, buffer.length - done, position + done);
    if (bytesRead === 0) return;
    done += bytesRead;
  }
}

function isLine(value: unknown): value is JournalLine & { readonly previous: string } {
  return (
    typeof value === "object" &&
    value !== null &&
    "entry" in value &&
    "sequence" in value &&
    typeof value.sequence === "number" &&
    "at" in value &&
    typeof value.at === "string" &&
    "previous" in value &&
    typeof value.previous === "string"
  );
}
