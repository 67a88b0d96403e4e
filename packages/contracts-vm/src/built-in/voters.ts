import type { SetRulesArgs, SetWeightArgs } from "@credlink/ledger";
import { readRules } from "./authority.ts";
import { type BuiltInCall, refuseCall } from "./built-in.ts";
import { rulesProblem } from "./governance-rules.ts";
import { rows } from "./rows.ts";

/** `governance.setRules`, once it was decided. */
export function setRules({ rules }: SetRulesArgs, call: BuiltInCall): undefined {
  const problem = rulesProblem(rules, call.state.read(rows.organizationNames) ?? []);
  if (problem !== null) refuseCall("GOVERNANCE_RULES_INVALID", problem);
  call.state.write(rows.governanceRules, rules);
}

/**
 * Gives an organisation a vote, another weight, or none. Other contracts call it where an
 * organisation joins or leaves by a constitutional decision.
 */
export function setWeight({ organization, weight }: SetWeightArgs, call: BuiltInCall): undefined {
  const rules = readRules(call.state);
  const others = rules.voters.filter((voter) => voter.organization !== organization);
  const isUnchanged = weight === null && others.length === rules.voters.length;
  if (isUnchanged) refuseCall("GOVERNANCE_RULES_INVALID", "voters");
  const voters = weight === null ? others : [...others, { organization, weight }];
  setRules({ rules: { ...rules, voters } }, call);
}
