import { voteLogIdentity } from "@credlink/consensus-pbft";
import { digest } from "@credlink/primitives";
import { createSeededRandom, createSimulatedClock, createSimulatedDisk } from "@credlink/testkit";
import type { VoteLog } from "../../src/engine/vote-log.ts";
import { openVoteLog } from "../../src/engine/vote-log-writer.ts";
import { createRecordingLogger } from "./recording.ts";

export const FOLDER = "votes";
const identity = voteLogIdentity(digest(new Uint8Array(32).fill(1)), new Uint8Array(65).fill(4));

/** A machine in virtual time with a disk, on which the vote log of one key may be opened. */
export function createMachine(seed = 1) {
  const clock = createSimulatedClock();
  const disk = createSimulatedDisk({ clock, random: createSeededRandom(seed) });
  /** Lets time pass until a promise has settled. */
  const finish = async <T>(work: Promise<T>): Promise<T> => {
    let done = false;
    const mark = (): void => {
      done = true;
    };
    work.then(mark, mark);
    while (!done) if (!(await clock.runNext())) await clock.runUntil(clock.monotonicMs());
    return work;
  };
  const syncs: number[] = [];
  const logger = createRecordingLogger();
  const open = (headHeight = 0, segmentBytes?: number): Promise<VoteLog> =>
    finish(
      openVoteLog({
        disk: disk.mount(),
        folder: FOLDER,
        identity,
        headHeight,
        clock,
        logger,
        instruments: { voteLogSync: { observe: (seconds) => syncs.push(seconds) } },
        ...(segmentBytes === undefined ? {} : { segmentBytes }),
      }),
    );
  return { clock, disk, finish, logger, open, syncs };
}
