/**
 * How soon what may be lost is sent again, and who is taken for one that lost something.
 * @see docs/protocol/consensus.md §7
 */

/** Milliseconds, all of them derived from one: half the shortest view timeout. */
export interface RetransmissionTimes {
  /** A vote is sent again so long after it was sent, at the latest … */
  readonly firstMs: number;
  /** … and so often from then on, as long as the view lasts. */
  readonly repeatMs: number;
  /**
   * A vote for a decided height that comes this long after the decision was sent by somebody who
   * is stuck; also the least time between two answers to one peer about one height.
   */
  readonly answerMs: number;
  /**
   * So long after a decision its last votes still arrive from those who are merely slow: a shell
   * may drop them unverified. Shorter than `firstMs`, so that what is sent again is heard.
   */
  readonly lateMs: number;
}

const LEAST_FIRST_MS = 100;
const REPEAT_MS = 500;

/**
 * By the lower bound of T0, not by the timeout of our own view: those who wait for our vote may
 * have come down to it while we, just started, have not.
 */
export function retransmissionTimes(minTimeoutMs: number): RetransmissionTimes {
  const half = Math.floor(minTimeoutMs / 2);
  const firstMs = Math.min(Math.max(half, LEAST_FIRST_MS), REPEAT_MS);
  return {
    firstMs,
    repeatMs: REPEAT_MS,
    answerMs: Math.floor(firstMs / 2),
    lateMs: Math.floor(firstMs * 0.8),
  };
}
