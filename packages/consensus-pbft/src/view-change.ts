/** Entering views and the primary's basis for its proposal. @see docs/protocol/consensus.md §5 */
import type { View } from "@credlink/primitives";
import { checkViewChangeShape, highestPreparedView } from "./certificates.ts";
import { arm, disarmAll, persistVote, report, startViewTimer, timesOf } from "./emit.ts";
import { commitsOf, convict, findAmnesia, keepClaim, keepDenial } from "./evidence.ts";
import type { UnsignedMessage, ViewChange, ViewChangeVote } from "./messages.ts";
import { type Basis, type HeightState, type Step, validatorCount, votingIndex } from "./state.ts";

/** Views behind the current one whose votes are kept: they may still complete a certificate. */
const VIEWS_BEHIND = 8;

/**
 * Enters a view above the current one: durably if we vote. From here on nothing of a lower view
 * is voted; our VIEW-CHANGE names the highest prepared certificate that we ever sent COMMIT for.
 */
export function enterView(step: Step, view: View): void {
  const { state } = step;
  const { current } = state;
  disarmAll(step, current.height, current.view);
  current.view = view;
  current.basis = null;
  current.activeSinceMs = step.nowMs;
  current.sent.clear();
  current.fetches.clear();
  current.timed.clear();
  current.graced.clear();
  if (current.ownWish < view) current.ownWish = view;
  forgetViewsBelow(current, view - VIEWS_BEHIND);
  report(step, "CONSENSUS_VIEW_ENTERED");
  recordEntry(step);
}

/** Makes the entry of the current view durable, then says so; nothing if we may not vote. */
export function recordEntry(step: Step): void {
  const { state } = step;
  const { current } = state;
  if (votingIndex(state, current.height) === null) return;
  const { promises, view } = current;
  promises.view = view;
  promises.entryLock = promises.lock;
  const message = ownViewChange(current);
  if (message === null) return;
  persistVote(step, { type: "entered-view", height: current.height, view }, message);
  startViewTimer(step);
  if (current.ownWish > view) {
    const timer = { kind: "wish-retransmit", height: current.height, view } as const;
    arm(step, timer, timesOf(state).repeatMs);
  }
}

/** Our VIEW-CHANGE for the current view, or null for an observer. */
export function ownViewChange(current: HeightState): UnsignedMessage | null {
  const { height, view, self, promises } = current;
  if (self === null) return null;
  const prepared = promises.entryLock?.certificate ?? null;
  return {
    type: "view-change",
    height,
    view,
    preparedView: prepared?.view ?? null,
    preparedDigest: prepared?.digest ?? null,
    sender: self,
    prepared,
  };
}

function forgetViewsBelow(current: HeightState, lowest: number): void {
  const { firstProposals, accepted, prepares, commits, pastCommits } = current;
  for (const [view, votes] of commits) {
    if (view >= lowest) continue;
    for (const [sender, commit] of votes) {
      const past = pastCommits.get(sender);
      if (past === undefined || past.view < view) pastCommits.set(sender, commit);
    }
  }
  for (const perView of [firstProposals, accepted, prepares, commits]) {
    for (const view of [...perView.keys()]) if (view < lowest) perView.delete(view);
  }
}

/**
 * Keeps the sender's view change of the highest view. It also says that its sender wishes for
 * that view, so that a lost WISH does not hold anybody back.
 */
export function onViewChange(step: Step, message: ViewChange): void {
  const { current } = step.state;
  const shape = checkViewChangeShape(message, validatorCount(current));
  if (!shape.ok) {
    report(step, "CONSENSUS_VIEW_CHANGE_REFUSED", shape.code);
    return;
  }
  const other = keepClaim(current.claims, message);
  if (other !== null) convict(step, current.convicted, other, message);
  keepDenial(current.denials, message);
  for (const commit of commitsOf(current, message.sender)) {
    findAmnesia(step, current.convicted, current.denials, commit);
  }
  const known = current.viewChanges.get(message.sender);
  if (known !== undefined && known.view >= message.view) return;
  current.viewChanges.set(message.sender, message);
  const wished = current.wishes.get(message.sender);
  if (wished === undefined || wished < message.view) {
    current.wishes.set(message.sender, message.view);
  }
}

/** What justifies a proposal in the current view, once q distinct validators sent VIEW-CHANGE. */
export function findBasis(current: HeightState): Basis | null {
  const entered = [...current.viewChanges.values()]
    .filter((message) => message.view === current.view)
    .sort((a, b) => a.sender - b.sender);
  if (entered.length < current.quorum) return null;
  const highest = highestPreparedView(entered);
  const prover = entered.find((message) => highest !== null && message.preparedView === highest);
  return { viewChanges: entered.map(signedPart), prepared: prover?.prepared ?? null };
}

function signedPart(message: ViewChange): ViewChangeVote {
  const { height, view, preparedView, preparedDigest, sender, signature } = message;
  return { height, view, preparedView, preparedDigest, sender, signature };
}
