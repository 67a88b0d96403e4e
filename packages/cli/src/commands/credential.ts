import {
  type Client,
  getCredential,
  getPayloadSchema,
  type ProvenCredential,
  submitCredentialsCall,
} from "@credlink/client";
import { type CredentialRecord, MAX_SUBMISSIONS } from "@credlink/contracts";
import { toHex } from "@credlink/primitives";
import type { Command } from "commander";
import { gather, loadCoSigners, withCoSigners } from "../co-signers.ts";
import { type ConnectionOptions, connect, readTextOf, withConnection } from "../connection.ts";
import { findDifferences, readCredentialInput } from "../credential-draft.ts";
import { completeInput } from "../credential-input.ts";
import { describeCommit, describeCredential } from "../credential-view.ts";
import { CliError } from "../errors.ts";
import type { CommandContext } from "./context.ts";
import { addLookup, readIndexKey } from "./credential-lookup.ts";
import { addProofs } from "./credential-proofs.ts";
import { addPublicData } from "./credential-public.ts";
import { addRevoke } from "./credential-revoke.ts";
import { addSigning } from "./credential-signing.ts";
import { addTrace } from "./credential-trace.ts";
import { parseId, renderFields } from "./read.ts";

type Options = ConnectionOptions & { readonly json?: boolean };
type FileOptions = Options & { readonly file: string };
type SubmitOptions = Options & {
  readonly file: readonly string[];
  readonly indexKey?: string;
  readonly coSign: readonly string[];
};

/** `credential …`: what is done to single credentials. */
export function addCredentialCommands(program: Command, context: CommandContext): void {
  const credential = program.command("credential").description("full-link credentials");
  addSubmit(credential, context);
  addSigning(credential, context);
  withConnection(credential.command("get").argument("<id>", "id of the credential"))
    .description("the record on chain, proven")
    .option("--json", "print one JSON document")
    .action((id: string, options: Options) =>
      context.run(options.json ?? false, async () => {
        const value = describeCredential(await demandCredential(await connect(options), id));
        return { value, text: renderFields(value) };
      }),
    );
  withConnection(credential.command("verify").argument("<id>", "id of the credential"))
    .description("whether a file is the original of a credential")
    .requiredOption("--file <file>", "the file")
    .option("--json", "print one JSON document")
    .action((id: string, options: FileOptions) =>
      context.run(options.json ?? false, () => verifyCredential(options, id)),
    );
  addTrace(credential, context);
  addProofs(credential, context);
  addLookup(credential, context);
  addRevoke(credential, context);
  addPublicData(credential, context);
}

function addSubmit(credential: Command, context: CommandContext): void {
  withCoSigners(withConnection(credential.command("submit")))
    .description("put a credential on chain; the file is completed and becomes the original")
    .requiredOption(
      "--file <file>",
      `payload, subjects and parents (docs/cli.md); up to ${MAX_SUBMISSIONS} go in one transaction`,
      gather,
    )
    .option("--index-key <file>", "the consortium's index key, for identifiers: KEYID:HEX")
    .option("--json", "print one JSON document")
    .action((options: SubmitOptions) =>
      context.run(options.json ?? false, async () => {
        const value = await submit(options);
        return { value, text: renderFields(value) };
      }),
    );
}

async function submit(options: SubmitOptions) {
  if (options.file.length > MAX_SUBMISSIONS) {
    throw new CliError("CLI_USAGE", `--file may be given ${MAX_SUBMISSIONS} times`);
  }
  const client = await connect(options);
  const indexKey = options.indexKey === undefined ? undefined : readIndexKey(options.indexKey);
  const coSigners = await loadCoSigners(options.coSign, options.network);
  const records: CredentialRecord[] = [];
  for (const path of options.file) {
    records.push((await completeInput(client, path, indexKey)).record);
  }
  const committed = await client.execute({ ...submitCredentialsCall(records), coSigners });
  const ids = records.map(({ id }) => toHex(id));
  return { ...(ids.length === 1 ? { id: ids[0] } : { ids }), ...describeCommit(committed) };
}

/** @throws CliError CLI_NOT_FOUND, CLI_USAGE */
async function demandCredential(client: Client, id: string): Promise<ProvenCredential> {
  const found = await getCredential(client, parseId(id));
  if (found === null) throw new CliError("CLI_NOT_FOUND", `credential ${id}`);
  return found;
}

async function verifyCredential(options: FileOptions, id: string) {
  const input = readCredentialInput(readTextOf(options.file), options.file);
  const client = await connect(options);
  const found = await demandCredential(client, id);
  if (input.kind === "draft") {
    throw new CliError("CLI_CREDENTIAL_MISMATCH", "the file has no salts: it was never submitted");
  }
  const { record } = found.stored;
  const wrong = findDifferences(input.file, record, await getPayloadSchema(client, record));
  if (wrong.length > 0) {
    throw new CliError("CLI_CREDENTIAL_MISMATCH", `differs in ${wrong.join(", ")}`);
  }
  const { status } = found.stored.standing;
  const value = {
    id: toHex(found.stored.record.id),
    type: found.stored.record.type,
    original: true,
    status,
    proof: { height: found.header.height, block: toHex(found.header.digest) },
    verified: true,
  };
  return { value, text: `the file is the original; the credential is ${status}` };
}
