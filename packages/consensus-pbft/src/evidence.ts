/** Detection of votes that exclude each other. @see docs/protocol/consensus.md §9 */
import { equalBytes, type ValidatorIndex } from "@credlink/primitives";
import { report } from "./emit.ts";
import type { Commit, PrePrepare, Prepare, SignedVote, ViewChange } from "./messages.ts";
import { deniesCommit } from "./signed-evidence.ts";
import type { HeightState, Step } from "./state.ts";

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
export function isDoubleViewChange(first: ViewChange, second: ViewChange): boolean {
  if (first.view !== second.view) return false;
  if (first.preparedView !== second.preparedView) return true;
  if (first.preparedDigest === null || second.preparedDigest === null) {
    return first.preparedDigest !== second.preparedDigest;
  }
  return !equalBytes(first.preparedDigest, second.preparedDigest);
}

/** Holds the COMMITs of a signer against its view change, whichever came last. */
export function findAmnesia(step: Step, current: HeightState, sender: ValidatorIndex): void {
  const viewChange = current.viewChanges.get(sender);
  if (viewChange === undefined) return;
  for (const commits of current.commits.values()) {
    const commit = commits.get(sender);
    if (commit !== undefined && deniesCommit(commit.view, viewChange)) {
      convict(step, current.convicted, commit, viewChange);
    }
  }
}
