import { Command, CommanderError } from "commander";
import { addAccountCommands } from "./commands/account.ts";
import { addArbitrationCommands } from "./commands/arbitration.ts";
import { addAuthorityCommands } from "./commands/authority.ts";
import { addCaCommands } from "./commands/ca.ts";
import { addChainCommands } from "./commands/chain.ts";
import { addConsensusCommands } from "./commands/consensus.ts";
import type { CommandContext } from "./commands/context.ts";
import { addContractCommands } from "./commands/contract.ts";
import { addCredentialCommands } from "./commands/credential.ts";
import { addGovernanceCommands } from "./commands/governance.ts";
import { addGrantCommands } from "./commands/grant.ts";
import { addKeyCommands } from "./commands/key.ts";
import { addMemberCommands } from "./commands/member.ts";
import { addNetworkCommands } from "./commands/network.ts";
import { addNodeCommands } from "./commands/node.ts";
import { addOracleCommands } from "./commands/oracle.ts";
import { addReadCommands } from "./commands/read.ts";
import { addReceiptCommands } from "./commands/receipt.ts";
import { addRngCommands } from "./commands/rng.ts";
import { addSchemaCommands } from "./commands/schema.ts";
import { addValidatorsCommands } from "./commands/validators.ts";
import { addVerify } from "./commands/verify.ts";
import { exitCodes, type Streams, writeAnswer, writeFailure } from "./output.ts";

/** Resolves at the first SIGINT or SIGTERM; the second one ends the process at once. */
function createStopSignal(): { readonly promise: Promise<void>; readonly close: () => void } {
  let stop: () => void = () => {};
  const promise = new Promise<void>((resolve) => {
    stop = resolve;
  });
  let isAsked = false;
  const onSignal = (): void => {
    if (isAsked) process.exit(exitCodes.unexpected);
    isAsked = true;
    stop();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return {
    promise,
    close: () => {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}

/** Builds the `credlink` command over a context. */
export function buildProgram(context: CommandContext): Command {
  const program = new Command("credlink")
    .description("a permissioned PBFT chain for full-link credentials")
    .version("0.1.0")
    .exitOverride()
    .showHelpAfterError(false)
    .configureOutput({
      writeOut: context.streams.out,
      writeErr: () => {
        // The failure is written once, by whoever catches the error.
      },
    });
  addNetworkCommands(program, context);
  addNodeCommands(program, context);
  addCredentialCommands(program, context);
  addGrantCommands(program, context);
  addArbitrationCommands(program, context);
  addSchemaCommands(program, context);
  addReadCommands(program, context);
  addChainCommands(program, context);
  addContractCommands(program, context);
  addOracleCommands(program, context);
  addConsensusCommands(program, context);
  addGovernanceCommands(program, context);
  addAuthorityCommands(program, context);
  addKeyCommands(program, context);
  addMemberCommands(program, context);
  addAccountCommands(program, context);
  addRngCommands(program, context);
  addValidatorsCommands(program, context);
  addCaCommands(program, context);
  addVerify(program, context);
  addReceiptCommands(program, context);
  inherit(program);
  return program;
}

/** Settings of the program hold for every command below it. */
function inherit(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    inherit(child);
  }
}

/** The tables of all packages are loaded when there is something to look up. */
async function reportFailure(streams: Streams, json: boolean, error: unknown): Promise<number> {
  const { allErrorTables } = await import("./error-tables.ts");
  return writeFailure(streams, json, error, allErrorTables);
}

/** Runs one command line and returns the exit code of docs/cli.md. */
export async function runCommand(args: readonly string[], streams: Streams): Promise<number> {
  let exitCode: number = exitCodes.done;
  const stopSignal = createStopSignal();
  const context: CommandContext = {
    streams,
    stopSignal: stopSignal.promise,
    async run(json, action) {
      try {
        const answer = await action();
        if (answer !== undefined) exitCode = writeAnswer(streams, json, answer);
      } catch (error) {
        exitCode = await reportFailure(streams, json, error);
      }
    },
  };
  try {
    await buildProgram(context).parseAsync(args, { from: "user" });
  } catch (error) {
    const isHelp = error instanceof CommanderError && error.exitCode === 0;
    if (isHelp) return exitCodes.done;
    exitCode = await reportFailure(streams, args.includes("--json"), error);
  } finally {
    stopSignal.close();
  }
  return exitCode;
}
