import { sm3 } from "@credlink/crypto";
import {
  type GovernanceRules,
  listedProposalCodec,
  type Proposal,
  type ProposalNumberArgs,
  type ProposalState,
  type ProposeArgs,
  proposalDigest,
  proposedCodec,
  type Vote,
  type VoteArgs,
} from "@credlink/ledger";
import { digest, encode, equalBytes, type Height } from "@credlink/primitives";
import type { Identity } from "../call.ts";
import { readRules, votersOf } from "./authority.ts";
import {
  type BuiltInCall,
  type BuiltInContract,
  type ChargedState,
  type GovernedAct,
  refuseCall,
} from "./built-in.ts";
import { cannotPass, passes } from "./governance-rules.ts";
import { type OpenProposal, type OpenProposals, rows } from "./rows.ts";

/** How far above its block a proposal's height of execution lies at most. */
export const MAX_EXECUTION_DISTANCE = 1_000_000;

/** Topic of the event of every change of a proposal by a transaction; data: `listedProposalCodec`. */
export const PROPOSAL_TOPIC = "proposal";

/** Finds built-in contracts by name. */
export type FindBuiltIn = (name: string) => BuiltInContract | undefined;

const NO_PROPOSALS: OpenProposals = { next: 1, open: [] };

/** What a proposal's call names. @throws Stop GOVERNANCE_NOT_GOVERNED */
export function actOf(
  { contract, method }: Pick<Proposal, "contract" | "method">,
  find: FindBuiltIn,
): GovernedAct {
  const act = find(contract)?.get(method)?.act;
  return act ?? refuseCall("GOVERNANCE_NOT_GOVERNED", `${contract}.${method}`);
}

/** `governance.propose`. */
export function propose(args: ProposeArgs, call: BuiltInCall, find: FindBuiltIn): Uint8Array {
  const act = actOf(args, find);
  act.check(args.args);
  const { state, block } = call;
  checkHeight(args.executeAt, block.height);
  const rules = readRules(state);
  const [first, voters] = votersOrRefuse(call, act.decision, rules);
  const { next, open } = state.read(rows.openProposals) ?? NO_PROPOSALS;
  const { organization } = first;
  checkRoom(open, organization, rules);
  const argsDigest = digest(sm3(args.args));
  const { contract, method, executeAt } = args;
  const terms = { number: next, organization, contract, method, argsDigest, executeAt };
  const proposal: Proposal = {
    ...terms,
    digest: proposalDigest(block.chainId, terms),
    decision: act.decision,
    proposer: first.address,
    proposedAt: block.height,
    expiresMs: block.timestampMs + rules[act.decision].votingMs,
    votes: votesOf(voters, true, block.height),
    state: "voting",
    changedAt: block.height,
    notBeforeMs: 0,
    status: "",
    gasUsed: 0,
  };
  state.write(rows.proposalArgs(next), args.args);
  const { expiresMs: atMs } = proposal;
  const entry: OpenProposal = { number: next, organization, isPassed: false, atMs, executeAt };
  state.write(rows.openProposals, { next: next + 1, open: [...open, entry] });
  settleVotes(proposal, rules, call);
  return encode(proposedCodec, proposal);
}

function checkHeight(executeAt: Height, now: Height): void {
  if (executeAt === 0) return;
  const distance = executeAt - now;
  if (distance < 1 || distance > MAX_EXECUTION_DISTANCE) refuseCall("GOVERNANCE_HEIGHT_INVALID");
}

function checkRoom(
  open: readonly OpenProposal[],
  organization: string,
  { maxOpen, maxOpenPerOrganization }: GovernanceRules,
): void {
  const own = open.filter((each) => each.organization === organization);
  if (open.length >= maxOpen || own.length >= maxOpenPerOrganization) {
    refuseCall("GOVERNANCE_TOO_MANY_OPEN", `${own.length} of ${open.length}`);
  }
}

/** The first signer that may vote, and all of them. */
function votersOrRefuse(
  call: BuiltInCall,
  decision: Proposal["decision"],
  rules: GovernanceRules,
): readonly [Identity, ReadonlyMap<string, Identity>] {
  const voters = votersOf(call, decision, rules);
  const [first] = voters.values();
  return first === undefined ? refuseCall("GOVERNANCE_VOTER") : [first, voters];
}

