/** What a restart makes of the vote log, and how a lost vote log is noticed. */
import { equalBytes, type Height, height as toHeight, type View } from "@credlink/primitives";
import type { VoteRecord } from "./effects.ts";
import { armRetransmission, report, startViewTimer } from "./emit.ts";
import type { Message, UnsignedMessage } from "./messages.ts";
import {
  addCandidate,
  type Promises,
  promisesAt,
  proposedKey,
  type ReplicaState,
  type Step,
  votingIndex,
} from "./state.ts";
import { ownViewChange } from "./view-change.ts";

/** Promises by height, and the highest height that the log knows decided. */
export interface Replay {
  readonly promises: Map<Height, Promises>;
  readonly voteFloor: Height;
}

/** Replays records, oldest first. Those of heights up to the head bind no more. */
export function replayRecords(records: readonly VoteRecord[], head: Height): Replay {
  const promises = new Map<Height, Promises>();
  let voteFloor = toHeight(0);
  for (const record of records) {
    if (record.type === "decided") {
      if (record.height > voteFloor) voteFloor = record.height;
      continue;
    }
    const height = record.type === "commit-voted" ? record.certificate.height : record.height;
    if (height > head) replayOne(promisesAt(promises, height), record);
  }
  return { promises, voteFloor };
}

function replayOne(
  promises: Promises,
  record: Exclude<VoteRecord, { readonly type: "decided" }>,
): void {
  switch (record.type) {
    case "proposed":
      promises.proposed.set(proposedKey(record.view, record.parentDigest), record.digest);
      return;
    case "prepare-voted":
      promises.prepared.set(record.view, record.digest);
      return;
    case "entered-view":
      promises.view = record.view;
      promises.entryLock = promises.lock;
      return;
    case "commit-voted": {
      const { certificate, proposal } = record;
      promises.committed.set(certificate.view, certificate.digest);
      promises.lock = { certificate, proposal };
    }
  }
}

/**
 * Resumes: at exactly the view that was entered last, with its timer, its votes sent again with
 * the same fields, and the locked block under validation again.
 */
export function resume(step: Step): void {
  const { state } = step;
  const { current } = state;
  if (state.abstaining) report(step, "CONSENSUS_ABSTAINING");
  const { lock } = current.promises;
  if (lock !== null) addCandidate(current, lock.proposal, []);
  if (votingIndex(state, current.height) === null) return;
  for (const message of promisedMessages(state)) {
    current.sent.set(message.type, message);
    step.effects.push({ type: "broadcast", message });
  }
  if (current.sent.size > 0) armRetransmission(step);
  if (current.view > 0 || current.sent.size > 0) startViewTimer(step);
}

/** The votes of the current view that the log promises, as they were. */
function promisedMessages(state: ReplicaState): readonly UnsignedMessage[] {
  const { current } = state;
  const { height, view, self, promises } = current;
  const messages: UnsignedMessage[] = [];
  if (self === null) return messages;
  const viewChange = view > 0 ? ownViewChange(current) : null;
  if (viewChange !== null) messages.push(viewChange);
  const prepared = promises.prepared.get(view);
  if (prepared !== undefined) {
    messages.push({ type: "prepare", height, view, digest: prepared, sender: self });
  }
  const committed = promises.committed.get(view);
  if (committed !== undefined) {
    messages.push({ type: "commit", height, view, digest: committed, sender: self });
  }
  return messages;
}

/**
 * Whether a vote under our own key is one that our log does not know: the log was lost or rolled
 * back, or a second process votes with our key. Either way our promises cannot be trusted.
 */
export function isForgotten(state: ReplicaState, message: Message): boolean {
  if (message.type === "wish" || message.type === "decided") return false;
  const promises = state.promises.get(message.height);
  switch (message.type) {
    case "pre-prepare": {
      const key = proposedKey(message.view, message.parentDigest);
      return isOther(promises?.proposed.get(key), message.digest);
    }
    case "prepare":
      return isOther(promises?.prepared.get(message.view), message.digest);
    case "commit":
      return isOther(promises?.committed.get(message.view), message.digest);
    case "view-change":
      return (promises?.view ?? 0) < message.view;
  }
}

function isOther(promised: Uint8Array | undefined, voted: Uint8Array): boolean {
  return promised === undefined || !equalBytes(promised, voted);
}

/** Stops voting for good: only a recovery that others witness may lift this. */
export function abstain(step: Step, message: { readonly type: string; readonly view: View }): void {
  step.state.abstaining = true;
  step.state.outbox = [];
  step.state.current.sent.clear();
  report(step, "CONSENSUS_OWN_VOTE_UNKNOWN", `${message.type} in view ${message.view}`);
  report(step, "CONSENSUS_ABSTAINING");
}
