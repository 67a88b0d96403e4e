/** The primary's part: when to build a block, what to propose, and under which justification. */
import { equalBytes, type Height, toHex, type View } from "@credlink/primitives";
import type { Input, Successor, TimerKey } from "./effects.ts";
import { arm, disarm, dueMs, isArmed, persistVote, report } from "./emit.ts";
import type { Justification, Proposal } from "./messages.ts";
import { currentPlace, type ProposalPlace, rejectProposal } from "./normal-case.ts";
import {
  addCandidate,
  blockDueMs,
  candidateOf,
  type Head,
  hasPassed,
  heightAfter,
  type Lock,
  primaryAt,
  promisesAt,
  proposedKey,
  proposingIndex,
  type ReplicaState,
  type Step,
  VIEW_ZERO,
  votingIndex,
} from "./state.ts";
import { indexOfKey, primaryOf } from "./validator-set.ts";
import { findBasis } from "./view-change.ts";

function buildKey(height: Height, view: View, parent: Head["digest"], allowEmpty: boolean): string {
  return `${height}/${view}/${toHex(parent)}/${allowEmpty ? "empty" : "work"}`;
}

function askForProposal(
  step: Step,
  place: { readonly height: Height; readonly view: View },
  parent: { readonly digest: Head["digest"]; readonly timestampMs: number },
  allowEmpty: boolean,
): void {
  const { builds } = step.state;
  const key = buildKey(place.height, place.view, parent.digest, allowEmpty);
  if (builds.has(key)) return;
  builds.set(key, "asked");
  step.effects.push({
    type: "build-proposal",
    height: place.height,
    view: place.view,
    parentDigest: parent.digest,
    parentTimestampMs: parent.timestampMs,
    allowEmpty,
  });
}

function proposeTimer(height: Height): TimerKey {
  return { kind: "propose", height, view: VIEW_ZERO };
}

/**
 * View 0: build as soon as there is work and the minimum interval has passed since the parent, or
 * the empty-block interval has. Time since we reached the height counts as well as the parent's
 * timestamp, so that a clock that jumped back does not silence us. Backups keep the deadlines
 * too: from then on they wait for the primary.
 */
export function proposeRule(step: Step): boolean {
  const { state, nowMs } = step;
  const { current, head } = state;
  if (votingIndex(state, current.height) === null) return false;
  if (current.view !== 0 || current.firstProposals.has(VIEW_ZERO)) return false;
  const { emptyBlockIntervalMs, minBlockIntervalMs } = current.timing;
  const isPrimary = proposingIndex(state, current.height) === primaryAt(state, VIEW_ZERO);
  const timer = proposeTimer(current.height);
  const byWork = state.workPending;
  if (!byWork && emptyBlockIntervalMs === 0) return false;
  const interval = byWork ? minBlockIntervalMs : emptyBlockIntervalMs;
  if (!hasPassed(step, interval)) {
    const due = blockDueMs(state, interval);
    if ((dueMs(state, timer) ?? Number.POSITIVE_INFINITY) > due) arm(step, timer, due - nowMs);
    return false;
  }
  if (!isPrimary || hasProposed(state, current.height, VIEW_ZERO, head.digest)) return false;
  disarm(step, timer);
  askForProposal(step, current, head, !byWork || emptyIsDue(step));
  return false;
}

function emptyIsDue(step: Step): boolean {
  const { emptyBlockIntervalMs } = step.state.current.timing;
  return emptyBlockIntervalMs > 0 && hasPassed(step, emptyBlockIntervalMs);
}

function hasProposed(
  state: ReplicaState,
  height: Height,
  view: View,
  parent: Head["digest"],
): boolean {
  return promisesAt(state.promises, height).proposed.has(proposedKey(view, parent));
}

/**
 * Overlap: the next height's primary proposes on a block that is prepared but not yet decided.
 * Nobody votes for it before that block is decided; should another be, it is void.
 */
export function overlapRule(step: Step): boolean {
  const { state, nowMs } = step;
  const { current, next, options } = state;
  const parent = speculativeParent(state);
  if (!options.overlap || parent === null || !state.workPending) return false;
  const { lock, successor } = parent;
  const height = heightAfter(current.height);
  if (hasProposed(state, height, VIEW_ZERO, lock.proposal.digest)) return false;
  const timer = proposeTimer(height);
  if (isArmed(state, timer)) return false;
  const { minBlockIntervalMs } = successor.timing;
  const due = lock.proposal.timestampMs + minBlockIntervalMs;
  if (!next.waited && nowMs < due) {
    arm(step, timer, Math.min(due - nowMs, minBlockIntervalMs));
    return false;
  }
  askForProposal(step, { height, view: VIEW_ZERO }, lock.proposal, false);
  return false;
}

