import type { TimerKey } from "@credlink/consensus-pbft";
import type { Clock } from "@credlink/primitives";

/** The timers that a replica set, by their keys. */
export interface ReplicaTimers {
  /** Sets a timer; one of the same key that runs already is forgotten. */
  set(timer: TimerKey, delayMs: number): void;
  cancel(timer: TimerKey): void;
  cancelAll(): void;
}

function nameOf({ kind, height, view }: TimerKey): string {
  return `${kind}/${height}/${view}`;
}

/** Makes the timers of one replica on the node's clock. */
export function createReplicaTimers(
  clock: Clock,
  onFire: (timer: TimerKey) => void,
): ReplicaTimers {
  const running = new Map<string, () => void>();
  const cancel = (timer: TimerKey): void => {
    const name = nameOf(timer);
    running.get(name)?.();
    running.delete(name);
  };
  return {
    cancel,
    set(timer, delayMs) {
      cancel(timer);
      const name = nameOf(timer);
      const stop = clock.schedule(delayMs, () => {
        running.delete(name);
        onFire(timer);
      });
      running.set(name, stop);
    },
    cancelAll() {
      for (const stop of running.values()) stop();
      running.clear();
    },
  };
}
