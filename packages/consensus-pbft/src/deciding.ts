/** Commit certificates, decisions and the step to the next height. */
import { type Digest, equalBytes, invariant, toHex } from "@credlink/primitives";
import { checkCertificateShape } from "./certificates.ts";
import type { Input, Successor } from "./effects.ts";
import { armRetransmission, disarm, halt, report, timesOf } from "./emit.ts";
import type {
  Commit,
  CommitCertificate,
  Decided,
  Justification,
  Proposal,
  UnsignedMessage,
} from "./messages.ts";
import { findQuorum, rejectProposal } from "./normal-case.ts";
import {
  addCandidate,
  type Candidate,
  candidateOf,
  type Head,
  type HeightState,
  heightAfter,
  newCandidate,
  newHeightState,
  noNextHeight,
  promisesAt,
  RECENT_DECISIONS,
  type ReplicaState,
  type Step,
  validatorCount,
} from "./state.ts";
import type { Roster } from "./validator-set.ts";

/** Decision latencies that T0 adapts to, and how many there must be first. */
const LATENCY_SAMPLES = 20;
const MIN_LATENCY_SAMPLES = 8;

/** A certificate from a peer, or from sync: of this height it decides, of the next it calls sync. */
export function onCertificate(
  step: Step,
  certificate: CommitCertificate,
  proposal: Proposal | null,
): void {
  const { state } = step;
  const { current } = state;
  if (certificate.height < current.height) {
    checkFork(step, certificate);
    return;
  }
  if (certificate.height > current.height) {
    onCertificateAhead(step, certificate);
    return;
  }
  const shape = checkCertificateShape(certificate, validatorCount(current));
  if (!shape.ok) {
    report(step, "CONSENSUS_CERTIFICATE_REFUSED", shape.code);
    return;
  }
  if (current.certificate === null) current.certificate = certificate;
  else if (!equalBytes(current.certificate.digest, certificate.digest)) {
    halt(step, "CONSENSUS_FORK_DETECTED");
    return;
  }
  if (proposal !== null && equalBytes(proposal.digest, certificate.digest)) {
    addCandidate(current, proposal, []);
  }
}

export function onDecided(step: Step, message: Decided): void {
  onCertificate(step, message.certificate, message.proposal);
}

/** A proof that another block of a decided height was decided too. */
function checkFork(step: Step, certificate: CommitCertificate): void {
  const known = step.state.recent.get(certificate.height);
  if (known === undefined || equalBytes(known.certificate.digest, certificate.digest)) return;
  if (checkCertificateShape(certificate, known.validatorCount).ok) {
    halt(step, "CONSENSUS_FORK_DETECTED");
  }
}

function onCertificateAhead(step: Step, certificate: CommitCertificate): void {
  const { current, next } = step.state;
  if (certificate.height > current.height + 1) {
    report(step, "CONSENSUS_MESSAGE_BEYOND_WINDOW", `height ${certificate.height}`);
    return;
  }
  const shape = checkCertificateShape(certificate, current.nextValidators.validators.length);
  if (!shape.ok) {
    report(step, "CONSENSUS_CERTIFICATE_REFUSED", shape.code);
    return;
  }
  if (next.syncAsked) return;
  next.syncAsked = true;
  report(step, "CONSENSUS_PEER_AHEAD");
  step.effects.push({ type: "sync", certificate });
}

/** Asks for the validation of every block that it may matter for, each once. */
export function validateRule(step: Step): boolean {
  const { state } = step;
  for (const candidate of state.current.candidates.values()) {
    if (candidate.verdict === "unasked") askValidation(step, candidate);
  }
  for (const { message } of state.next.prePrepares) {
    const parent = candidateOf(state.current, message.parentDigest);
    if (parent === undefined || parent.successor === null) continue;
    const key = toHex(message.digest);
    if (state.next.candidates.has(key)) continue;
    const place = {
      height: heightAfter(state.current.height),
      parent: parent.proposal,
      validators: state.current.nextValidators,
      nextValidators: parent.successor.validatorsAfterNext,
    };
    if (!equalBytes(message.digest, message.proposal.digest)) continue;
    if (rejectProposal(state, place, message.proposal) !== null) continue;
    const candidate = newCandidate(message.proposal, message.transactions);
    state.next.candidates.set(key, candidate);
    askValidation(step, candidate);
  }
  return false;
}

function askValidation(step: Step, candidate: Candidate): void {
  const { proposal, transactions } = candidate;
  candidate.verdict = "asked";
  const holders = holdersOf(step.state, proposal);
  step.effects.push({ type: "validate", proposal, transactions, holders });
}

