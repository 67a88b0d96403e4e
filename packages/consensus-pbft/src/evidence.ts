/** Detection of votes that exclude each other. @see docs/protocol/consensus.md §9 */
import { equalBytes, type ValidatorIndex } from "@credlink/primitives";
import { report } from "./emit.ts";
import type { Commit, PrePrepare, Prepare, SignedVote, ViewChange } from "./messages.ts";
import { deniesCommit } from "./signed-evidence.ts";
import type { Claims, Denials, HeightState, Step } from "./state.ts";

/** Emits a pair of excluding votes, once for each signer, kind and height. */
export function convict(
  step: Step,
  convicted: Set<string>,
  first: SignedVote,
  second: SignedVote,
): void {
  const key = `${second.sender}/${first.type}/${second.type}`;
  if (convicted.has(key)) return;
  convicted.add(key);
  step.effects.push({ type: "evidence", first, second });
  report(step, "CONSENSUS_EVIDENCE", `${first.type} and ${second.type} of ${second.sender}`);
}

/** Two PREPAREs or two COMMITs of one signer and view for different blocks. */
export function isEquivocation(first: Prepare | Commit, second: Prepare | Commit): boolean {
  return first.view === second.view && !equalBytes(first.digest, second.digest);
}

/** Two pre-prepares of one view on one parent for different blocks. */
export function isDoubleProposal(first: PrePrepare, second: PrePrepare): boolean {
  return (
    first.view === second.view &&
    equalBytes(first.parentDigest, second.parentDigest) &&
    !equalBytes(first.digest, second.digest)
  );
}

/** Two view changes of one signer and view that claim different prepared blocks. */
function isDoubleViewChange(first: ViewChange, second: ViewChange): boolean {
  if (first.view !== second.view) return false;
  if (first.preparedView !== second.preparedView) return true;
  if (first.preparedDigest === null || second.preparedDigest === null) {
    return first.preparedDigest !== second.preparedDigest;
  }
  return !equalBytes(first.preparedDigest, second.preparedDigest);
}

/** Denials kept of one signer: as many as there are views whose COMMITs are kept (§8). */
export const MAX_DENIALS = 11;

/** Views of one signer whose first view change is kept: as many as those whose votes are (§8). */
export const MAX_CLAIMS = 11;

/** Views of the next height whose first PREPARE and COMMIT of one signer are kept (§8). */
export const MAX_EARLY_VOTES = 11;

/**
 * Keeps the first view change of each view, of the highest views, without its certificate.
 *
 * @returns the one of the same view that claims something else: both convict their signer, whatever
 *   it said of higher views between them.
 */
export function keepClaim(claims: Claims, message: ViewChange): ViewChange | null {
  const known = claims.get(message.sender) ?? [];
  const first = known.find(({ view }) => view === message.view);
  if (first !== undefined) return isDoubleViewChange(first, message) ? first : null;
  const ascending = [...known, { ...message, prepared: null }].sort((a, b) => a.view - b.view);
  claims.set(message.sender, ascending.slice(-MAX_CLAIMS));
  return null;
}

/**
 * Keeps the first vote of each view of the next height, of the highest views.
 *
 * @returns the one of the same view for another block: both convict their signer, whatever it voted
 *   in higher views between them.
 */
export function keepEarlyVote<V extends Prepare | Commit>(
  kept: Map<ValidatorIndex, readonly V[]>,
  vote: V,
): V | null {
  const known = kept.get(vote.sender) ?? [];
  const first = known.find(({ view }) => view === vote.view);
  if (first !== undefined) return isEquivocation(first, vote) ? first : null;
  const ascending = [...known, vote].sort((a, b) => a.view - b.view);
  kept.set(vote.sender, ascending.slice(-MAX_EARLY_VOTES));
  return null;
}

function deniesAllOf(wide: ViewChange, narrow: ViewChange): boolean {
  return wide.view >= narrow.view && (wide.preparedView ?? -1) <= (narrow.preparedView ?? -1);
}

/**
 * Keeps what a view change denies, however many come after it: its signer may say something else
 * before the COMMIT that it denies arrives. Where there are too many the lowest go.
 */
export function keepDenial(denials: Denials, message: ViewChange): void {
  const isEmpty = (message.preparedView ?? -1) + 1 >= message.view;
  const known = denials.get(message.sender) ?? [];
  if (isEmpty || known.some((each) => deniesAllOf(each, message))) return;
  const rest = known.filter((each) => !deniesAllOf(message, each));
  const ascending = [...rest, { ...message, prepared: null }].sort((a, b) => a.view - b.view);
  denials.set(message.sender, ascending.slice(-MAX_DENIALS));
}

/** Holds a COMMIT against what its signer denied, before or after it. */
export function findAmnesia(
  step: Step,
  convicted: Set<string>,
  denials: Denials,
  commit: Commit,
): void {
  const denial = denials.get(commit.sender)?.find((each) => deniesCommit(commit.view, each));
  if (denial !== undefined) convict(step, convicted, commit, denial);
}

/** The COMMITs of a signer that are kept: those of late views, and the highest before them. */
export function commitsOf(current: HeightState, sender: ValidatorIndex): readonly Commit[] {
  const past = current.pastCommits.get(sender);
  const kept = [...current.commits.values()].flatMap((votes) => votes.get(sender) ?? []);
  return past === undefined ? kept : [past, ...kept];
}