function votesOf(
  voters: ReadonlyMap<string, Identity>,
  approve: boolean,
  height: Height,
): readonly Vote[] {
  return [...voters].map(([organization, { address: voter }]) => ({
    ...{ organization, approve, voter, height },
  }));
}

/** `governance.vote`: the vote of every organisation among the signers, in place of its last. */
export function vote(args: VoteArgs, call: BuiltInCall): undefined {
  const proposal = findProposal(args.number, call.state);
  if (!equalBytes(proposal.digest, args.digest)) refuseCall("GOVERNANCE_DIGEST_WRONG");
  requireVoting(proposal, call);
  const rules = readRules(call.state);
  const [, voters] = votersOrRefuse(call, proposal.decision, rules);
  const others = proposal.votes.filter(({ organization }) => !voters.has(organization));
  const votes = [...others, ...votesOf(voters, args.approve, call.block.height)];
  // Organisations that lost their vote make room for those that have one.
  const known = votes.filter(({ organization }) =>
    rules.voters.some((voter) => voter.organization === organization),
  );
  settleVotes({ ...proposal, votes: known }, rules, call);
}

/** `governance.cancel`. */
export function cancel({ number }: ProposalNumberArgs, call: BuiltInCall): undefined {
  const proposal = findProposal(number, call.state);
  requireVoting(proposal, call);
  const rules = readRules(call.state);
  const [, voters] = votersOrRefuse(call, proposal.decision, rules);
  if (!voters.has(proposal.organization)) refuseCall("GOVERNANCE_NOT_PROPOSER");
  saveProposal(closed(proposal, "cancelled", call.block.height, call.state), call);
}

function requireVoting({ state, expiresMs }: Proposal, { block }: BuiltInCall): void {
  if (state !== "voting") refuseCall("GOVERNANCE_DECIDED", state);
  if (block.timestampMs >= expiresMs) refuseCall("GOVERNANCE_DECIDED", "expired");
}

/** Counts the votes: the proposal passes, fails, or waits for more. */
function settleVotes(proposal: Proposal, rules: GovernanceRules, call: BuiltInCall): void {
  const { block, state } = call;
  const { decision } = proposal;
  if (passes(rules, decision, organizationsThat(proposal, true))) {
    const notBeforeMs = block.timestampMs + rules[decision].delayMs;
    replaceOpen(proposal.number, { isPassed: true, atMs: notBeforeMs }, state);
    saveProposal({ ...proposal, state: "passed", changedAt: block.height, notBeforeMs }, call);
  } else if (cannotPass(rules, decision, organizationsThat(proposal, false))) {
    saveProposal(closed(proposal, "rejected", block.height, state), call);
  } else {
    saveProposal(proposal, call);
  }
}

/** Organisations that approve, or reject. */
export function organizationsThat({ votes }: Proposal, approve: boolean): ReadonlySet<string> {
  const same = votes.filter((each) => each.approve === approve);
  return new Set(same.map(({ organization }) => organization));
}

/** @throws Stop GOVERNANCE_UNKNOWN */
export function findProposal(number: number, state: ChargedState): Proposal {
  return state.read(rows.proposal(number)) ?? refuseCall("GOVERNANCE_UNKNOWN", `${number}`);
}

function replaceOpen(
  number: number,
  change: Pick<OpenProposal, "isPassed" | "atMs">,
  state: ChargedState,
): void {
  const all = state.read(rows.openProposals) ?? NO_PROPOSALS;
  const open = all.open.map((each) => (each.number === number ? { ...each, ...change } : each));
  state.write(rows.openProposals, { ...all, open });
}

/** Takes a proposal off the open ones. */
function closed(
  proposal: Proposal,
  finalState: ProposalState,
  height: Height,
  state: ChargedState,
): Proposal {
  const all = state.read(rows.openProposals) ?? NO_PROPOSALS;
  const open = all.open.filter(({ number }) => number !== proposal.number);
  state.write(rows.openProposals, { ...all, open });
  return { ...proposal, state: finalState, changedAt: height };
}

function saveProposal(proposal: Proposal, call: BuiltInCall): void {
  call.state.write(rows.proposal(proposal.number), proposal);
  call.emit(PROPOSAL_TOPIC, encode(listedProposalCodec, proposal));
}
