/**
 * The two-step view synchroniser: a timer makes a WISH, q wishes make a view change. A lone slow
 * node never leaves the view, and a lone liar never moves it.
 *
 * @see Bravo, Chockler, Gotsman: Making Byzantine consensus live, DISC 2020
 */
import { MAX_VIEW, type ValidatorIndex, type View } from "@credlink/primitives";
import type { TimerKey } from "./effects.ts";
import {
  arm,
  disarm,
  isArmed,
  report,
  startViewTimer,
  viewAfter,
  viewTimeoutMs,
  viewTimer,
} from "./emit.ts";
import type { Wish } from "./messages.ts";
import { type HeightState, hasPassed, type Step, VIEW_ZERO, votingIndex } from "./state.ts";
import { enterView } from "./view-change.ts";

/** Upper bound of the interval at which a wish is sent again. */
const MAX_WISH_RETRANSMIT_MS = 1000;

/** Keeps the highest wish of each sender. */
export function onWish(step: Step, { sender, view }: Wish): void {
  const { wishes } = step.state.current;
  const known = wishes.get(sender);
  if (known === undefined || known < view) wishes.set(sender, view);
}

/** The timer of the current view ran out: wish for the next one, and stay in this one. */
export function onViewTimer(step: Step): void {
  const { current } = step.state;
  const self = votingIndex(step.state, current.height);
  if (self === null || current.view >= MAX_VIEW) return;
  report(step, "CONSENSUS_VIEW_TIMEOUT");
  const next = viewAfter(current.view);
  sendWish(step, self, laterView(current.ownWish, next));
}

function laterView(a: View, b: View): View {
  return a < b ? b : a;
}

function sendWish(step: Step, self: ValidatorIndex, view: View): void {
  const { state } = step;
  const { current } = state;
  current.ownWish = view;
  current.wishes.set(self, view);
  const { height } = current;
  step.effects.push({ type: "broadcast", message: { type: "wish", height, view, sender: self } });
  const half = Math.floor(viewTimeoutMs(state, current.view) / 2);
  arm(step, wishTimer(current), Math.max(1, Math.min(half, MAX_WISH_RETRANSMIT_MS)));
}

function wishTimer(current: HeightState): TimerKey {
  return { kind: "wish-retransmit", height: current.height, view: current.view };
}

/** Sends the own wish again, until its view is entered. */
export function onWishTimer(step: Step): void {
  const { current } = step.state;
  const self = votingIndex(step.state, current.height);
  if (self !== null && current.ownWish > current.view) sendWish(step, self, current.ownWish);
}

/** The k-th highest wish, 0 when fewer than k validators wish. */
function nthWish(current: HeightState, k: number): View {
  const descending = [...current.wishes.values()].sort((a, b) => b - a);
  return descending[k - 1] ?? VIEW_ZERO;
}

/** Follows an honest validator's wish: f + 1 wish for more than we do. */
export function wishRule(step: Step): boolean {
  const { current } = step.state;
  const self = votingIndex(step.state, current.height);
  const wished = nthWish(current, current.honestOne);
  if (self === null || wished <= current.ownWish) return false;
  report(step, "CONSENSUS_WISH_RAISED");
  sendWish(step, self, wished);
  return true;
}

/** Enters the view that q validators wish for. */
export function enterViewRule(step: Step): boolean {
  const { current } = step.state;
  const wished = nthWish(current, current.quorum);
  if (wished <= current.view) return false;
  enterView(step, wished);
  return true;
}

/** Whether anything is to be done in view 0, so that its timer must run. */
function isActive(step: Step): boolean {
  const { state } = step;
  const { current } = state;
  const { emptyBlockIntervalMs, minBlockIntervalMs } = current.timing;
  const emptyDue = emptyBlockIntervalMs > 0 && hasPassed(step, emptyBlockIntervalMs);
  // Before the minimum interval is over nobody may propose, however long that is.
  const workDue = state.workPending && hasPassed(step, minBlockIntervalMs);
  return (
    workDue ||
    emptyDue ||
    current.firstProposals.has(VIEW_ZERO) ||
    current.wishes.size >= current.honestOne
  );
}

/**
 * Starts the timer of view 0 when there is something to wait for, and stops it when that went
 * away: an idle chain changes no views. Views above 0 have their timer from their entry on.
 */
export function activityRule(step: Step): boolean {
  const { state, nowMs } = step;
  const { current } = state;
  const active = isActive(step);
  if (active && current.activeSinceMs === null) current.activeSinceMs = nowMs;
  if (current.view !== 0 || votingIndex(state, current.height) === null) return false;
  if (active && !current.timed.has(current.view)) {
    startViewTimer(step);
  } else if (!active && isArmed(state, viewTimer(state))) {
    current.timed.delete(current.view);
    current.activeSinceMs = null;
    disarm(step, viewTimer(state));
  }
  return false;
}
