import {
  contractTargetCodec,
  contributionsCodec,
  isNodeRole,
  type ListProposalsArgs,
  listProposalsArgsCodec,
  MAX_LISTED_PROPOSALS,
  memberRoles,
  memberTargetCodec,
  proposalCodec,
  proposalListCodec,
  proposalNumberArgsCodec,
  proposeArgsCodec,
  type SetDelegatesArgs,
  setContractFrozenArgsCodec,
  setDelegatesArgsCodec,
  setMemberStatusArgsCodec,
  setRulesArgsCodec,
  setWeightArgsCodec,
  voteArgsCodec,
} from "@credlink/ledger";
import { encode, toHex } from "@credlink/primitives";
import {
  type BuiltInCall,
  type BuiltInContract,
  changing,
  reading,
  refuseCall,
} from "./built-in.ts";
import { governed } from "./governed.ts";
import { noArgsCodec } from "./members.ts";
import { cancel, type FindBuiltIn, findProposal, propose, vote } from "./proposals.ts";
import {
  decideContractFrozen,
  decideMemberStatus,
  restrictContract,
  restrictMember,
} from "./restrictions.ts";
import { rows } from "./rows.ts";
import { setRules, setWeight } from "./voters.ts";

const people = memberRoles.filter((role) => !isNodeRole(role));

/** In which the consortium decides, on calls of governed methods of all that `find` finds. */
export function governanceContract(find: FindBuiltIn): BuiltInContract {
  return new Map([
    ["propose", changing(people, proposeArgsCodec, (args, call) => propose(args, call, find))],
    ["vote", changing(people, voteArgsCodec, vote)],
    ["cancel", changing(people, proposalNumberArgsCodec, cancel)],
    ["setDelegates", changing(["admin"], setDelegatesArgsCodec, setDelegates)],
    ["setRules", governed("constitutional", setRulesArgsCodec, setRules)],
    ["setWeight", governed("constitutional", setWeightArgsCodec, setWeight)],
    ["restrictMember", governed("emergency", memberTargetCodec, restrictMember)],
    ["restrictContract", governed("emergency", contractTargetCodec, restrictContract)],
    ["setMemberStatus", governed("ordinary", setMemberStatusArgsCodec, decideMemberStatus)],
    ["setContractFrozen", governed("ordinary", setContractFrozenArgsCodec, decideContractFrozen)],
    ["contributions", reading(noArgsCodec, readContributions)],
    ["rules", reading(noArgsCodec, readGovernanceRules)],
    [
      "get",
      reading(proposalNumberArgsCodec, ({ number }, call) =>
        encode(proposalCodec, findProposal(number, call.state)),
      ),
    ],
    ["list", reading(listProposalsArgsCodec, listProposals)],
  ]);
}

function readGovernanceRules(_: Record<string, never>, call: BuiltInCall): Uint8Array {
  const { contract, key } = rows.governanceRules;
  return call.state.get(contract, key) ?? refuseCall("GOVERNANCE_RULES_INVALID");
}

function readContributions(_: Record<string, never>, call: BuiltInCall): Uint8Array {
  return encode(contributionsCodec, call.state.read(rows.contributions) ?? []);
}

function setDelegates({ delegates }: SetDelegatesArgs, call: BuiltInCall): undefined {
  const { organization } = call.caller;
  if (new Set(delegates.map(toHex)).size < delegates.length) {
    refuseCall("GOVERNANCE_DELEGATE_INVALID", "twice");
  }
  for (const address of delegates) {
    const member = call.state.read(rows.member(address));
    const isOwn = member?.organization === organization && member.status === "active";
    if (!isOwn || member.role === "admin" || isNodeRole(member.role)) {
      refuseCall("GOVERNANCE_DELEGATE_INVALID");
    }
  }
  call.state.write(rows.delegates(organization), delegates);
}

/** Numbers have no gaps: a page is as many rows. */
function listProposals({ from, limit }: ListProposalsArgs, call: BuiltInCall): Uint8Array {
  const newest = (call.state.read(rows.openProposals)?.next ?? 1) - 1;
  const first = from === 0 ? newest : Math.min(from, newest);
  const count = Math.max(0, Math.min(limit, MAX_LISTED_PROPOSALS, first));
  const listed = Array.from({ length: count }, (_, index) =>
    findProposal(first - index, call.state),
  );
  return encode(proposalListCodec, listed);
}
