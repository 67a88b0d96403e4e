import {
  type BlockContext,
  BUILT_IN_VERSION,
  type Event,
  GOVERNANCE_CONTRACT,
  type GovernanceRules,
  type Proposal,
  SUCCESS,
} from "@credlink/ledger";
import { invariant } from "@credlink/primitives";
import { type Call, contractIdentity } from "../call.ts";
import { GasMeter } from "../gas-meter.ts";
import { BUILT_IN_CALL_GAS } from "../gas-schedule.ts";
import { StateOverlay } from "../state-overlay.ts";
import { Stop } from "../stop.ts";
import { builtInCall } from "./built-in.ts";
import { passes } from "./governance-rules.ts";
import { actOf, type FindBuiltIn, organizationsThat } from "./proposals.ts";
import { readRow, writeRow } from "./row.ts";
import { type OpenProposal, rows } from "./rows.ts";

/** The rules of governance in force. */
export function rulesOf(state: StateOverlay): GovernanceRules {
  const rules = readRow(state, rows.governanceRules);
  invariant(rules !== null, "genesis wrote the rules of governance");
  return rules;
}

/**
 * What governance does after a block's transactions: proposals whose time is over expire, and
 * passed ones that are due are executed in the order of their numbers, as many as the rules permit
 * a block; the rest follow in the next. Throws NeedsRange, having changed nothing but `state`.
 */
export function governBlock(state: StateOverlay, block: BlockContext, find: FindBuiltIn): void {
  const all = readRow(state, rows.openProposals);
  if (all === null || all.open.length === 0) return;
  let left = rulesOf(state).maxExecutions;
  const open: OpenProposal[] = [];
  for (const entry of all.open) {
    if (!isDue(entry, block)) open.push(entry);
    else if (!entry.isPassed) expire(entry, state, block);
    else if (left > 0) {
      execute(entry, state, block, find);
      left--;
    } else open.push(entry);
  }
  if (open.length < all.open.length) writeRow(state, rows.openProposals, { ...all, open });
}

function isDue(
  { isPassed, atMs, executeAt }: OpenProposal,
  { height, timestampMs }: BlockContext,
): boolean {
  return timestampMs >= atMs && (!isPassed || height >= executeAt);
}

function readProposal({ number }: OpenProposal, state: StateOverlay): Proposal {
  const proposal = readRow(state, rows.proposal(number));
  invariant(proposal !== null, "an open proposal is kept");
  return proposal;
}

function expire(entry: OpenProposal, state: StateOverlay, { height }: BlockContext): void {
  const proposal = readProposal(entry, state);
  writeRow(state, rows.proposal(entry.number), {
    ...proposal,
    state: "expired",
    changedAt: height,
  });
}

/** Whatever comes of it, the proposal is closed: a failure is recorded, and changes nothing else. */
function execute(
  entry: OpenProposal,
  state: StateOverlay,
  block: BlockContext,
  find: FindBuiltIn,
): void {
  const proposal = readProposal(entry, state);
  const rules = rulesOf(state);
  const gas = new GasMeter(rules.executionGas);
  const events: Event[] = [];
  const status = carryOut(proposal, rules, { gas, events, state, block, find });
  writeRow(state, rows.proposal(proposal.number), {
    ...proposal,
    state: status === SUCCESS ? "executed" : "failed",
    changedAt: block.height,
    status,
    gasUsed: gas.used,
  });
  if (status === SUCCESS && events.length > 0) {
    writeRow(state, rows.proposalEvents(proposal.number), events);
  }
}

interface Execution extends Pick<Call, "gas" | "events" | "state" | "block"> {
  readonly find: FindBuiltIn;
}

function carryOut(
  proposal: Proposal,
  rules: GovernanceRules,
  { gas, events, state, block, find }: Execution,
): string {
  const args = readRow(state, rows.proposalArgs(proposal.number));
  invariant(args !== null, "a proposal's arguments are kept");
  // Weights may have changed since it passed, and who has a vote.
  if (!passes(rules, proposal.decision, organizationsThat(proposal, true))) {
    return "GOVERNANCE_VOTES_MISSING";
  }
  const changes = new StateOverlay(state);
  const call: Call = {
    contract: proposal.contract,
    version: BUILT_IN_VERSION,
    method: proposal.method,
    args,
    caller: contractIdentity(GOVERNANCE_CONTRACT),
    signers: [],
    block,
    gas,
    state: changes,
    events,
    eventsBefore: 0,
    readOnly: false,
    running: [],
    stack: 0,
  };
  try {
    gas.charge(BUILT_IN_CALL_GAS);
    actOf(proposal, find).execute(args, builtInCall(call, false));
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    return error.status;
  }
  changes.mergeInto(state);
  return SUCCESS;
}
