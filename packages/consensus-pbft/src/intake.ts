/** Where a message goes: the decided past, the current height, the next one, or nowhere. */
import { assertNever, equalBytes, type ValidatorIndex } from "@credlink/primitives";
import { checkViewChangeShape } from "./certificates.ts";
import { onDecided } from "./deciding.ts";
import { report } from "./emit.ts";
import {
  convict,
  findAmnesia,
  isDoubleProposal,
  keepClaim,
  keepDenial,
  keepEarlyVote,
} from "./evidence.ts";
import type { Commit, Message, PrePrepare, Prepare, ViewChange, Wish } from "./messages.ts";
import { onCommit, onPrePrepare, onPrepare } from "./normal-case.ts";
import { onOwnVote } from "./recovery.ts";
import { answerLate } from "./retransmission.ts";
import { type Step, VIEW_ZERO } from "./state.ts";
import { onWish } from "./synchroniser.ts";
import { indexOfKey, primaryOf } from "./validator-set.ts";
import { onViewChange } from "./view-change.ts";

/** Pre-prepares of the next height that are kept: they may differ in their parent. */
const EARLY_PROPOSALS = 2;

type Voted = Exclude<Message, { readonly type: "decided" }>;

/**
 * Handles one verified message.
 *
 * @param receivedMs our clock when it arrived; earlier than now for one that had to wait.
 */
export function onMessage(step: Step, message: Message, receivedMs: number): void {
  if (message.type === "decided") {
    onDecided(step, message);
    return;
  }
  const { state } = step;
  const { current } = state;
  if (message.height < current.height) {
    answerLate(step, message);
    return;
  }
  if (message.height > current.height + 1) {
    report(step, "CONSENSUS_MESSAGE_BEYOND_WINDOW", `height ${message.height}`);
    return;
  }
  const isNow = message.height === current.height;
  const validators = isNow ? current.validators : current.nextValidators;
  if (message.sender >= validators.validators.length) {
    report(step, "CONSENSUS_SENDER_UNKNOWN", `validator ${message.sender}`);
    return;
  }
  if (message.sender === indexOfKey(validators, state.options.publicKey)) {
    onOwnVote(step, message);
  }
  if (isNow) handle(step, message, receivedMs);
  else keepForNext(step, message, receivedMs);
}

function handle(step: Step, message: Voted, receivedMs: number): void {
  switch (message.type) {
    case "pre-prepare":
      onPrePrepare(step, message, receivedMs);
      return;
    case "prepare":
      onPrepare(step, message);
      return;
    case "commit":
      onCommit(step, message);
      return;
    case "wish":
      onWish(step, message);
      return;
    case "view-change":
      onViewChange(step, message);
      return;
    default:
      assertNever(message);
      return;
  }
}

/** Keeps of each sender the WISH and VIEW-CHANGE of its highest view, and its votes of late views. */
function keepForNext(step: Step, message: Voted, receivedMs: number): void {
  const { next } = step.state;
  switch (message.type) {
    case "pre-prepare":
      keepPrePrepare(step, message, receivedMs);
      return;
    case "prepare":
      keepVote(step, next.prepares, message);
      return;
    case "commit":
      keepVote(step, next.commits, message);
      findAmnesia(step, next.convicted, next.denials, message);
      return;
    case "view-change":
      keepHighest(next.viewChanges, message);
      claimForNext(step, message);
      return;
    case "wish":
      keepHighest(next.wishes, message);
      return;
    default:
      assertNever(message);
      return;
  }
}

function claimForNext(step: Step, message: ViewChange): void {
  const { current, next } = step.state;
  const other = keepClaim(next.claims, message);
  if (other !== null) convict(step, next.convicted, other, message);
  // A certificate that does not fit may have been exchanged on the way: that is no evidence (§9).
  if (!checkViewChangeShape(message, current.nextValidators.validators.length).ok) return;
  keepDenial(next.denials, message);
  for (const commit of next.commits.get(message.sender) ?? []) {
    findAmnesia(step, next.convicted, next.denials, commit);
  }
}

function keepHighest<V extends Wish | ViewChange>(kept: Map<ValidatorIndex, V>, message: V): void {
  const known = kept.get(message.sender);
  if (known === undefined || known.view < message.view) kept.set(message.sender, message);
}

function keepVote<V extends Prepare | Commit>(
  step: Step,
  kept: Map<ValidatorIndex, readonly V[]>,
  message: V,
): void {
  const other = keepEarlyVote(kept, message);
  if (other !== null) convict(step, step.state.next.convicted, other, message);
}

function keepPrePrepare(step: Step, message: PrePrepare, receivedMs: number): void {
  const { current, next } = step.state;
  const { prePrepares } = next;
  const primary = primaryOf(current.nextValidators, message.height, VIEW_ZERO);
  if (message.view !== 0 || message.sender !== primary || message.justification !== null) {
    report(step, "CONSENSUS_PROPOSAL_REFUSED", "not the next height's primary");
    return;
  }
  for (const { message: known } of prePrepares) {
    if (isDoubleProposal(known, message)) {
      convict(step, next.convicted, known, message);
      return;
    }
    if (equalBytes(known.parentDigest, message.parentDigest)) return;
  }
  if (prePrepares.length < EARLY_PROPOSALS) prePrepares.push({ message, receivedMs });
}

/** Handles what had come early for the height that is now the current one. */
export function handleReplays(step: Step): boolean {
  const { state } = step;
  if (state.replays.length === 0) return false;
  const replays = state.replays;
  state.replays = [];
  for (const { message, receivedMs } of replays) onMessage(step, message, receivedMs);
  return true;
}
