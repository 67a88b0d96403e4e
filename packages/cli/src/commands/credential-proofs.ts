import {
  type ExportedPackage,
  exportDisclosure,
  exportEvidence,
  exportVerifiableCredential,
  getPayloadSchema,
  type Opening,
} from "@credlink/client";
import type { CredentialFile } from "@credlink/contracts";
import { equalBytes } from "@credlink/primitives";
import type { Command } from "commander";
import { gather } from "../co-signers.ts";
import { type ConnectionOptions, connect, readTextOf, withConnection } from "../connection.ts";
import { readCredentialInput } from "../credential-draft.ts";
import { CliError } from "../errors.ts";
import { replaceFile } from "../line-file.ts";
import { describePackage, renderPackage } from "../package-view.ts";
import type { CommandContext } from "./context.ts";
import { parseId, renderFields } from "./read.ts";

type ExportOptions = ConnectionOptions & {
  readonly out: string;
  readonly evidence?: boolean;
  readonly vc?: boolean;
  readonly file?: string;
  readonly fields?: string;
  readonly open: readonly string[];
  readonly json?: boolean;
};
type DiscloseOptions = ConnectionOptions & {
  readonly out: string;
  readonly file: string;
  readonly fields: string;
  readonly json?: boolean;
};

/** `credential export` and `credential disclose`: what others verify without this chain's nodes. */
export function addProofs(credential: Command, context: CommandContext): void {
  withConnection(credential.command("export").argument("<id>", "id of the credential"))
    .description("everything that proves it, for somebody who has the genesis alone")
    .option("--evidence", "an evidence package: the whole graph above it, with its transactions")
    .option("--vc", "a W3C verifiable credential, signed by its issuer: with --file, and --fields")
    .option("--file <file>", "its credential file, for --vc")
    .option("--fields <a,b>", "for --vc: fields that are opened (default: those of level 1)")
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
        demandOf(opening.file, id, file);
        return write(out, await exportDisclosure(await connect(options), opening));
      }),
    );
}

async function exportCredential(options: ExportOptions, id: string) {
  if ((options.evidence === true) === (options.vc === true)) {
    throw new CliError("CLI_OPTIONS_CONFLICT", "either --evidence or --vc");
  }
  if (options.vc === true) return exportVc(options, id);
  const openings = options.open.map((text) => readOpening(text));
  const client = await connect(options);
  return write(options.out, await exportEvidence(client, parseId(id), openings));
}

async function exportVc(options: ExportOptions, id: string) {
  const { file: path, fields, out } = options;
  if (path === undefined) throw new CliError("CLI_OPTIONS_CONFLICT", "--vc needs --file");
  const { file } = readOpening(path, false);
  demandOf(file, id, path);
  const client = await connect(options);
  const schema = await getPayloadSchema(client, file.record);
  const open = schema.fields.filter(({ level }) => level === 1);
  const paths =
    fields?.split(",") ?? open.map((field) => field.path).filter((each) => each in file.payload);
  const document = await exportVerifiableCredential(client, { file, paths }, Date.now());
  replaceFile(out, `${JSON.stringify(document, null, 2)}\n`);
  const { id: url, issuer, credentialStatus } = document;
  const value = { file: out, id: url, issuer, credentialStatus, fields: paths, verified: true };
  return { value, text: `${renderFields(value)}\nwritten to ${out}` };
}

export function demandOf({ record }: CredentialFile, id: string, path: string): void {
  if (equalBytes(record.id, parseId(id))) return;
  throw new CliError("CLI_CREDENTIAL_MISMATCH", `${path} is of another credential`);
}

/** `FILE` or `FILE:a,b`. @throws CliError CLI_FILE_…, CLI_CREDENTIAL_MISMATCH */
export function readOpening(text: string, takesFields = true): Opening {
  const at = takesFields ? text.lastIndexOf(":") : -1;
  const path = at < 0 ? text : text.slice(0, at);
  const paths = at < 0 ? [] : text.slice(at + 1).split(",");
  const input = readCredentialInput(readTextOf(path), path);
  if (input.kind === "draft") {
    throw new CliError("CLI_CREDENTIAL_MISMATCH", `${path} has no salts: it was never submitted`);
  }
  return at < 0 ? { file: input.file } : { file: input.file, paths };
}

function write(path: string, { lines, report }: ExportedPackage) {
  replaceFile(path, lines.map((line) => `${line}\n`).join(""));
  const value = { file: path, ...describePackage(report) };
  return { value, text: `${renderPackage(value)}\nwritten to ${path}` };
}
