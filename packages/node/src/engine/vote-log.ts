import type { VoteRecord } from "@credlink/consensus-pbft";
import type { Digest, Height } from "@credlink/primitives";

/** The durable memory of what this validator promised. */
export interface VoteLog {
  /** Records found at opening, oldest first. */
  readonly records: readonly VoteRecord[];
  /** Why this validator must not vote; null when the log is whole. */
  readonly abstain: string | null;
  /** Resolves when the records and all earlier ones are durable. Order is that of the calls. */
  append(records: readonly VoteRecord[]): Promise<void>;
  /** From now on, and after a restart, this log is not trusted: it misses a vote of that height. */
  distrust(height: Height): Promise<void>;
  /**
   * Begins anew with these records, durable when this resolves: the old segments are moved aside. A
   * crash on the way leaves a log that is not trusted.
   */
  renew(records: readonly VoteRecord[]): Promise<void>;
  /** Deletes segments that speak of nothing above `height`. */
  prune(height: number): void;
  /** Waits for what was appended and closes the file. */
  close(): Promise<void>;
}

/** A log that is what it was opened as. */
export type PlainLog = Omit<VoteLog, "renew" | "distrust">;

/**
 * The last process may have gone down between its block and the log's word of it. The log learns of
 * the head before the next block follows, or a second crash would find it two heights behind.
 */
export async function noteHead(log: VoteLog, height: Height, digest: Digest): Promise<void> {
  const isNoted = log.records.some(
    (record) => record.type === "decided" && record.height >= height,
  );
  if (height === 0 || isNoted || log.abstain !== null) return;
  await log.append([{ type: "decided", height, digest }]);
}
