import type { Clock } from "@credlink/primitives";

/** How often a node looks after what no message reminds it of, milliseconds. */
const HOUSEKEEPING_MS = 1_000;

/** Runs the tasks at once, and then about once a second. Returns how to stop. */
export function startHousekeeping(clock: Clock, tasks: readonly (() => void)[]): () => void {
  let isStopped = false;
  const round = (): void => {
    for (const task of tasks) if (!isStopped) task();
    if (!isStopped) stopTimer = clock.schedule(HOUSEKEEPING_MS, round);
  };
  let stopTimer = clock.schedule(0, round);
  return () => {
    isStopped = true;
    stopTimer();
  };
}
