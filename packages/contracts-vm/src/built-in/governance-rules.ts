import {
  type DecisionClass,
  type DecisionRules,
  decisionClasses,
  type GovernanceRules,
  isNodeRole,
} from "@credlink/ledger";
import { MAX_OPEN_PROPOSALS } from "./rows.ts";

/** Most weight of one organisation: sums and products of all stay far below 2^53. */
export const MAX_WEIGHT = 1_000_000;
const MAX_DENOMINATOR = 1_000;
const MAX_POINTS = 1_000;
const MINUTE_MS = 60_000;
const YEAR_MS = 366 * 24 * 3600 * 1000;
/** Gas in which any governed method can run: sixteen certificates are judged by one. */
const MIN_EXECUTION_GAS = 25_000_000;
/** Most executions of a block, and most gas of all of them: about a second. */
const MAX_EXECUTIONS = 16;
const MAX_EXECUTIONS_GAS = 1_000_000_000;

/** Weight of those among `organizations` that have a vote. */
export function weightOf(rules: GovernanceRules, organizations: ReadonlySet<string>): number {
  return rules.voters.reduce(
    (sum, { organization, weight }) => sum + (organizations.has(organization) ? weight : 0),
    0,
  );
}

function totalOf(rules: GovernanceRules): number {
  return rules.voters.reduce((sum, { weight }) => sum + weight, 0);
}

function isEnough(rules: GovernanceRules, decision: DecisionClass, weight: number): boolean {
  const { numerator, denominator } = rules[decision];
  return weight * denominator > totalOf(rules) * numerator;
}

/** Whether the approval of these organisations makes a decision. */
export function passes(
  rules: GovernanceRules,
  decision: DecisionClass,
  approving: ReadonlySet<string>,
): boolean {
  return isEnough(rules, decision, weightOf(rules, approving));
}

/** Whether a proposal passes no more, even if all but these organisations approved it. */
export function cannotPass(
  rules: GovernanceRules,
  decision: DecisionClass,
  rejecting: ReadonlySet<string>,
): boolean {
  return !isEnough(rules, decision, totalOf(rules) - weightOf(rules, rejecting));
}

/** What of the rules is outside its bounds, or null; `organizations` are the consortium's. */
export function rulesProblem(
  rules: GovernanceRules,
  organizations: readonly string[],
): string | null {
  const names = rules.voters.map(({ organization }) => organization);
  if (names.length === 0 || new Set(names).size < names.length) return "voters";
  if (names.some((name) => !organizations.includes(name))) return "voters";
  if (rules.voters.some(({ weight }) => weight < 1 || weight > MAX_WEIGHT)) return "weight";
  for (const decision of decisionClasses) {
    const problem = decisionProblem(rules[decision]);
    if (problem !== null) return `${decision}.${problem}`;
  }
  return orderProblem(rules) ?? limitsProblem(rules) ?? pointsProblem(rules);
}

function decisionProblem(rules: DecisionRules): string | null {
  const { numerator, denominator, votingMs, delayMs, delegateRoles } = rules;
  if (denominator < 1 || denominator > MAX_DENOMINATOR) return "denominator";
  // All weight together is more than any lesser part of it, and never more than the whole.
  if (numerator >= denominator) return "numerator";
  if (votingMs < MINUTE_MS || votingMs > YEAR_MS) return "votingMs";
  if (delayMs > YEAR_MS) return "delayMs";
  const isOdd = delegateRoles.some((role) => isNodeRole(role) || role === "admin");
  if (isOdd || new Set(delegateRoles).size < delegateRoles.length) return "delegateRoles";
  return null;
}

/** Two ordinary decisions share an organisation; the others need no less, and no more, than that. */
function orderProblem({ ordinary, constitutional, emergency }: GovernanceRules): string | null {
  if (ordinary.numerator * 2 < ordinary.denominator) return "ordinary.numerator";
  if (isLess(constitutional, ordinary)) return "constitutional.numerator";
  if (isLess(ordinary, emergency)) return "emergency.numerator";
  if (emergency.delayMs > ordinary.delayMs) return "emergency.delayMs";
  return null;
}

function isLess(one: DecisionRules, other: DecisionRules): boolean {
  return one.numerator * other.denominator < other.numerator * one.denominator;
}

function limitsProblem(rules: GovernanceRules): string | null {
  const { restrictionMs, maxOpen, maxOpenPerOrganization, maxExecutions, executionGas } = rules;
  if (restrictionMs < MINUTE_MS || restrictionMs > YEAR_MS) return "restrictionMs";
  if (maxOpen < 1 || maxOpen > MAX_OPEN_PROPOSALS) return "maxOpen";
  if (maxOpenPerOrganization < 1 || maxOpenPerOrganization > maxOpen) {
    return "maxOpenPerOrganization";
  }
  if (maxExecutions < 1 || maxExecutions > MAX_EXECUTIONS) return "maxExecutions";
  if (executionGas < MIN_EXECUTION_GAS || executionGas * maxExecutions > MAX_EXECUTIONS_GAS) {
    return "executionGas";
  }
  return null;
}

function pointsProblem({ pointsPerBlock, sharing }: GovernanceRules): string | null {
  if (pointsPerBlock > MAX_POINTS) return "pointsPerBlock";
  const kinds = new Set(sharing.map(({ contract, topic }) => `${contract}/${topic}`));
  if (kinds.size < sharing.length) return "sharing";
  if (sharing.some(({ points }) => points < 1 || points > MAX_POINTS)) return "sharing";
  return null;
}
