import type { Effect, Input, Replica } from "@credlink/consensus-pbft";

/** One step of one process's replica, as checkers see it. */
export interface WatchedStep {
  /** Null for the start. */
  readonly input: Input | null;
  readonly effects: readonly Effect[];
  /** Wall time that the replica was given. */
  readonly nowMs: number;
  /** The replica itself; its status is that after the step. */
  readonly replica: Replica;
}

/** The same replica, with every step shown to `observe` before its effects are carried out. */
export function watchReplica(replica: Replica, observe: (step: WatchedStep) => void): Replica {
  return {
    start(nowMs) {
      const effects = replica.start(nowMs);
      observe({ input: null, effects, nowMs, replica });
      return effects;
    },
    step(input, nowMs) {
      const effects = replica.step(input, nowMs);
      observe({ input, effects, nowMs, replica });
      return effects;
    },
    get status() {
      return replica.status;
    },
    get holdings() {
      return replica.holdings;
    },
  };
}
