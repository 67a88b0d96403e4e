/** Governance of the chain: its rules in genesis, proposals, votes, and calls of the contract. */
import { taggedSm3 } from "@credlink/crypto";
import {
  type Address,
  addressCodec,
  bool,
  bytesUpTo,
  type Codec,
  concatBytes,
  type Digest,
  digest,
  digestCodec,
  encode,
  type Height,
  heightCodec,
  list,
  nullable,
  oneOf,
  struct,
  text,
  u32,
  u53,
  utf8,
} from "@credlink/primitives";
import { encodeU64 } from "./fixed-u64.ts";
import { type MemberRole, memberRoles } from "./member.ts";
import { type Event, eventCodec, MAX_EVENTS } from "./receipt.ts";

/**
 * Kinds of decisions. Constitutional ones change who decides and by which rules; emergency ones
 * restrict, need less weight, and end by themselves unless an ordinary decision confirms them.
 */
export const decisionClasses = ["ordinary", "constitutional", "emergency"] as const;
export type DecisionClass = (typeof decisionClasses)[number];

/** Most organisations with a vote; as many as the consortium may have. */
export const MAX_VOTERS = 256;
/** Most members that may vote for one organisation beside its admins. */
export const MAX_DELEGATES = 16;
/** Most kinds of events that count as sharing. */
export const MAX_SHARING_RULES = 32;
/** Most bytes of a proposal's arguments. */
export const MAX_PROPOSAL_BYTES = 64 * 1024;
/** Most proposals in one answer of `governance.list`. */
export const MAX_LISTED_PROPOSALS = 16;

/** An organisation that votes, and what its vote weighs. */
export interface Voter {
  readonly organization: string;
  /** 1 to 1,000,000. An organisation without a vote is not named. */
  readonly weight: number;
}

/** When a class of decisions passes, and when it is carried out. */
export interface DecisionRules {
  /** Passes once approving weight is more than `numerator` / `denominator` of all weight. */
  readonly numerator: number;
  readonly denominator: number;
  /** Block time from the proposal on in which votes count, ms. */
  readonly votingMs: number;
  /** Least block time between passing and execution, ms. */
  readonly delayMs: number;
  /** Roles whose delegates may vote, beside the admins. */
  readonly delegateRoles: readonly MemberRole[];
}

/** Events by which members' transactions share data, and what each is worth. */
export interface SharingRule {
  readonly contract: string;
  readonly topic: string;
  /** 1 to 1,000, to the sender's organisation. */
  readonly points: number;
}

/** How the consortium decides: stands in genesis, changed by constitutional decisions alone. */
export interface GovernanceRules {
  readonly voters: readonly Voter[];
  readonly ordinary: DecisionRules;
  readonly constitutional: DecisionRules;
  readonly emergency: DecisionRules;
  /** Block time after which an emergency restriction ends unless it was confirmed, ms. */
  readonly restrictionMs: number;
  /** Proposals that are undecided or wait for execution: all, and of one organisation. */
  readonly maxOpen: number;
  readonly maxOpenPerOrganization: number;
  /** Executions at the end of one block, and the gas of each. */
  readonly maxExecutions: number;
  readonly executionGas: number;
  /** Contribution points for each block that a validator of the organisation signed, 0 to 1,000. */
  readonly pointsPerBlock: number;
  readonly sharing: readonly SharingRule[];
}

const decisionRulesCodec: Codec<DecisionRules> = struct({
  numerator: u32,
  denominator: u32,
  votingMs: u53,
  delayMs: u53,
  delegateRoles: list(oneOf(...memberRoles), memberRoles.length),
});

export const governanceRulesCodec: Codec<GovernanceRules> = struct({
  voters: list(struct({ organization: text(64), weight: u32 }), MAX_VOTERS),
  ordinary: decisionRulesCodec,
  constitutional: decisionRulesCodec,
  emergency: decisionRulesCodec,
  restrictionMs: u53,
  maxOpen: u32,
  maxOpenPerOrganization: u32,
  maxExecutions: u32,
  executionGas: u53,
  pointsPerBlock: u32,
  sharing: list(struct({ contract: text(64), topic: text(64), points: u32 }), MAX_SHARING_RULES),
});

const DAY_MS = 24 * 3600 * 1000;
const delegateRoles = ["enterprise", "individual", "institution", "regulator"] as const;

/**
 * Rules with which every organisation's vote weighs the same: more than half decide, more than two
 * thirds on the rules themselves, more than one third in an emergency. A signed block is a point, a
 * credential or a publication ten.
 */