/** Who has shown to have the bodies of a block: its proposer and its voters, ascending. */
function holdersOf(state: ReplicaState, proposal: Proposal) {
  const { current } = state;
  const holders = new Set([proposal.proposer]);
  if (proposal.height !== current.height) return [...holders];
  for (const votes of [...current.prepares.values(), ...current.commits.values()]) {
    for (const vote of votes.values()) {
      if (equalBytes(vote.digest, proposal.digest)) holders.add(vote.sender);
    }
  }
  const lock = current.promises.lock;
  for (const certificate of [current.certificate, lock?.certificate ?? null]) {
    if (certificate === null || !equalBytes(certificate.digest, proposal.digest)) continue;
    for (const { index } of certificate.signatures) holders.add(index);
  }
  if (current.self !== null) holders.delete(current.self);
  return [...holders].sort((a, b) => a - b);
}

/** Takes the answer to `validate`; one that was not asked for means nothing. */
export function onValidated(step: Step, input: Extract<Input, { type: "validated" }>): void {
  const { current, next } = step.state;
  const key = toHex(input.digest);
  const candidate =
    input.height === current.height ? current.candidates.get(key) : next.candidates.get(key);
  if (candidate?.verdict !== "asked" || candidate.proposal.height !== input.height) return;
  if (input.outcome.valid) {
    candidate.verdict = "valid";
    candidate.successor = input.outcome.successor;
  } else {
    candidate.verdict = "refused";
    report(step, "CONSENSUS_PROPOSAL_INVALID", input.outcome.code);
  }
}

/**
 * Decides the height once a certificate and its validated block are there, whatever view we are
 * in. A certified block that our validation refused stops us: one of both must be wrong.
 */
export function decideRule(step: Step): boolean {
  const { state } = step;
  const { current } = state;
  current.certificate ??= findCommitted(step);
  const { certificate } = current;
  if (certificate === null) return false;
  const candidate = candidateOf(current, certificate.digest);
  if (candidate === undefined) {
    if (current.syncAsked) return false;
    current.syncAsked = true;
    step.effects.push({ type: "sync", certificate });
    return false;
  }
  if (candidate.verdict === "refused") {
    halt(step, "CONSENSUS_EXECUTION_DIVERGED");
    return false;
  }
  const { proposal, successor } = candidate;
  if (successor === null) return false;
  const justification = acceptedJustification(current, certificate);
  step.effects.push({ type: "decide", proposal, certificate, justification });
  report(step, "CONSENSUS_DECIDED");
  remember(step, certificate, proposal);
  adaptTimeout(step);
  advance(step, proposal, false, current.nextValidators, successor);
  return true;
}

/** What others sent for that view was judged by nobody, and would spoil the block that records it. */
function acceptedJustification(
  { accepted }: HeightState,
  { view, digest }: CommitCertificate,
): Justification | null {
  const message = accepted.get(view);
  return message !== undefined && equalBytes(message.digest, digest) ? message.justification : null;
}

function findCommitted(step: Step): CommitCertificate | null {
  const { current } = step.state;
  for (const [view, votes] of current.commits) {
    const found = findQuorum(current, votes);
    if (found !== null) return { height: current.height, view, ...found };
  }
  return null;
}

function remember(step: Step, certificate: CommitCertificate, proposal: Proposal): void {
  const { recent, answered, current } = step.state;
  const decidedAtMs = step.nowMs;
  const count = validatorCount(current);
  recent.set(certificate.height, { certificate, proposal, validatorCount: count, decidedAtMs });
  const oldest = certificate.height - RECENT_DECISIONS;
  for (const height of [...recent.keys()]) if (height <= oldest) recent.delete(height);
  for (const [key, answer] of [...answered]) if (answer.height <= oldest) answered.delete(key);
}

/**
 * T0 = clamp(max(4 · p95, 2 · last)) over the latest decision latencies; the start value until there
 * are enough. A latency counts from the entry of the deciding view, so that a dead primary, whose
 * heights cost a timeout, does not raise the timeout; the last one counts by itself, so that one
 * block that took longer than planned is enough to plan for the next.
 */
function adaptTimeout(step: Step): void {
  const { state, nowMs } = step;
  const since = state.current.activeSinceMs;
  if (since === null || nowMs < since) return;
  const last = nowMs - since;
  state.latencies.push(last);
  if (state.latencies.length > LATENCY_SAMPLES) state.latencies.shift();
  if (state.latencies.length < MIN_LATENCY_SAMPLES) return;
  const ascending = [...state.latencies].sort((a, b) => a - b);
  const p95 = ascending[Math.ceil(ascending.length * 0.95) - 1] ?? 0;
  const { minTimeoutMs, maxBaseTimeoutMs } = state.options;
  const wanted = Math.max(4 * p95, 2 * last);
  state.baseTimeoutMs = Math.min(Math.max(wanted, minTimeoutMs), maxBaseTimeoutMs);
}

