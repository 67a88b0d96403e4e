/** What a restart makes of the vote log, and how a lost vote log is noticed. */
import { equalBytes, type Height, height as toHeight } from "@credlink/primitives";
import type { VoteRecord } from "./effects.ts";
import { armRetransmission, report, startViewTimer, timesOf } from "./emit.ts";
import type { Message, UnsignedMessage } from "./messages.ts";
import {
  addCandidate,
  heightAfter,
  type Promises,
  promisesAt,
  proposedKey,
  type Replay,
  type ReplicaState,
  type Step,
  votingIndex,
} from "./state.ts";
import { ownViewChange, recordEntry } from "./view-change.ts";

/** Replays records, oldest first. Those of heights up to the head bind no more. */
export function replayRecords(records: readonly VoteRecord[], head: Height): Replay {
  const promises = new Map<Height, Promises>();
  let voteFloor = toHeight(0);
  let proposeFloor = toHeight(0);
  let abstained = false;
  for (const record of records) {
    if (record.type === "abstained") {
      abstained = true;
      continue;
    }
    if (record.type === "decided" || record.type === "recovered") {
      if (record.height > voteFloor) voteFloor = record.height;
      if (record.type === "decided") continue;
      abstained = false;
      if (record.height >= proposeFloor) proposeFloor = heightAfter(record.height);
      continue;
    }
    const height = record.type === "commit-voted" ? record.certificate.height : record.height;
    if (height > head) replayOne(promisesAt(promises, height), record);
  }
  return { promises, voteFloor, proposeFloor, abstained };
}

function replayOne(
  promises: Promises,
  record: Exclude<VoteRecord, { readonly type: "decided" | "abstained" | "recovered" }>,
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
  if (current.sent.size > 0) armRetransmission(step, timesOf(state).firstMs);
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
function isForgotten(known: Known, head: Height, message: Message): boolean {
  if (message.type === "wish" || message.type === "decided") return false;
  if (message.height <= Math.max(head, known.voteFloor)) return false;
  if (message.type === "pre-prepare" && message.height <= known.proposeFloor) return false;
  const promises = known.promises.get(message.height);
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

type Known = Pick<Replay, "promises" | "voteFloor" | "proposeFloor">;

/**
 * The same for a log whose replica does not run yet: whether a verified vote under our key, of a
 * height above the head, is missing from these records.
 */
export function missesOwnVote(
  records: readonly VoteRecord[],
  head: Height,
  message: Message,
): boolean {
  return isForgotten(replayRecords(records, head), head, message);
}

function isOther(promised: Uint8Array | undefined, voted: Uint8Array): boolean {
  return promised === undefined || !equalBytes(promised, voted);
}

/** A vote under our own key, wherever it was met. */
export function onOwnVote(step: Step, message: Message): void {
  if (message.type === "decided") return;
  const { state } = step;
  if (!state.abstaining && isForgotten(state, state.head.height, message)) {
    report(step, "CONSENSUS_OWN_VOTE_UNKNOWN", `${message.type} in view ${message.view}`);
    abstain(step, message.height);
  }
}

/** Another process has our key: it votes as we do, and neither log knows the votes of both. */
export function onKeyShared(step: Step): void {
  const { state } = step;
  if (state.abstaining) return;
  report(step, "CONSENSUS_KEY_SHARED");
  abstain(step, state.current.height);
}

/** Stops voting, across restarts too: only a recovery that others witness lifts this. */
function abstain(step: Step, height: Height): void {
  const { state } = step;
  state.abstaining = true;
  state.outbox = [];
  state.current.sent.clear();
  const record: VoteRecord = { type: "abstained", height };
  step.effects.push({ type: "persist", lsn: state.nextLsn++, records: [record] });
  report(step, "CONSENSUS_ABSTAINING");
}

/**
 * Votes again above the height of the block that witnesses the recovery, and proposes one height
 * later: with overlap we may have proposed one height above our highest vote. In a view that was
 * entered while we followed we take part from its entry on.
 */
export function onRecovered(step: Step, height: Height): void {
  const { state } = step;
  if (!state.abstaining) return;
  state.abstaining = false;
  if (height > state.voteFloor) state.voteFloor = height;
  if (height >= state.proposeFloor) state.proposeFloor = heightAfter(height);
  report(step, "CONSENSUS_RECOVERED", `at height ${height}`);
  if (state.current.view > 0) recordEntry(step);
}
