import { lockFolder, systemClock } from "@credlink/node/service";
import { AppError, type Clock } from "@credlink/primitives";
import { z } from "zod";
import { CaError } from "./errors.ts";
import { authorityPaths, checkOwnFolder, readText, reasonOf } from "./files.ts";
import { IssuanceState } from "./issuance-state.ts";
import { Journal } from "./journal.ts";
import type { AuditEntry, IssuanceRecord } from "./records.ts";

/** Version of the folder's form; another one is refused. */
export const CA_FORMAT = 1;

const description = z.strictObject({
  format: z.literal(CA_FORMAT),
  kind: z.enum(["root", "organization"]),
  organization: z.string(),
});

/** What `ca.json` says. */
export type AuthorityDescription = z.infer<typeof description>;

/** How long an act waits for another process's, milliseconds. */
const LOCK_WAIT_MS = 10_000;
const LOCK_RETRY_MS = 50;
/** How far the clock may be behind the last act, milliseconds. */
const CLOCK_TOLERANCE_MS = 5_000;

/** What an act on an authority may read and write while it has the folder for itself. */
export interface Act {
  readonly description: AuthorityDescription;
  readonly state: IssuanceState;
  readonly paths: ReturnType<typeof authorityPaths>;
  /** The moment of the act, milliseconds. */
  readonly nowMs: number;
  /** Makes a record durable and takes it into `state`. */
  record(record: IssuanceRecord): Promise<void>;
}

/** Who acts, and what shall be noted of it. */
export interface ActDescription {
  readonly act: string;
  readonly actor: string;
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
}

/** Users of the machine are named in the audit file by what the system knows of them. */
export function currentActor(): string {
  return `uid ${process.getuid?.() ?? "-"} pid ${process.pid}`;
}

/** @throws CaError CA_FOLDER_UNKNOWN */
export async function readDescription(dir: string): Promise<AuthorityDescription> {
  const { description: path } = authorityPaths(dir);
  const text = await readText(path, "CA_FOLDER_UNKNOWN");
  try {
    return description.parse(JSON.parse(text));
  } catch (cause) {
    throw new CaError("CA_FOLDER_UNKNOWN", `${path}: not of format ${CA_FORMAT}`, { cause });
  }
}

/**
 * An authority's folder. One act at a time has it, whichever process it runs in; what it reads is
 * what all acts before it have left.
 */
export class AuthorityFolder {
  readonly #paths: ReturnType<typeof authorityPaths>;
  readonly #clock: Clock;
  readonly #issuance: Journal;
  readonly #audit: Journal;
  readonly #state = new IssuanceState();
  #last: Promise<unknown> = Promise.resolve();
  /** What was found wrong once is not looked past later. */
  #damage: CaError | undefined;

  constructor(dir: string, clock: Clock = systemClock) {
    this.#paths = authorityPaths(dir);
    this.#clock = clock;
    this.#issuance = new Journal(this.#paths.issuance);
    this.#audit = new Journal(this.#paths.audit);
  }

  get paths(): ReturnType<typeof authorityPaths> {
    return this.#paths;
  }

  /** What to note elsewhere: it fixes all that the issuance database says up to now. */
  get digest(): string {
    return this.#issuance.digest;
  }

  /**
   * Runs one act and notes it in the audit file, whether it succeeds or is refused.
   * @throws CaError CA_FOLDER_…, CA_LOCKED, CA_CLOCK_BEHIND, CA_JOURNAL_DAMAGED, CA_WRITE_FAILED,
   *   and what the act throws
   */
  run<T>(described: ActDescription, action: (act: Act) => Promise<T>): Promise<T> {
    const next = this.#last.then(() => this.#locked(() => this.#run(described, action)));
    this.#last = next.catch(() => undefined);
    return next;
  }

  /** Reads without an entry in the audit file. @throws as `run` */
  read<T>(read: (act: Act) => Promise<T> | T): Promise<T> {
    const next = this.#last.then(() => this.#locked(async () => read(await this.#begin())));
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #locked<T>(action: () => Promise<T>): Promise<T> {
    await checkOwnFolder(this.#paths.dir);
    const endMs = this.#clock.monotonicMs() + LOCK_WAIT_MS;
    for (;;) {
      const lock = await this.#tryLock(endMs);
      if (lock === undefined) continue;
      try {
        return await action();
      } finally {
        await lock.release();
      }
    }
  }

  async #tryLock(endMs: number): Promise<Awaited<ReturnType<typeof lockFolder>> | undefined> {
    try {
      return await lockFolder(this.#paths.dir);
    } catch (cause) {
      if (!(cause instanceof AppError) || cause.code !== "NODE_VOTE_LOG_LOCKED") {
        throw new CaError("CA_WRITE_FAILED", `${this.#paths.dir}: ${reasonOf(cause)}`, { cause });
      }
      if (this.#clock.monotonicMs() > endMs) throw new CaError("CA_LOCKED", this.#paths.dir);
      await new Promise<void>((resolve) => this.#clock.schedule(LOCK_RETRY_MS, resolve));
      return undefined;
    }
  }

  async #readJournals(): Promise<void> {
    if (this.#damage !== undefined) throw this.#damage;
    try {
      for (const { entry } of await this.#issuance.read()) this.#state.apply(entry);
      await this.#audit.read();
    } catch (error) {
      if (error instanceof CaError && error.code === "CA_JOURNAL_DAMAGED") this.#damage = error;
      throw error;
    }
  }

  async #begin(): Promise<Act> {
    const found = await readDescription(this.#paths.dir);
    await this.#readJournals();
    const nowMs = this.#clock.nowMs();
    const lastMs = Math.max(this.#issuance.lastMs, this.#audit.lastMs);
    if (nowMs < lastMs - CLOCK_TOLERANCE_MS) {
      throw new CaError("CA_CLOCK_BEHIND", `the last act was at ${new Date(lastMs).toISOString()}`);
    }
    return {
      description: found,
      state: this.#state,
      paths: this.#paths,
      nowMs,
      record: async (record) => {
        await this.#issuance.append(record, nowMs);
        this.#state.apply(record);
      },
    };
  }

  async #run<T>(described: ActDescription, action: (act: Act) => Promise<T>): Promise<T> {
    const act = await this.#begin();
    const { act: name, actor, details = {} } = described;
    const note = (outcome: string): Promise<unknown> => {
      const entry: AuditEntry = { act: name, actor, outcome, ...details };
      return this.#audit.append(entry, act.nowMs);
    };
    let result: T;
    try {
      result = await action(act);
    } catch (error) {
      await note(error instanceof AppError ? error.code : "UNEXPECTED");
      throw error;
    }
    await note("ok");
    return result;
  }
}
