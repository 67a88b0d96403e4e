import {
  BUILT_IN_VERSION,
  CONTRIBUTIONS_KEY,
  type Contribution,
  contributionsCodec,
  type Event,
  GOVERNANCE_CONTRACT,
  GOVERNANCE_RULES_KEY,
  type GovernanceRules,
  governanceRulesCodec,
  listProposalsArgsCodec,
  type Proposal,
  type ProposeArgs,
  proposalArgsKey,
  proposalCodec,
  proposalEventsCodec,
  proposalEventsKey,
  proposalKey,
  proposalListCodec,
  proposalNumberArgsCodec,
  proposeArgsCodec,
  setDelegatesArgsCodec,
  type VoteArgs,
  voteArgsCodec,
} from "@credlink/ledger";
import { type Address, bytesUpTo, encode } from "@credlink/primitives";
import type { Client } from "./client.ts";
import { decodeClaim } from "./header-claims.ts";
import type { Identity } from "./session.ts";
import type { Call } from "./transactions.ts";

/** Gas of a call of governance: rows of votes of many organisations, with room. */
const CALL_GAS = 5_000_000;
const PROPOSED_BYTE_GAS = 60;
const MAX_ARGS_BYTES = 64 * 1024;
/** Proposals of one page of `listProposals`. */
export const MAX_PROPOSAL_PAGE = 16;

function governanceCall(method: string, args: Uint8Array, coSigners: readonly Identity[]): Call {
  const gasLimit = CALL_GAS + PROPOSED_BYTE_GAS * args.length;
  return {
    contract: GOVERNANCE_CONTRACT,
    version: BUILT_IN_VERSION,
    method,
    args,
    gasLimit,
    coSigners,
  };
}

/** Proposes a call of a governed method; every signer's organisation approves it by that. */
export function proposeCall(proposal: ProposeArgs, coSigners: readonly Identity[] = []): Call {
  return governanceCall("propose", encode(proposeArgsCodec, proposal), coSigners);
}

/** Votes for the organisation of every signer on the proposal that `digest` is of. */
export function voteCall(vote: VoteArgs, coSigners: readonly Identity[] = []): Call {
  return governanceCall("vote", encode(voteArgsCodec, vote), coSigners);
}

/** Takes back a proposal of the sender's organisation that is not decided. */
export function cancelProposalCall(number: number): Call {
  return governanceCall("cancel", encode(proposalNumberArgsCodec, { number }), []);
}

/** Names who votes for the admin's organisation beside its admins, in place of all before. */
export function setDelegatesCall(delegates: readonly Address[]): Call {
  return governanceCall("setDelegates", encode(setDelegatesArgsCodec, { delegates }), []);
}

/** A proposal with all that the state keeps of it. */
export interface ProvenProposal {
  /** Height of the header that proves it. */
  readonly height: number;
  readonly proposal: Proposal;
  readonly args: Uint8Array;
  readonly events: readonly Event[];
}

/** A proposal with proof, or null when it is proven absent. */
export async function getProposal(client: Client, number: number): Promise<ProvenProposal | null> {
  const keys = [proposalKey(number), proposalArgsKey(number), proposalEventsKey(number)];
  const places = keys.map((key) => ({ contract: GOVERNANCE_CONTRACT, key }));
  const { header, values } = await client.getStates(places);
  const [proposal, args, events] = values.map(({ value }) => value);
  if (!proposal || !args) return null;
  return {
    height: header.height,
    proposal: decodeClaim(proposalCodec, proposal, "proposal"),
    args: decodeClaim(bytesUpTo(MAX_ARGS_BYTES), args, "arguments"),
    events: events ? decodeClaim(proposalEventsCodec, events, "events") : [],
  };
}

/**
 * Proposals downwards from a number, 0 for the newest, each proven. That none is newer is the
 * node's word.
 */
export async function listProposals(
  client: Client,
  { from, limit }: { readonly from: number; readonly limit: number },
): Promise<readonly Proposal[]> {
  const count = Math.min(limit, MAX_PROPOSAL_PAGE);
  const { returnValue } = await client.queryContract({
    contract: GOVERNANCE_CONTRACT,
    version: BUILT_IN_VERSION,
    method: "list",
    args: encode(listProposalsArgsCodec, { from, limit: count }),
  });
  const listed = decodeClaim(proposalListCodec, returnValue, "list of proposals");
  if (listed.length === 0) return [];
  const keys = listed.map(({ number }) => proposalKey(number));
  const { values } = await client.getStates(
    keys.map((key) => ({ contract: GOVERNANCE_CONTRACT, key })),
  );
  return values.flatMap(({ value }) =>
    value ? decodeClaim(proposalCodec, value, "proposal") : [],
  );
}

/** The rules of governance in force, with proof. */
export async function getGovernanceRules(client: Client): Promise<GovernanceRules> {
  const { value } = await client.getState(GOVERNANCE_CONTRACT, GOVERNANCE_RULES_KEY);
  return decodeClaim(governanceRulesCodec, value ?? new Uint8Array(0), "rules of governance");
}

/** What each organisation contributed since genesis, with proof. */
export async function getContributions(client: Client): Promise<{
  readonly height: number;
  readonly contributions: readonly Contribution[];
}> {
  const { header, value } = await client.getState(GOVERNANCE_CONTRACT, CONTRIBUTIONS_KEY);
  const contributions =
    value === null ? [] : decodeClaim(contributionsCodec, value, "contributions");
  return { height: header.height, contributions };
}
