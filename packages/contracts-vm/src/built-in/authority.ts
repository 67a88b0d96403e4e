import type { DecisionClass, GovernanceRules } from "@credlink/ledger";
import { equalBytes, invariant } from "@credlink/primitives";
import type { Identity } from "../call.ts";
import { type BuiltInCall, type ChargedState, refuseCall } from "./built-in.ts";
import { passes } from "./governance-rules.ts";
import { rows } from "./rows.ts";

/** Organisations whose admins are among the signers, in order of signing. */
export function adminOrganizations(call: BuiltInCall): readonly string[] {
  const names = call.signers
    .filter(({ role }) => role === "admin")
    .map(({ organization }) => organization);
  return [...new Set(names)];
}

/** The rules of governance in force. */
export function readRules(state: ChargedState): GovernanceRules {
  const rules = state.read(rows.governanceRules);
  invariant(rules !== null, "genesis wrote the rules of governance");
  return rules;
}

/**
 * Organisations for which the signers vote on a decision of a class, in order of signing, each
 * with the first signer that speaks for it.
 */
export function votersOf(
  call: BuiltInCall,
  decision: DecisionClass,
  rules: GovernanceRules,
): ReadonlyMap<string, Identity> {
  const voters = new Map<string, Identity>();
  for (const signer of call.signers) {
    const { organization } = signer;
    const hasVote = rules.voters.some((voter) => voter.organization === organization);
    if (!hasVote || voters.has(organization)) continue;
    const { delegateRoles } = rules[decision];
    const isAdmin = signer.role === "admin";
    const mayBeDelegate = delegateRoles.some((role) => role === signer.role);
    if (isAdmin || (mayBeDelegate && isDelegate(signer, call.state))) {
      voters.set(organization, signer);
    }
  }
  return voters;
}

function isDelegate({ organization, address }: Identity, state: ChargedState): boolean {
  const delegates = state.read(rows.delegates(organization)) ?? [];
  return delegates.some((delegate) => equalBytes(delegate, address));
}

/** Whether `organizations` weigh enough for an ordinary decision. */
export function isMajority(call: BuiltInCall, organizations: readonly string[]): boolean {
  return passes(readRules(call.state), "ordinary", new Set(organizations));
}

/** Ends a call unless its signers alone make the decision, at once. */
export function requireDecision(call: BuiltInCall, decision: DecisionClass): void {
  const rules = readRules(call.state);
  const voters = votersOf(call, decision, rules);
  if (!passes(rules, decision, new Set(voters.keys()))) refuseCall("GOVERNANCE_VOTES_MISSING");
  if (rules[decision].delayMs > 0) refuseCall("GOVERNANCE_DELAY");
}
