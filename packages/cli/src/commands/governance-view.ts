import { type Client, getProposal, type ProvenProposal } from "@credlink/client";
import { formatAddress } from "@credlink/crypto";
import type { Proposal } from "@credlink/ledger";
import { toHex } from "@credlink/primitives";
import { describeReturned } from "../contract-values.ts";
import { CliError } from "../errors.ts";

/** A proposal with proof. @throws CliError CLI_NOT_FOUND */
export async function demandProposal(client: Client, number: number): Promise<ProvenProposal> {
  const proven = await getProposal(client, number);
  if (proven === null) throw new CliError("CLI_NOT_FOUND", `no proposal ${number}`);
  return proven;
}

/** One line's worth of a proposal. */
export function listedOf(proposal: Proposal) {
  const { number, state, decision, contract, method, organization, executeAt } = proposal;
  const call = `${contract}.${method}`;
  const expires = new Date(proposal.expiresMs).toISOString();
  return { number, state, decision, call, organization, executeAt, expires };
}

/** A proposal as people and scripts read it. */
export function describeProposal({ height, proposal, args, events }: ProvenProposal) {
  const { votes, status, gasUsed, changedAt, proposedAt, notBeforeMs } = proposal;
  return {
    ...listedOf(proposal),
    digest: toHex(proposal.digest),
    arguments: describeReturned(args),
    argumentBytes: toHex(args),
    proposer: formatAddress(proposal.proposer),
    proposedAt,
    votes: votes.map(({ organization, approve, voter, height: at }) => ({
      organization,
      vote: approve ? "approve" : "reject",
      voter: formatAddress(voter),
      height: at,
    })),
    changedAt,
    notBefore: notBeforeMs === 0 ? null : new Date(notBeforeMs).toISOString(),
    status: status === "" ? null : status,
    gasUsed,
    events: events.map(({ contract, topic, data }) => ({ contract, topic, data: toHex(data) })),
    height,
    verified: true,
  };
}
