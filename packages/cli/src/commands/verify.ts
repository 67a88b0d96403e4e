import { MAX_PACKAGE_LINE_BYTES, verifyPackage } from "@credlink/client";
import type { Command } from "commander";
import { readFileOf } from "../connection.ts";
import { CliError } from "../errors.ts";
import { readLines } from "../line-file.ts";
import { networkPaths } from "../network/layout.ts";
import { describePackage, renderPackage } from "../package-view.ts";
import type { CommandContext } from "./context.ts";

interface VerifyOptions {
  readonly genesis?: string;
  readonly network?: string;
  readonly json?: boolean;
}

/** `verify`: a document that proves itself to whoever has the genesis; no node is asked. */
export function addVerify(program: Command, context: CommandContext): void {
  program
    .command("verify")
    .argument("<file>", "an evidence package or a disclosure")
    .description("verify a document with the genesis alone: no node is asked")
    .option("--genesis <file>", "trusted genesis of its chain")
    .option("--network <dir>", "folder of a network, for its genesis")
    .option("--json", "print one JSON document")
    .action((file: string, options: VerifyOptions) =>
      context.run(options.json ?? false, async () => {
        const genesis = readTrusted(options);
        const report = await verifyPackage(genesis, readLines(file, MAX_PACKAGE_LINE_BYTES));
        const value = describePackage(report);
        return { value, text: renderPackage(value) };
      }),
    );
}

function readTrusted({ genesis, network }: VerifyOptions): Uint8Array {
  if ((genesis === undefined) === (network === undefined)) {
    throw new CliError("CLI_OPTIONS_CONFLICT", "either --genesis or --network");
  }
  return readFileOf(genesis ?? networkPaths(network ?? "").genesis);
}
