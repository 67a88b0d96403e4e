/** Pre-prepare, prepare and commit within one view. @see docs/protocol/consensus.md §4 */
import {
  type Digest,
  equalBytes,
  type Height,
  type ValidatorIndex,
  type View,
} from "@credlink/primitives";
import { checkJustificationShape } from "./certificates.ts";
import { persistVote, report, startViewTimer } from "./emit.ts";
import { convict, findAmnesia, isDoubleProposal, isEquivocation } from "./evidence.ts";
import type {
  Commit,
  IndexedSignature,
  PrePrepare,
  Prepare,
  PreparedCertificate,
  Proposal,
} from "./messages.ts";
import {
  addCandidate,
  candidateOf,
  type HeightState,
  innerMap,
  primaryAt,
  type ReplicaState,
  type Step,
  validatorCount,
  votingIndex,
} from "./state.ts";
import type { ValidatorSet } from "./validator-set.ts";
import { enterView } from "./view-change.ts";

/** Views ahead of the current one whose votes are kept. */
const VIEWS_AHEAD = 2;

/** Where a proposal must fit. */
export interface ProposalPlace {
  readonly height: Height;
  readonly parent: { readonly digest: Digest; readonly timestampMs: number };
  readonly validators: ValidatorSet;
  readonly nextValidators: ValidatorSet;
}

/** The first protocol rule that a proposal's header breaks, or null. */
export function rejectProposal(
  state: ReplicaState,
  place: ProposalPlace,
  proposal: Proposal,
): string | null {
  const { options } = state;
  if (proposal.height !== place.height) return "height";
  if (!equalBytes(proposal.parentDigest, place.parent.digest)) return "parent";
  if (!equalBytes(proposal.validatorsHash, place.validators.hash)) return "validators";
  if (!equalBytes(proposal.nextValidatorsHash, place.nextValidators.hash)) return "next validators";
  if (proposal.proposer >= place.validators.validators.length) return "proposer";
  if (proposal.timestampMs <= place.parent.timestampMs) return "timestamp not after its parent's";
  if (proposal.transactionCount > options.maxBlockTransactions) return "transaction count";
  if (proposal.sizeBytes > options.maxBlockBytes) return "size";
  return null;
}

export function currentPlace(state: ReplicaState): ProposalPlace {
  const { height, validators, nextValidators } = state.current;
  return { height, parent: state.head, validators, nextValidators };
}

/** |timestamp − our clock| ≤ precision + messageDelay · 1.5^view, judged on arrival. */
export function isTimely(
  state: ReplicaState,
  timestampMs: number,
  view: View,
  receivedMs: number,
): boolean {
  const { maxTimeoutMs } = state.options;
  const { precisionMs, messageDelayMs } = state.current.timing;
  let delay = messageDelayMs;
  for (let i = 0; i < view && delay < maxTimeoutMs; i++) delay *= 1.5;
  return Math.abs(timestampMs - receivedMs) <= precisionMs + delay;
}

/** Why a pre-prepare is not to be followed, or whether its block is fresh. */
function judgePrePrepare(
  state: ReplicaState,
  message: PrePrepare,
): { readonly reason: string } | { readonly fresh: boolean } {
  const { current } = state;
  const { proposal, justification, view } = message;
  if (!equalBytes(proposal.digest, message.digest)) return { reason: "digest" };
  const reason = rejectProposal(state, currentPlace(state), proposal);
  if (reason !== null) return { reason };
  if ((view === 0) !== (justification === null)) {
    return { reason: "CONSENSUS_JUSTIFICATION_MISSING" };
  }
  let obliged: Digest | null = null;
  if (justification !== null) {
    const shape = checkJustificationShape(justification, message, validatorCount(current));
    if (!shape.ok) return { reason: shape.code };
    obliged = shape.value;
  }
  if (obliged !== null) {
    if (equalBytes(obliged, message.digest)) return { fresh: false };
    return { reason: "CONSENSUS_JUSTIFICATION_OTHER_BLOCK" };
  }
  return proposal.proposer === message.sender ? { fresh: true } : { reason: "proposer" };
}

/**
 * A pre-prepare of the current height. One of a higher view with a valid justification takes us
 * there: q validators have entered it.
 */
export function onPrePrepare(step: Step, message: PrePrepare, receivedMs: number): void {
  const { state } = step;
  const { current } = state;
  const { view } = message;
  if (message.sender !== primaryAt(state, view)) {
    refuse(step, "not the primary");
    return;
  }
  if (!equalBytes(message.parentDigest, state.head.digest)) {
    refuse(step, "parent");
    return;
  }
  const first = current.firstProposals.get(view);
  if (first !== undefined && isDoubleProposal(first, message)) {
    convict(step, current.convicted, first, message);
    return;
  }
  if (view < current.view || current.accepted.has(view)) return;
  const verdict = judgePrePrepare(state, message);
  if (first === undefined && ("fresh" in verdict || view <= current.view + VIEWS_AHEAD)) {
    current.firstProposals.set(view, message);
  }
  if ("reason" in verdict) {
    refuse(step, verdict.reason);
    return;
  }
  if (view > current.view) enterView(step, view);
  addCandidate(current, message.proposal, message.transactions);
  giveGrace(step);
  if (verdict.fresh && !isTimely(state, message.proposal.timestampMs, view, receivedMs)) {
    const skewMs = message.proposal.timestampMs - receivedMs;
    report(step, "CONSENSUS_PROPOSAL_UNTIMELY", `${skewMs} ms`);
    return;
  }
  current.accepted.set(view, message);
}

