import { parseSegmentName, type VoteRecord } from "@credlink/consensus-pbft";
import type { Disk, Height, Logger } from "@credlink/primitives";
import { EngineError } from "./errors.ts";
import type { PlainLog, VoteLog } from "./vote-log.ts";

/** Stands in the folder while a log is begun anew: whatever is there then must not be trusted. */
export const RENEWAL_MARKER = "renewing";
const ABANDONED = ".abandoned-";
/** Logs that were moved aside and are kept for whoever examines what happened; older ones go. */
export const KEPT_ABANDONED = 4;

async function createMarker(disk: Disk, folder: string): Promise<void> {
  const file = await disk.open(`${folder}/${RENEWAL_MARKER}`, { create: true });
  await file.sync();
  await file.close();
  await disk.syncFolder(folder);
}

/** Which of the logs that were moved aside a file belongs to, counted from 1; null for others. */
function abandonedNumber(name: string): number | null {
  const [, number] = name.split(ABANDONED);
  return number === undefined ? null : Number.parseInt(number, 10);
}

/** The name that a file of the folder had before its log was moved aside. */
export function segmentNameOf(name: string): string {
  return name.split(ABANDONED)[0] ?? name;
}

/**
 * Moves all segments aside under names that no reader takes for segments. The marker is durable
 * before the first of them moves: a log that lost only some of its segments would look whole.
 *
 * @returns the number that they were given.
 */
async function moveAside(disk: Disk, folder: string): Promise<number> {
  await createMarker(disk, folder);
  const names = await disk.list(folder);
  const next = Math.max(0, ...names.map((name) => abandonedNumber(name) ?? 0)) + 1;
  for (const name of names) {
    if (parseSegmentName(name) === null) continue;
    await disk.rename(`${folder}/${name}`, `${folder}/${name}${ABANDONED}${next}`);
  }
  await disk.syncFolder(folder);
  return next;
}

/** Deletes the logs moved aside that are too old to be kept; returns how many files they had. */
async function forgetOld(disk: Disk, folder: string, newest: number): Promise<number> {
  const old = (await disk.list(folder)).filter((name) => {
    return (abandonedNumber(name) ?? newest) <= newest - KEPT_ABANDONED;
  });
  for (const name of old) await disk.remove(`${folder}/${name}`);
  if (old.length > 0) await disk.syncFolder(folder);
  return old.length;
}

/** What beginning anew needs. */
export interface RenewalComponents {
  readonly disk: Disk;
  readonly folder: string;
  readonly logger: Logger;
  /** Creates an empty log in the folder. */
  readonly create: () => Promise<PlainLog>;
}

/** A vote log that can be begun anew once its validator has recovered. */
class RenewableLog implements VoteLog {
  readonly #parts: RenewalComponents;
  #inner: PlainLog;
  #records: readonly VoteRecord[];
  #distrusted: string | null = null;
  /** What is appended while the log is begun anew waits for that. */
  #renewal: Promise<void> | null = null;

  constructor(parts: RenewalComponents, inner: PlainLog) {
    this.#parts = parts;
    this.#inner = inner;
    this.#records = inner.records;
  }

  get records(): readonly VoteRecord[] {
    return this.#records;
  }

  get abstain(): string | null {
    return this.#inner.abstain ?? this.#distrusted;
  }

  append(records: readonly VoteRecord[]): Promise<void> {
    if (this.#renewal === null) return this.#inner.append(records);
    return this.#renewal.then(() => this.#inner.append(records));
  }

  prune(height: number): void {
    this.#inner.prune(height);
  }

  distrust(height: Height): Promise<void> {
    this.#distrusted = "misses a vote that others have seen";
    return this.append([{ type: "abstained", height }]);
  }

  async renew(records: readonly VoteRecord[]): Promise<void> {
    this.#renewal = this.#renew(records).finally(() => {
      this.#renewal = null;
    });
    return this.#renewal;
  }

  async close(): Promise<void> {
    await this.#renewal;
    await this.#inner.close();
  }

  async #renew(records: readonly VoteRecord[]): Promise<void> {
    const { disk, folder, create, logger } = this.#parts;
    try {
      await this.#inner.close();
      const number = await moveAside(disk, folder);
      const fresh = await create();
      await fresh.append(records);
      await disk.remove(`${folder}/${RENEWAL_MARKER}`);
      await disk.syncFolder(folder);
      this.#inner = fresh;
      this.#records = records;
      this.#distrusted = null;
      // Only now: a crash before leaves a log that is not trusted, and all that could explain why.
      const deletedFiles = await forgetOld(disk, folder, number);
      const kept = `*${ABANDONED}${number}`;
      logger.warn("vote log begun anew, the old one is kept", { folder, kept, deletedFiles });
    } catch (cause) {
      if (cause instanceof EngineError) throw cause;
      const text = "the vote log could not be begun anew";
      throw new EngineError("NODE_VOTE_LOG_FAILED", text, { cause });
    }
  }
}

/** Makes a log renewable. */
export function createRenewableLog(parts: RenewalComponents, inner: PlainLog): VoteLog {
  return new RenewableLog(parts, inner);
}
