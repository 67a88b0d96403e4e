import type { Command } from "commander";
import { exitCodes } from "../output.ts";
import type { CommandContext } from "./context.ts";

/** How many blocks pass between two lines of progress. */
const PROGRESS_BLOCKS = 500;

/** `chain verify`. */
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