function refuse(step: Step, reason: string): void {
  report(step, "CONSENSUS_PROPOSAL_REFUSED", reason);
}

/** Fetching and executing a block takes time that the view's timer did not know of: once. */
function giveGrace(step: Step): void {
  const { current } = step.state;
  if (current.graced.has(current.view)) return;
  current.graced.add(current.view);
  if (votingIndex(step.state, current.height) !== null) startViewTimer(step);
}

function isViewKept(step: Step, view: View): boolean {
  if (view <= step.state.current.view + VIEWS_AHEAD) return true;
  report(step, "CONSENSUS_MESSAGE_BEYOND_WINDOW", `view ${view}`);
  return false;
}

/** Keeps a vote if it is the signer's first of its view; a second, different one is evidence. */
function keepVote<V extends Prepare | Commit>(
  step: Step,
  votes: Map<ValidatorIndex, V>,
  vote: V,
): void {
  const first = votes.get(vote.sender);
  if (first === undefined) votes.set(vote.sender, vote);
  else if (isEquivocation(first, vote)) convict(step, step.state.current.convicted, first, vote);
}

export function onPrepare(step: Step, message: Prepare): void {
  const { current } = step.state;
  if (message.view < current.view) {
    const first = current.prepares.get(message.view)?.get(message.sender);
    if (first !== undefined && isEquivocation(first, message)) {
      convict(step, current.convicted, first, message);
    }
    return;
  }
  if (isViewKept(step, message.view)) {
    keepVote(step, innerMap(current.prepares, message.view), message);
  }
}

/** COMMITs of views that we have left still count toward a certificate. */
export function onCommit(step: Step, message: Commit): void {
  const { current } = step.state;
  findAmnesia(step, current.convicted, current.denials, message);
  if (message.view + 8 < current.view || !isViewKept(step, message.view)) return;
  keepVote(step, innerMap(current.commits, message.view), message);
}

/** The digest that at least q of these votes name, with the q lowest signers' signatures. */
export function findQuorum(
  current: HeightState,
  votes: ReadonlyMap<ValidatorIndex, Prepare | Commit>,
): { readonly digest: Digest; readonly signatures: readonly IndexedSignature[] } | null {
  if (votes.size < current.quorum) return null;
  const ascending = [...votes.values()].sort((a, b) => a.sender - b.sender);
  for (const { digest } of ascending) {
    const same = ascending.filter((vote) => equalBytes(vote.digest, digest));
    if (same.length < current.quorum) continue;
    const signatures = same
      .slice(0, current.quorum)
      .map(({ sender, signature }) => ({ index: sender, signature }));
    return { digest, signatures };
  }
  return null;
}

/** Votes PREPARE for the accepted, valid block of the view: once, and durably before it is sent. */
export function prepareRule(step: Step): boolean {
  const { state } = step;
  const { current } = state;
  const { height, view, promises } = current;
  const self = votingIndex(state, height);
  const accepted = current.accepted.get(view);
  if (self === null || !state.headDurable || accepted === undefined) return false;
  if (promises.prepared.has(view)) return false;
  const { digest } = accepted;
  if (candidateOf(current, digest)?.verdict !== "valid") return false;
  promises.prepared.set(view, digest);
  persistVote(
    step,
    { type: "prepare-voted", height, view, digest },
    { type: "prepare", height, view, digest, sender: self },
  );
  return true;
}

/** The prepared certificate of the current view, if there is one. */
export function findPrepared(current: HeightState): PreparedCertificate | null {
  const { height, view } = current;
  const votes = current.prepares.get(view);
  const found = votes === undefined ? null : findQuorum(current, votes);
  return found === null ? null : { height, view, ...found };
}

/**
 * Locks on a prepared block and votes COMMIT: body, certificate and promise durable before it is
 * sent. Our own PREPARE is not needed: the certificate proves the block prepared.
 */
export function commitRule(step: Step): boolean {
  const { state } = step;
  const { current } = state;
  const { height, view, promises } = current;
  const self = votingIndex(state, height);
  if (self === null || !state.headDurable || promises.committed.has(view)) return false;
  const certificate = findPrepared(current);
  if (certificate === null) return false;
  const candidate = candidateOf(current, certificate.digest);
  if (candidate?.verdict !== "valid") return false;
  const { proposal } = candidate;
  const { digest } = certificate;
  promises.committed.set(view, digest);
  promises.lock = { certificate, proposal };
  step.effects.push({ type: "persist-body", digest });
  persistVote(
    step,
    { type: "commit-voted", certificate, proposal },
    { type: "commit", height, view, digest, sender: self },
  );
  return true;
}
