import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { FormStore } from "@credlink/contracts-vm";
import { equalSecrets, hmacSm3 } from "@credlink/crypto";
import { concatBytes, type Logger, type Metrics, utf8 } from "@credlink/primitives";
import { formMetrics } from "./metrics.ts";

/** Settings and components of the files. */
export interface FormFilesOptions {
  /** Made where it is missing. */
  readonly folder: string;
  /** Secret of this node, from which nobody else can make a seal. */
  readonly key: Uint8Array;
  /** Most bytes of all files together; the least recently used are deleted. */
  readonly maxBytes: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Metered forms of contracts in files. */
export interface FormFiles extends FormStore {
  /** Waits for what is being written. */
  close(): Promise<void>;
}

const DOMAIN = utf8("credlink/contract-form-file/1");
const SEAL_BYTES = 32;
const NAME = /^[0-9a-f]{64}$/;

/**
 * One file for each form: its seal, an HMAC-SM3 over the form's name and content by a secret of the
 * node, and the content. Who alters a file cannot seal it, so it is refused, deleted and derived
 * again from the chain's own state. Everything here may be deleted at any time; nothing that
 * fails here stops the node, which then derives what it needs.
 */
export function createFormFiles(options: FormFilesOptions): FormFiles {
  return new SealedFiles(options);
}

class SealedFiles implements FormFiles {
  private readonly options: FormFilesOptions;
  private readonly refusals;
  private readonly failures;
  /** Sizes of the files, least recently used first. */
  private readonly sizes = new Map<string, number>();
  private totalBytes = 0;
  private writing: Promise<void> = Promise.resolve();

  constructor(options: FormFilesOptions) {
    this.options = options;
    this.refusals = options.metrics.counter(formMetrics.refusals);
    this.failures = options.metrics.counter(formMetrics.failures);
    try {
      this.open();
    } catch (error) {
      this.failed("open", error);
    }
  }

  load(name: string): Uint8Array | null {
    const file = this.read(name);
    if (file === null) return null;
    const content = file.slice(SEAL_BYTES);
    if (!equalSecrets(file.subarray(0, SEAL_BYTES), this.seal(name, content))) {
      this.refuse(name);
      return null;
    }
    // Used last: it is deleted last. Orders of earlier processes are those of writing.
    const size = this.sizes.get(name);
    if (size !== undefined) {
      this.sizes.delete(name);
      this.sizes.set(name, size);
    }
    return content;
  }

  save(name: string, content: Uint8Array): void {
    const file = concatBytes(this.seal(name, content), content);
    if (file.length > this.options.maxBytes) return;
    this.enqueue("write", async () => {
      await this.write(name, file);
      this.note(name, file.length);
      await this.evict();
    });
  }

  refuse(name: string): void {
    this.refusals.add();
    this.options.logger.error("contract cache file refused", { name });
    this.forget(name);
    try {
      rmSync(this.path(name), { force: true });
    } catch (error) {
      this.failed("delete", error);
    }
  }

  close(): Promise<void> {
    return this.writing;
  }

  private open(): void {
    const { folder } = this.options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const files: { readonly name: string; readonly size: number; readonly writtenMs: number }[] =
      [];
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      // What is not ours by its name is what a write left that a crash cut short.
      if (!NAME.test(name)) rmSync(path, { force: true });
      else files.push({ name, size: statSync(path).size, writtenMs: statSync(path).mtimeMs });
    }
    for (const { name, size } of files.sort((a, b) => a.writtenMs - b.writtenMs)) {
      this.note(name, size);
    }
    this.enqueue("delete", () => this.evict());
  }

  private path(name: string): string {
    return join(this.options.folder, name);
  }

  private seal(name: string, content: Uint8Array): Uint8Array {
    return hmacSm3(this.options.key, concatBytes(DOMAIN, utf8(name), content));
  }

  private read(name: string): Uint8Array | null {
    if (!this.sizes.has(name)) return null;
    try {
      return new Uint8Array(readFileSync(this.path(name)));
    } catch (error) {
      this.forget(name);
      this.failed("read", error);
      return null;
    }
  }

  /** Under another name first: a file is there whole or not at all. */
  private async write(name: string, file: Uint8Array): Promise<void> {
    const path = this.path(name);
    const temporary = `${path}.writing`;
    try {
      await writeDurably(temporary, file);
      await rename(temporary, path);
    } catch (error) {
      // On a full disk what was begun would take the room that is missing, until the next start.
      await rm(temporary, { force: true });
      throw error;
    }
  }

  private note(name: string, size: number): void {
    this.forget(name);
    this.sizes.set(name, size);
    this.totalBytes += size;
  }

  private forget(name: string): void {
    this.totalBytes -= this.sizes.get(name) ?? 0;
    this.sizes.delete(name);
  }

  private async evict(): Promise<void> {
    for (const name of [...this.sizes.keys()]) {
      if (this.totalBytes <= this.options.maxBytes) return;
      this.forget(name);
      await rm(this.path(name), { force: true });
    }
  }

  /** One write after the other, beside the execution of blocks. */
  private enqueue(what: string, task: () => Promise<void>): void {
    this.writing = this.writing.then(task).catch((error: unknown) => this.failed(what, error));
  }

  private failed(operation: string, error: unknown): void {
    this.failures.add();
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    this.options.logger.warn("contract cache failed", { operation, code });
  }
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, "w", 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}