export function defaultGovernance(organizations: readonly string[]): GovernanceRules {
  const rules = { delayMs: 0, delegateRoles };
  return {
    voters: organizations.map((organization) => ({ organization, weight: 1 })),
    ordinary: { ...rules, numerator: 1, denominator: 2, votingMs: 7 * DAY_MS },
    constitutional: { ...rules, numerator: 2, denominator: 3, votingMs: 14 * DAY_MS },
    emergency: { ...rules, numerator: 1, denominator: 3, votingMs: DAY_MS },
    restrictionMs: 7 * DAY_MS,
    maxOpen: 64,
    maxOpenPerOrganization: 8,
    maxExecutions: 4,
    executionGas: 50_000_000,
    pointsPerBlock: 1,
    sharing: [
      { contract: "credential", topic: "credential.submitted", points: 10 },
      { contract: "credential", topic: "credential.published", points: 10 },
    ],
  };
}

/** A call that a decision carries out: a governed method of a built-in contract. */
export interface GovernedCall {
  readonly contract: string;
  readonly method: string;
  readonly args: Uint8Array;
}

/** `governance.propose`: returns `proposedCodec`. The proposing organisations approve by it. */
export interface ProposeArgs extends GovernedCall {
  /** Height at which it is executed at the earliest; 0: as soon as it passed. */
  readonly executeAt: Height;
}
export const proposeArgsCodec: Codec<ProposeArgs> = struct({
  contract: text(64),
  method: text(64),
  args: bytesUpTo(MAX_PROPOSAL_BYTES),
  executeAt: heightCodec,
});

/** What `governance.propose` returns. */
export interface Proposed {
  /** From 1 on, in the order of the chain. */
  readonly number: number;
  /** `proposalDigest`: what a vote is for. */
  readonly digest: Digest;
}
export const proposedCodec: Codec<Proposed> = struct({ number: u53, digest: digestCodec });

/** `governance.vote`: changed as often as an organisation likes until it is decided. */
export interface VoteArgs extends Proposed {
  readonly approve: boolean;
}
export const voteArgsCodec: Codec<VoteArgs> = struct({
  number: u53,
  digest: digestCodec,
  approve: bool,
});

/** `governance.get` and, by its proposer's organisation, `governance.cancel`. */
export interface ProposalNumberArgs {
  readonly number: number;
}
export const proposalNumberArgsCodec: Codec<ProposalNumberArgs> = struct({ number: u53 });

/** `governance.list`: proposals downwards from a number, 0 for the newest. */
export interface ListProposalsArgs {
  readonly from: number;
  /** At most `MAX_LISTED_PROPOSALS`. */
  readonly limit: number;
}
export const listProposalsArgsCodec: Codec<ListProposalsArgs> = struct({ from: u53, limit: u32 });

/** `governance.setDelegates`, by an admin: who votes for its organisation beside its admins. */
export interface SetDelegatesArgs {
  readonly delegates: readonly Address[];
}
export const delegatesCodec: Codec<readonly Address[]> = list(addressCodec, MAX_DELEGATES);
export const setDelegatesArgsCodec: Codec<SetDelegatesArgs> = struct({ delegates: delegatesCodec });

/** `governance.setRules`, constitutional. */
export interface SetRulesArgs {
  readonly rules: GovernanceRules;
}
export const setRulesArgsCodec: Codec<SetRulesArgs> = struct({ rules: governanceRulesCodec });

/** `governance.setWeight`, constitutional: null takes an organisation's vote. */
export interface SetWeightArgs {
  readonly organization: string;
  readonly weight: number | null;
}
export const setWeightArgsCodec: Codec<SetWeightArgs> = struct({
  organization: text(64),
  weight: nullable(u32),
});

/** `governance.restrictMember`, in an emergency. */
export interface MemberTarget {
  readonly address: Address;
}
export const memberTargetCodec: Codec<MemberTarget> = struct({ address: addressCodec });

/** `governance.restrictContract`, in an emergency. */
export interface ContractTarget {
  readonly name: string;
}
export const contractTargetCodec: Codec<ContractTarget> = struct({ name: text(64) });

/** `governance.setContractFrozen`: confirms or lifts a restriction, or freezes by itself. */
export interface SetContractFrozenArgs extends ContractTarget {
  readonly isFrozen: boolean;
}
export const setContractFrozenArgsCodec: Codec<SetContractFrozenArgs> = struct({
  name: text(64),
  isFrozen: bool,
});

/** What an organisation did for the chain, since genesis; each number stops at 2^53 − 1. */
export interface Contribution {
  readonly organization: string;
  /** Signatures of its validators under blocks, as the blocks two above have them. */
  readonly blocks: number;
  /** Events of its members' transactions that count as sharing. */
  readonly events: number;
  readonly points: number;
}

/** At `CONTRIBUTIONS_KEY`: an entry for each organisation that contributed, in order of the first. */
export const contributionsCodec: Codec<readonly Contribution[]> = list(
  struct({ organization: text(64), blocks: u53, events: u53, points: u53 }),
  MAX_VOTERS,
);

