import {
  cancelProposalCall,
  getContributions,
  getGovernanceRules,
  listProposals,
  MAX_PROPOSAL_PAGE,
  proposeCall,
  setDelegatesCall,
  voteCall,
} from "@credlink/client";
import { parseAddress } from "@credlink/crypto";
import { proposedCodec } from "@credlink/ledger";
import { decode, height, toHex } from "@credlink/primitives";
import type { Command } from "commander";
import { loadCoSigners } from "../co-signers.ts";
import { type ConnectionOptions, connect, withConnection } from "../connection.ts";
import { encodeContractArgs } from "../contract-values.ts";
import { CliError } from "../errors.ts";
import { renderTable } from "../network/status.ts";
import type { Answer } from "../output.ts";
import type { CommandContext } from "./context.ts";
import { addAuthorityCommand } from "./governance-authority.ts";
import { demandProposal, describeProposal, listedOf } from "./governance-view.ts";
import { renderFields } from "./read.ts";

interface Options extends ConnectionOptions {
  readonly json?: boolean;
}

interface SigningOptions extends Options {
  readonly coSign: readonly string[];
}

interface ProposeOptions extends SigningOptions {
  readonly args: string;
  readonly at: string;
}

interface ListOptions extends Options {
  readonly from: string;
  readonly limit: string;
}

/** `gov propose | vote | cancel | list | show | rules | delegates | points`. */
export function addGovernanceCommands(program: Command, context: CommandContext): void {
  const gov = program.command("gov").description("what the organisations decide together");
  const add = (signature: string, description: string) =>
    withConnection(gov.command(signature))
      .description(description)
      .option("--json", "print one JSON document");
  const run = (options: Options, action: () => Promise<Answer>) =>
    context.run(options.json ?? false, action);
  add("propose <contract> <method>", "propose a call of a governed method, and approve it")
    .option("--args <json>", "its arguments, as `contract call` takes them", "[]")
    .option("--at <height>", "height of its execution; 0: as soon as it passed", "0")
    .option("--co-sign <member>", "who approves too, as `contract call` takes it", gather, [])
    .action((contract: string, method: string, options: ProposeOptions) =>
      run(options, () => propose(contract, method, options)),
    );
  add("vote <number> <approve|reject>", "vote for one's organisation, in place of its last vote")
    .option("--co-sign <member>", "who votes the same, as `contract call` takes it", gather, [])
    .action((number: string, choice: string, options: SigningOptions) =>
      run(options, () => vote(numberOf(number), choice, options)),
    );
  add("cancel <number>", "take back a proposal of one's organisation").action(
    (number: string, options: Options) => run(options, () => cancel(numberOf(number), options)),
  );
  add("list", "proposals from the newest down, each proven")
    .option("--from <number>", "begin at this one", "0")
    .option("--limit <count>", `at most ${MAX_PROPOSAL_PAGE}`, `${MAX_PROPOSAL_PAGE}`)
    .action((options: ListOptions) => run(options, () => list(options)));
  add("show <number>", "a proposal with its call, votes and outcome, proven").action(
    (number: string, options: Options) => run(options, () => show(numberOf(number), options)),
  );
  add("rules", "who votes with which weight, and what decides, proven").action((options: Options) =>
    run(options, () => rules(options)),
  );
  add("delegates [addresses...]", "name who votes for one's organisation beside its admins").action(
    (addresses: readonly string[], options: Options) =>
      run(options, () => delegate(addresses, options)),
  );
  addAuthorityCommand(add, run);
  add("points", "what each organisation contributed to the chain, proven").action(
    (options: Options) => run(options, () => points(options)),
  );
}

function gather(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** A whole number from 0. @throws CliError CLI_USAGE */
function numberOf(text: string): number {
  const value = Number(text);
  if (!/^\d{1,15}$/.test(text)) throw new CliError("CLI_USAGE", `${text} is no number`);
  return value;
}

async function propose(contract: string, method: string, options: ProposeOptions): Promise<Answer> {
  const args = encodeContractArgs(options.args);
  const executeAt = height(numberOf(options.at));
  const client = await connect(options);
  const coSigners = await loadCoSigners(options.coSign, options.network);
  const call = proposeCall({ contract, method, args, executeAt }, coSigners);
  const { id, receipt } = await client.execute(call);
  const { number } = decode(proposedCodec, receipt.returnValue);
  const value = {
    ...describeProposal(await demandProposal(client, number)),
    transaction: toHex(id),
  };
  return { value, text: renderFields(value) };
}

async function vote(number: number, choice: string, options: SigningOptions): Promise<Answer> {
  if (choice !== "approve" && choice !== "reject") {
    throw new CliError("CLI_USAGE", `vote approve or reject, not ${choice}`);
  }
  const client = await connect(options);
  const coSigners = await loadCoSigners(options.coSign, options.network);
  const { proposal } = await demandProposal(client, number);
  const { digest } = proposal;
  const { id } = await client.execute(
    voteCall({ number, digest, approve: choice === "approve" }, coSigners),
  );
  const value = {
    ...describeProposal(await demandProposal(client, number)),
    transaction: toHex(id),
  };
  return { value, text: renderFields(value) };
}

async function cancel(number: number, options: Options): Promise<Answer> {
  const client = await connect(options);
  const { id } = await client.execute(cancelProposalCall(number));
  const value = {
    ...describeProposal(await demandProposal(client, number)),
    transaction: toHex(id),
  };
  return { value, text: renderFields(value) };
}

async function list(options: ListOptions): Promise<Answer> {
  const client = await connect(options);
  const page = { from: numberOf(options.from), limit: numberOf(options.limit) };
  const proposals = (await listProposals(client, page)).map(listedOf);
  const rows = proposals.map((each) => [
    ...[`${each.number}`, each.state, each.decision, each.call, each.organization],
    `${each.executeAt}`,
  ]);
  const head = ["number", "state", "class", "call", "by", "at height"];
  return { value: { proposals, verified: true }, text: renderTable(head, rows) };
}

async function show(number: number, options: Options): Promise<Answer> {
  const client = await connect(options);
  const value = describeProposal(await demandProposal(client, number));
  return { value, text: renderFields(value) };
}

async function rules(options: Options): Promise<Answer> {
  const value = { ...(await getGovernanceRules(await connect(options))), verified: true };
  return { value, text: renderFields(value) };
}

/** @throws CliError CLI_USAGE */
async function delegate(addresses: readonly string[], options: Options): Promise<Answer> {
  const delegates = addresses.map((text) => {
    const parsed = parseAddress(text);
    if (!parsed.ok) throw new CliError("CLI_USAGE", `${text} is no address`);
    return parsed.value;
  });
  const client = await connect(options);
  const { id, header } = await client.execute(setDelegatesCall(delegates));
  const value = { delegates: addresses, transaction: toHex(id), height: header.height };
  return { value, text: renderFields(value) };
}

async function points(options: Options): Promise<Answer> {
  const { height: at, contributions } = await getContributions(await connect(options));
  const rows = contributions.map(({ organization, blocks, events, points: sum }) => [
    ...[organization, `${blocks}`, `${events}`, `${sum}`],
  ]);
  const text = renderTable(["organisation", "blocks signed", "data shared", "points"], rows);
  return { value: { height: at, contributions, verified: true }, text };
}