/**
 * Leaves the current height. Everything of it is dropped by its height from here on, at whatever
 * place it is queued; what came early for the new one is handled again.
 */
function advance(
  step: Step,
  head: Head,
  durable: boolean,
  validators: Roster,
  { validatorsAfterNext, timing }: Successor,
): void {
  const { state, nowMs } = step;
  const { next, current } = state;
  const { height: headHeight, digest, timestampMs } = head;
  for (const { timer } of [...state.armed.values()]) {
    if (timer.height <= headHeight) disarm(step, timer);
  }
  state.head = { height: headHeight, digest, timestampMs };
  state.headDurable = durable;
  const isAdjacent = headHeight === current.height;
  for (const known of state.promises.keys()) {
    if (known <= headHeight) state.promises.delete(known);
  }
  const height = heightAfter(headHeight);
  const promises = promisesAt(state.promises, height);
  const { publicKey } = state.options;
  state.current = newHeightState({
    height,
    validators,
    nextValidators: validatorsAfterNext,
    timing,
    publicKey,
    promises,
    nowMs,
  });
  state.next = noNextHeight();
  const last = { height: headHeight, view: current.view, digest };
  state.outbox = state.outbox.filter(
    ({ message }) => isAtOrAbove(message, height) || isThatCommit(message, last),
  );
  forgetBuilds(state, digest);
  if (isAdjacent) adoptNextHeight(step, next);
}

function isAtOrAbove(message: { readonly type: string }, height: number): boolean {
  return "height" in message && typeof message.height === "number" && message.height >= height;
}

/** Our COMMIT for what was decided, not durable yet: who lacks it may need it to decide. */
function isThatCommit(
  message: UnsignedMessage,
  last: Pick<Commit, "height" | "view" | "digest">,
): boolean {
  return (
    message.type === "commit" &&
    message.height === last.height &&
    message.view === last.view &&
    equalBytes(message.digest, last.digest)
  );
}

/** Builds on another parent than the head are void; one on the head may still be answered. */
function forgetBuilds(state: ReplicaState, headDigest: Digest): void {
  const wanted = `${state.current.height}/0/${toHex(headDigest)}/`;
  for (const key of [...state.builds.keys()]) if (!key.startsWith(wanted)) state.builds.delete(key);
}

function adoptNextHeight(step: Step, next: ReplicaState["next"]): void {
  const { state } = step;
  const { current } = state;
  for (const [key, candidate] of next.candidates) {
    if (equalBytes(candidate.proposal.parentDigest, state.head.digest)) {
      current.candidates.set(key, candidate);
    }
  }
  for (const key of next.convicted) current.convicted.add(key);
  for (const [sender, claims] of next.claims) current.claims.set(sender, claims);
  for (const [sender, denials] of next.denials) current.denials.set(sender, denials);
  if (next.sent?.type === "pre-prepare" && current.view === 0) {
    if (equalBytes(next.sent.parentDigest, state.head.digest)) {
      current.sent.set("pre-prepare", next.sent);
      current.proposedView = current.view;
      armRetransmission(step, timesOf(state).firstMs);
    }
  }
  const receivedMs = step.nowMs;
  for (const early of next.prePrepares) state.replays.push(early);
  const votes = [...next.prepares.values(), ...next.commits.values()].flat();
  for (const message of [...votes, ...next.viewChanges.values(), ...next.wishes.values()]) {
    state.replays.push({ message, receivedMs });
  }
}

/**
 * The store holds a block durably: our own decision, which frees our votes of the next height, or
 * one that sync brought, which takes us there.
 */
export function onCommitted(step: Step, input: Extract<Input, { type: "committed" }>): void {
  const { state } = step;
  const { head, current } = state;
  state.builds.forEach((answer, key) => {
    if (answer === "nothing") state.builds.delete(key);
  });
  if (input.height < head.height) return;
  if (input.height === head.height) {
    if (!equalBytes(input.digest, head.digest)) {
      halt(step, "CONSENSUS_FORK_DETECTED");
      return;
    }
    state.headDurable = true;
    return;
  }
  const isAdjacent = input.height === current.height;
  const certificate = current.certificate;
  if (isAdjacent && certificate !== null && !equalBytes(certificate.digest, input.digest)) {
    halt(step, "CONSENSUS_FORK_DETECTED");
    return;
  }
  const validators = input.nextValidators ?? (isAdjacent ? current.nextValidators : null);
  invariant(validators !== null, "a jump over heights needs V(height + 1)");
  const candidate = candidateOf(current, input.digest);
  if (isAdjacent && certificate !== null && candidate !== undefined) {
    remember(step, certificate, candidate.proposal);
  }
  advance(step, input, true, validators, input.successor);
}