/** The block that a proposal for the next height may build on, if that proposal is ours to make. */
function speculativeParent(
  state: ReplicaState,
): { readonly lock: Lock; readonly successor: Successor } | null {
  const { current } = state;
  const height = heightAfter(current.height);
  const lock = current.promises.lock;
  if (lock === null || lock.certificate.view !== current.view) return null;
  const self = proposingIndex(state, height);
  if (self === null || self !== primaryOf(current.nextValidators, height, VIEW_ZERO)) return null;
  const successor = candidateOf(current, lock.proposal.digest)?.successor ?? null;
  return successor === null ? null : { lock, successor };
}

/** Views above 0: fix the justification once q view changes are there, then propose by it. */
export function reproposeRule(step: Step): boolean {
  const { state } = step;
  const { current, head } = state;
  const { view, height } = current;
  const self = proposingIndex(state, height);
  if (self === null || view === 0 || self !== primaryAt(state, view)) return false;
  current.basis ??= findBasis(current);
  const { basis } = current;
  if (basis === null || current.proposedView === view) return false;
  const { prepared } = basis;
  if (prepared === null) {
    if (!hasProposed(state, height, view, head.digest)) askForProposal(step, current, head, true);
    return false;
  }
  const candidate = candidateOf(current, prepared.digest);
  if (candidate !== undefined) {
    current.proposedView = view;
    report(step, "CONSENSUS_REPROPOSED");
    return propose(step, current, candidate.proposal, candidate.transactions, basis);
  }
  const key = toHex(prepared.digest);
  if (!current.fetches.has(key)) {
    current.fetches.add(key);
    report(step, "CONSENSUS_PROPOSAL_UNKNOWN");
    const holders = prepared.signatures.map(({ index }) => index);
    step.effects.push({ type: "fetch-proposal", height, digest: prepared.digest, holders });
  }
  return false;
}

/** Takes a fetched block if it is the one that a prepared or commit certificate names. */
export function onProposalFetched(step: Step, proposal: Proposal): void {
  const { current } = step.state;
  if (!current.fetches.has(toHex(proposal.digest))) return;
  if (rejectProposal(step.state, currentPlace(step.state), proposal) !== null) return;
  addCandidate(current, proposal, []);
}

/** Takes a block that the shell built, if its height, view and parent are still ours to propose. */
export function onProposalBuilt(
  step: Step,
  input: Extract<Input, { type: "proposal-built" }>,
): void {
  const { state } = step;
  const { current, builds, head } = state;
  const { height, view, parentDigest, proposal } = input;
  const asked = [false, true]
    .map((allowEmpty) => buildKey(height, view, parentDigest, allowEmpty))
    .find((key) => builds.get(key) === "asked");
  if (asked === undefined) return;
  builds.set(asked, "nothing");
  if (proposal === null) return;
  if (height === current.height && view === current.view) {
    if (!equalBytes(parentDigest, head.digest)) return;
    if (refuseOwn(step, currentPlace(state), proposal)) return;
    if (view > 0 && (current.basis === null || current.basis.prepared !== null)) return;
    propose(step, { height, view }, proposal, [], view === 0 ? null : current.basis);
    return;
  }
  const found = height === current.height + 1 ? speculativeParent(state) : null;
  const parent = found?.lock.proposal;
  if (found === null || parent === undefined || !equalBytes(parentDigest, parent.digest)) return;
  const validators = current.nextValidators;
  const nextValidators = found.successor.validatorsAfterNext;
  const place = { height, parent, validators, nextValidators };
  if (refuseOwn(step, place, proposal)) return;
  propose(step, { height, view }, proposal, [], null);
}

/** Our own proposals keep the rules that we hold others to. */
function refuseOwn(step: Step, place: ProposalPlace, proposal: Proposal): boolean {
  const reason = rejectProposal(step.state, place, proposal);
  const self = indexOfKey(place.validators, step.state.options.publicKey);
  if (reason === null && proposal.proposer === self) return false;
  report(step, "CONSENSUS_PROPOSAL_REFUSED", `own proposal: ${reason ?? "proposer"}`);
  return true;
}

/**
 * Promises and proposes a block: one for each (height, view, parent), across restarts. The same
 * block may be proposed again after a restart, another never.
 */
function propose(
  step: Step,
  place: { readonly height: Height; readonly view: View },
  proposal: Proposal,
  transactions: readonly Uint8Array[],
  justification: Justification | null,
): boolean {
  const { state } = step;
  const { height, view } = place;
  const sender = proposingIndex(state, height);
  if (sender === null) return false;
  const { digest, parentDigest } = proposal;
  const { proposed } = promisesAt(state.promises, height);
  const key = proposedKey(view, parentDigest);
  const before = proposed.get(key);
  if (before !== undefined && !equalBytes(before, digest)) return false;
  proposed.set(key, digest);
  if (height === state.current.height) state.current.proposedView = view;
  persistVote(
    step,
    { type: "proposed", height, view, digest, parentDigest },
    {
      type: "pre-prepare",
      height,
      view,
      parentDigest,
      digest,
      sender,
      proposal,
      transactions,
      justification,
    },
  );
  return true;
}
