import { statSync } from "node:fs";
import {
  MAX_PACKAGE_BYTES,
  MAX_PACKAGE_LINE_BYTES,
  verifyPackage,
  verifyVerifiableCredential,
} from "@credlink/client";
import type { Command } from "commander";
import { readFileOf, readTextOf } from "../connection.ts";
import { CliError } from "../errors.ts";
import { beginningOf, readLines } from "../line-file.ts";
import { networkPaths } from "../network/layout.ts";
import { describePackage, renderPackage } from "../package-view.ts";
import type { CommandContext } from "./context.ts";

interface VerifyOptions {
  readonly genesis?: string;
  readonly network?: string;
  readonly at?: string;
  readonly json?: boolean;
}

/** How every package begins, whatever is wrong with the rest. */
const PACKAGE_BEGINNING = '{"kind":"package"';

/** `verify`: a document that proves itself to whoever has the genesis; no node is asked. */
export function addVerify(program: Command, context: CommandContext): void {
  program
    .command("verify")
    .argument("<file>", "an evidence package, a disclosure or a verifiable credential")
    .description("verify a document with the genesis alone: no node is asked")
    .option("--genesis <file>", "trusted genesis of its chain")
    .option("--network <dir>", "folder of a network, for its genesis")
    .option("--at <time>", "a verifiable credential: as of this time (default: now)")
    .option("--json", "print one JSON document")
    .action((file: string, options: VerifyOptions) =>
      context.run(options.json ?? false, () => verify(file, options)),
    );
}

async function verify(file: string, options: VerifyOptions) {
  const genesis = readTrusted(options);
  if (beginningOf(file, PACKAGE_BEGINNING.length) === PACKAGE_BEGINNING) {
    const report = await verifyPackage(genesis, readLines(file, MAX_PACKAGE_LINE_BYTES));
    const value = describePackage(report);
    return { value, text: renderPackage(value) };
  }
  const { report, document, created } = await verifyVerifiableCredential(
    genesis,
    readJson(file),
    readTime(options.at),
  );
  const { evidence: _, ...shown } = document;
  const proven = describePackage(report);
  const { height, time } = proven;
  const value = { credential: shown, signedAt: created, height, time, verified: true };
  const text = `${JSON.stringify(shown, null, 2)}\nsigned by its issuer at ${created}\n`;
  return { value, text: text + renderPackage(proven) };
}

/** @throws CliError CLI_FILE_UNREADABLE, CLI_DOCUMENT_UNKNOWN */
function readJson(path: string): unknown {
  if (statSync(path).size > MAX_PACKAGE_BYTES) {
    throw new CliError("CLI_DOCUMENT_UNKNOWN", `${path} is too large`);
  }
  try {
    return JSON.parse(readTextOf(path));
  } catch (cause) {
    throw new CliError("CLI_DOCUMENT_UNKNOWN", `${path} is not JSON`, {
      cause,
    });
  }
}

function readTime(text: string | undefined): number {
  const time = text === undefined ? Date.now() : Date.parse(text);
  if (Number.isNaN(time)) throw new CliError("CLI_USAGE", `--at ${text} is no time`);
  return time;
}

function readTrusted({ genesis, network }: VerifyOptions): Uint8Array {
  if ((genesis === undefined) === (network === undefined)) {
    throw new CliError("CLI_OPTIONS_CONFLICT", "either --genesis or --network");
  }
  return readFileOf(genesis ?? networkPaths(network ?? "").genesis);
}
