import { renameSync, writeFileSync } from "node:fs";
import {
  type ExportedPackage,
  exportDisclosure,
  exportEvidence,
  type Opening,
} from "@credlink/client";
import { equalBytes } from "@credlink/primitives";
import type { Command } from "commander";
import { type ConnectionOptions, connect, readTextOf, withConnection } from "../connection.ts";
import { readCredentialInput } from "../credential-draft.ts";
import { CliError } from "../errors.ts";
import { describePackage, renderPackage } from "../package-view.ts";
import type { CommandContext } from "./context.ts";
import { parseId } from "./read.ts";

type ExportOptions = ConnectionOptions & {
  readonly out: string;
  readonly evidence?: boolean;
  readonly open: readonly string[];
  readonly json?: boolean;
};
type DiscloseOptions = ConnectionOptions & {
  readonly out: string;
  readonly file: string;
  readonly fields: string;
  readonly json?: boolean;
};

const gather = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** `credential export` and `credential disclose`: what others verify without this chain's nodes. */
export function addProofs(credential: Command, context: CommandContext): void {
  withConnection(credential.command("export").argument("<id>", "id of the credential"))
    .description("everything that proves it, for somebody who has the genesis alone")
    .option("--evidence", "an evidence package: the whole graph above it, with its transactions")
    .requiredOption("--out <file>", "where to write it")
    .option(
      "--open <file[:fields]>",
      "a credential file of the graph whose fields are opened: all, or a,b; may be repeated",
      gather,
      [],
    )
    .option("--json", "print one JSON document")
    .action((id: string, options: ExportOptions) =>
      context.run(options.json ?? false, () => exportCredential(options, id)),
    );
  withConnection(credential.command("disclose").argument("<id>", "id of the credential"))
    .description("some fields of it, for somebody who has the genesis alone")
    .requiredOption("--file <file>", "its credential file")
    .requiredOption("--fields <a,b>", "paths of the fields that are opened")
    .requiredOption("--out <file>", "where to write it")
    .option("--json", "print one JSON document")
    .action((id: string, options: DiscloseOptions) =>
      context.run(options.json ?? false, async () => {
        const { file, fields, out } = options;
        const opening = readOpening(`${file}:${fields}`);
        if (!equalBytes(opening.file.record.id, parseId(id))) {
          throw new CliError("CLI_CREDENTIAL_MISMATCH", `${file} is of another credential`);
        }
        return write(out, await exportDisclosure(await connect(options), opening));
      }),
    );
}

async function exportCredential(options: ExportOptions, id: string) {
  if (options.evidence !== true) throw new CliError("CLI_OPTIONS_CONFLICT", "--evidence is needed");
  const openings = options.open.map(readOpening);
  const client = await connect(options);
  return write(options.out, await exportEvidence(client, parseId(id), openings));
}

/** `FILE` or `FILE:a,b`. @throws CliError CLI_FILE_…, CLI_CREDENTIAL_MISMATCH */
function readOpening(text: string): Opening {
  const at = text.lastIndexOf(":");
  const path = at < 0 ? text : text.slice(0, at);
  const paths = at < 0 ? [] : text.slice(at + 1).split(",");
  const input = readCredentialInput(readTextOf(path), path);
  if (input.kind === "draft") {
    throw new CliError("CLI_CREDENTIAL_MISMATCH", `${path} has no salts: it was never submitted`);
  }
  return at < 0 ? { file: input.file } : { file: input.file, paths };
}

/** Whole or not at all; fields that are opened are for whom they are given to. */
function write(path: string, { lines, report }: ExportedPackage) {
  writeFileSync(`${path}.new`, lines.map((line) => `${line}\n`).join(""), { mode: 0o600 });
  renameSync(`${path}.new`, path);
  const value = { file: path, ...describePackage(report) };
  return { value, text: `${renderPackage(value)}\nwritten to ${path}` };
}