/** Where a proposal stands; `passed` waits for its execution, all after it are final. */
export const proposalStates = [
  "voting",
  "passed",
  "executed",
  "failed",
  "rejected",
  "expired",
  "cancelled",
] as const;
export type ProposalState = (typeof proposalStates)[number];

/** One organisation's word, by whom and where. */
export interface Vote {
  readonly organization: string;
  readonly approve: boolean;
  readonly voter: Address;
  readonly height: Height;
}

/** A proposal as the state keeps it for ever, at `proposalKey`. Its arguments: `proposalArgsKey`. */
export interface Proposal extends Proposed {
  readonly decision: DecisionClass;
  readonly contract: string;
  readonly method: string;
  /** SM3 of the arguments. */
  readonly argsDigest: Digest;
  readonly executeAt: Height;
  readonly proposer: Address;
  readonly organization: string;
  readonly proposedAt: Height;
  /** Votes count in blocks before this time. */
  readonly expiresMs: number;
  readonly votes: readonly Vote[];
  readonly state: ProposalState;
  /** Height of the last change of `state`. */
  readonly changedAt: Height;
  /** Earliest block time of its execution; 0 until it passed. */
  readonly notBeforeMs: number;
  /** Of the execution: `SUCCESS` or why it failed, empty before. */
  readonly status: string;
  readonly gasUsed: number;
}

export const proposalCodec: Codec<Proposal> = struct({
  number: u53,
  digest: digestCodec,
  decision: oneOf(...decisionClasses),
  contract: text(64),
  method: text(64),
  argsDigest: digestCodec,
  executeAt: heightCodec,
  proposer: addressCodec,
  organization: text(64),
  proposedAt: heightCodec,
  expiresMs: u53,
  votes: list(
    struct({ organization: text(64), approve: bool, voter: addressCodec, height: heightCodec }),
    MAX_VOTERS,
  ),
  state: oneOf(...proposalStates),
  changedAt: heightCodec,
  notBeforeMs: u53,
  status: text(64),
  gasUsed: u53,
});

/** What `governance.list` and the event `proposal` say of a proposal. */
export type ListedProposal = Pick<
  Proposal,
  "number" | "digest" | "decision" | "contract" | "method" | "organization" | "state" | "executeAt"
> &
  Pick<Proposal, "expiresMs">;
export const listedProposalCodec: Codec<ListedProposal> = struct({
  number: u53,
  digest: digestCodec,
  decision: oneOf(...decisionClasses),
  contract: text(64),
  method: text(64),
  organization: text(64),
  state: oneOf(...proposalStates),
  executeAt: heightCodec,
  expiresMs: u53,
});
export const proposalListCodec: Codec<readonly ListedProposal[]> = list(
  listedProposalCodec,
  MAX_LISTED_PROPOSALS,
);

/** Events of an execution, which has no receipt to hold them, at `proposalEventsKey`. */
export const proposalEventsCodec: Codec<readonly Event[]> = list(eventCodec, MAX_EVENTS);

/** What is voted on: a number of one chain and one call can be no other. */
export function proposalDigest(
  chainId: string,
  { number, contract, method, argsDigest, executeAt, organization }: Omit<ProposalTerms, "chainId">,
): Digest {
  const terms = { chainId, number, organization, contract, method, argsDigest, executeAt };
  return digest(taggedSm3("credlink/proposal/1", encode(proposalTermsCodec, terms)));
}

interface ProposalTerms {
  readonly chainId: string;
  readonly number: number;
  readonly organization: string;
  readonly contract: string;
  readonly method: string;
  readonly argsDigest: Digest;
  readonly executeAt: Height;
}
const proposalTermsCodec: Codec<ProposalTerms> = struct({
  chainId: text(64),
  number: u53,
  organization: text(64),
  contract: text(64),
  method: text(64),
  argsDigest: digestCodec,
  executeAt: heightCodec,
});

function numbered(prefix: string, number: number): Uint8Array {
  return concatBytes(utf8(prefix), encodeU64(number));
}

/** State keys in `GOVERNANCE_CONTRACT`: a prefix and the number as u64. */
export function proposalKey(number: number): Uint8Array {
  return numbered("proposal/", number);
}
export function proposalArgsKey(number: number): Uint8Array {
  return numbered("args/", number);
}
export function proposalEventsKey(number: number): Uint8Array {
  return numbered("events/", number);
}
/** State key of `governanceRulesCodec`. */
export const GOVERNANCE_RULES_KEY: Uint8Array = utf8("rules");
/** State key of `contributionsCodec`. */
export const CONTRIBUTIONS_KEY: Uint8Array = utf8("contributions");
