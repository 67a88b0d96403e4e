import { contractListCodec, noArgsCodec } from "@credlink/contracts-vm";
import { BUILT_IN_VERSION, CONTRACTS_CONTRACT, SUCCESS } from "@credlink/ledger";
import { decode, encode } from "@credlink/primitives";
import type { Command } from "commander";
import { type ConnectionOptions, connect, withConnection } from "../connection.ts";
import { CliError } from "../errors.ts";
import { renderTable } from "../network/status.ts";
import { exitCodes } from "../output.ts";
import type { CommandContext } from "./context.ts";

/** How many blocks pass between two lines of progress. */
const PROGRESS_BLOCKS = 500;

/** `chain verify` and `contract list`. */
export function addChainCommands(program: Command, context: CommandContext): void {
  const chain = program.command("chain").description("the chain as a node stored it");
  chain
    .command("verify")
    .description("walk a stopped node's chain from genesis and name every fault with its place")
    .requiredOption("--dir <dir>", "the node's folder")
    .option("--json", "print one JSON document")
    .action((options: { dir: string; json?: boolean }) =>
      context.run(options.json ?? false, () => verify(options.dir, context)),
    );
  const contract = program.command("contract").description("contracts of the chain");
  withConnection(contract.command("list"))
    .description("installed contracts, their versions and which is started")
    .option("--json", "print one JSON document")
    .action((options: ConnectionOptions & { readonly json?: boolean }) =>
      context.run(options.json ?? false, () => listContracts(options)),
    );
}

async function verify(dir: string, context: CommandContext) {
  const { verifyNodeChain } = await import("../chain-verification.ts");
  const result = await verifyNodeChain(dir, (height, headHeight) => {
    if (height % PROGRESS_BLOCKS === 0) context.streams.err(`block ${height} of ${headHeight}\n`);
  });
  if (result.findings.length === 0) {
    const text = `${result.chainId}: ${result.height} blocks verified, no fault`;
    return { value: { ...result, whole: true }, text };
  }
  const lines = result.findings.map((finding) => {
    const block = finding.height === undefined ? "" : ` block ${finding.height}`;
    const state =
      finding.contract === undefined ? "" : ` ${finding.contract} ${finding.stateKey ?? ""}`;
    return `${finding.code}${block} ${finding.space} ${finding.key}${state}: ${finding.detail}`;
  });
  context.streams.err(`CLI_CHAIN_DAMAGED: ${result.findings.length} faults in ${dir}\n`);
  const value = { ...result, whole: false, error: { code: "CLI_CHAIN_DAMAGED" } };
  return { value, text: lines.join("\n"), exitCode: exitCodes.unverified };
}

async function listContracts(options: ConnectionOptions) {
  const client = await connect(options);
  const answer = await client.queryContract({
    contract: CONTRACTS_CONTRACT,
    version: BUILT_IN_VERSION,
    method: "list",
    args: encode(noArgsCodec, {}),
  });
  if (answer.status !== SUCCESS) throw new CliError("CLI_NOT_FOUND", `contracts: ${answer.status}`);
  const contracts = decode(contractListCodec, answer.returnValue);
  const rows = contracts.map((each) => [each.name, each.started ?? "-", each.versions.join(" ")]);
  return {
    value: { height: answer.height, contracts },
    text: renderTable(["contract", "started", "versions"], rows),
  };
}
