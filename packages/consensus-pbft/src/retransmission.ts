/** Messages may be lost: own votes are sent again, and peers that are behind are answered. */
import type { Height, ValidatorIndex } from "@credlink/primitives";
import { armRetransmission, report, timesOf } from "./emit.ts";
import type { Message, UnsignedMessage } from "./messages.ts";
import { type Step, votingIndex } from "./state.ts";

const ORDER = ["view-change", "pre-prepare", "prepare", "commit"] as const;

/** Sends the own votes of the current view again. */
export function onRetransmitTimer(step: Step): void {
  const { state } = step;
  const { sent, height } = state.current;
  if (votingIndex(state, height) === null || sent.size === 0) return;
  for (const type of ORDER) {
    const message: UnsignedMessage | undefined = sent.get(type);
    if (message !== undefined) step.effects.push({ type: "broadcast", message });
  }
  armRetransmission(step, timesOf(state).repeatMs);
}

/**
 * Answers a message about a decided height with its certificate. A vote that is merely late gets
 * no answer; one that comes a while after the decision was sent again by somebody who is stuck.
 */
export function answerLate(
  step: Step,
  message: Exclude<Message, { readonly type: "decided" }>,
): void {
  const { state, nowMs } = step;
  const { height, sender, type } = message;
  const decision = state.recent.get(height);
  if (decision === undefined || sender >= decision.validatorCount) return;
  const isStuck = type === "wish" || type === "view-change";
  if (!isStuck && Math.abs(nowMs - decision.decidedAtMs) < timesOf(state).answerMs) return;
  if (!mayAnswer(step, height, sender)) return;
  const { certificate, proposal } = decision;
  report(step, "CONSENSUS_LATE_MESSAGE_ANSWERED", `validator ${sender}`);
  step.effects.push({
    type: "send",
    to: sender,
    message: { type: "decided", certificate, proposal },
  });
}

function mayAnswer({ state, nowMs }: Step, height: Height, sender: ValidatorIndex): boolean {
  const key = `${height}/${sender}`;
  const last = state.answered.get(key);
  if (last !== undefined && Math.abs(nowMs - last.atMs) < timesOf(state).answerMs) return false;
  state.answered.set(key, { height, atMs: nowMs });
  return true;
}
