/** The ways in which rules put effects into a step. */
import { type Height, invariant, view as toView, type View } from "@credlink/primitives";
import type { TimerKey, VoteRecord } from "./effects.ts";
import type { ConsensusErrorCode } from "./errors.ts";
import type { UnsignedMessage } from "./messages.ts";
import type { ReportCode } from "./reports.ts";
import { type RetransmissionTimes, retransmissionTimes } from "./retransmission-times.ts";
import type { ReplicaState, Step } from "./state.ts";

/** Reports a fact about the current height and view. */
export function report(step: Step, code: ReportCode, detail?: string): void {
  const { height, view } = step.state.current;
  const fact = { type: "report", code, height, view } as const;
  step.effects.push(detail === undefined ? fact : { ...fact, detail });
}

/** Stops the replica: it votes no more and hears no more. */
export function halt(step: Step, code: ConsensusErrorCode): void {
  if (step.state.halted) return;
  step.state.halted = true;
  step.state.outbox = [];
  step.effects.push({ type: "halt", code, height: step.state.current.height });
}

/** Persists a record; the vote stays in the outbox until the record is durable. */
export function persistVote(step: Step, record: VoteRecord, message: UnsignedMessage): void {
  const { state } = step;
  const lsn = state.nextLsn++;
  step.effects.push({ type: "persist", lsn, records: [record] });
  state.outbox.push({ lsn, message });
}

/**
 * The barrier: sends what waits for records up to `lsn`, and nothing else ever sends a new vote.
 * A vote whose height or view we have left meanwhile is dropped; its record stays, so that
 * another one can never take its place. Only a COMMIT for what was just decided is still sent: others
 * may lack it, and nobody would send it again.
 */
export function releaseVotes(step: Step, lsn: number): void {
  const { state } = step;
  const ready = state.outbox.filter((entry) => entry.lsn <= lsn);
  state.outbox = state.outbox.filter((entry) => entry.lsn > lsn);
  for (const { message } of ready) {
    invariant(message.type !== "decided", "DECIDED needs no record");
    const { current, next } = state;
    if (message.height === current.height && message.view === current.view) {
      current.sent.set(message.type, message);
      step.effects.push({ type: "broadcast", message });
      armRetransmission(step, timesOf(state).firstMs);
    } else if (message.height === current.height + 1 && message.type === "pre-prepare") {
      next.sent = message;
      step.effects.push({ type: "broadcast", message });
    } else if (message.type === "commit" && isJustDecided(step, message.height)) {
      step.effects.push({ type: "broadcast", message });
    }
  }
}

/** Whether the head was decided so lately that who lacks our vote has not asked for it yet. */
function isJustDecided({ state, nowMs }: Step, height: Height): boolean {
  const decided = height === state.head.height ? state.recent.get(height) : undefined;
  return decided !== undefined && Math.abs(nowMs - decided.decidedAtMs) < timesOf(state).firstMs;
}

/** How soon this replica sends votes again and answers who is stuck. */
export function timesOf({ options }: ReplicaState): RetransmissionTimes {
  return retransmissionTimes(options.minTimeoutMs);
}

/** Own votes of the current view are out: sent again by then, a timer that is due later gives way. */
export function armRetransmission(step: Step, delayMs: number): void {
  const { state, nowMs } = step;
  const { height, view } = state.current;
  const timer: TimerKey = { kind: "vote-retransmit", height, view };
  if ((dueMs(state, timer) ?? Number.POSITIVE_INFINITY) > nowMs + delayMs) {
    arm(step, timer, delayMs);
  }
}

function keyOf(timer: TimerKey): string {
  return `${timer.kind}/${timer.height}/${timer.view}`;
}

/** When an armed timer is due, or undefined. */
export function dueMs(state: ReplicaState, timer: TimerKey): number | undefined {
  return state.armed.get(keyOf(timer))?.dueMs;
}

export function isArmed(state: ReplicaState, timer: TimerKey): boolean {
  return state.armed.has(keyOf(timer));
}

/** Sets a timer; one that is set already starts anew. */
export function arm(step: Step, timer: TimerKey, delayMs: number): void {
  step.state.armed.set(keyOf(timer), { timer, dueMs: step.nowMs + delayMs });
  step.effects.push({ type: "set-timer", timer, delayMs });
}

/** Takes note of a firing. False when the timer was not set: it is stale and means nothing. */
export function takeFiring(state: ReplicaState, timer: TimerKey): boolean {
  return state.armed.delete(keyOf(timer));
}

export function disarm(step: Step, timer: TimerKey): void {
  if (step.state.armed.delete(keyOf(timer))) step.effects.push({ type: "cancel-timer", timer });
}

/** Cancels every timer of a height, or of one of its views. */
export function disarmAll(step: Step, height: Height, view?: View): void {
  for (const { timer } of [...step.state.armed.values()]) {
    if (timer.height === height && (view === undefined || timer.view === view)) {
      disarm(step, timer);
    }
  }
}

/** T(v) = min(T0 · 1.5^v, cap), whole milliseconds. */
export function viewTimeoutMs(state: ReplicaState, view: View): number {
  const cap = state.options.maxTimeoutMs;
  let timeout = state.baseTimeoutMs;
  for (let i = 0; i < view && timeout < cap; i++) timeout *= 1.5;
  return Math.round(Math.min(timeout, cap));
}

/** The timer of the current view. */
export function viewTimer(state: ReplicaState): TimerKey {
  return { kind: "view", height: state.current.height, view: state.current.view };
}

/** Starts, or starts anew, the timer of the current view. */
export function startViewTimer(step: Step): void {
  const { current } = step.state;
  current.timed.add(current.view);
  arm(step, viewTimer(step.state), viewTimeoutMs(step.state, current.view));
}

/** The view after `view`. */
export function viewAfter(view: View): View {
  return toView(view + 1);
}
