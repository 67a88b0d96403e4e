import {
  type CommittedTransaction,
  createIdentity,
  getCredential,
  type Identity,
  type ProvenCredential,
  submitCredentialsCall,
} from "@credlink/client";
import { MAX_SUBMISSIONS } from "@credlink/contracts";
import { toHex } from "@credlink/primitives";
import type { Command } from "commander";
import {
  type ConnectionOptions,
  connect,
  loadIdentity,
  readTextOf,
  withConnection,
} from "../connection.ts";
import { findDifferences, readCredentialInput } from "../credential-draft.ts";
import { completeInput } from "../credential-input.ts";
import { describeCredential } from "../credential-view.ts";
import { CliError } from "../errors.ts";
import type { CommandContext } from "./context.ts";
import { addLookup, readIndexKey } from "./credential-lookup.ts";
import { addProofs } from "./credential-proofs.ts";
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

function gather(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** `credential submit | propose | proposal | sign | decline | withdraw | get | verify | trace | export | disclose | lookup`. */
export function addCredentialCommands(program: Command, context: CommandContext): void {
  const credential = program.command("credential").description("full-link credentials");
  addSubmit(credential, context);
  addSigning(credential, context);
  withConnection(credential.command("get").argument("<id>", "id of the credential"))
    .description("the record on chain, proven")
    .option("--json", "print one JSON document")
    .action((id: string, options: Options) =>
      context.run(options.json ?? false, async () => {
        const value = describeCredential(await demandCredential(options, id));
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
}

function addSubmit(credential: Command, context: CommandContext): void {
  withConnection(credential.command("submit"))
    .description("put a credential on chain; the file is completed and becomes the original")
    .requiredOption(
      "--file <file>",
      `payload, subjects and parents (docs/cli.md); up to ${MAX_SUBMISSIONS} go in one transaction`,
      gather,
    )
    .option("--index-key <file>", "the consortium's index key, for identifiers: KEYID:HEX")
    .option(
      "--co-sign <key:password-file>",
      "key file of a co-signer and the file of its password; may be repeated",
      gather,
      [],
    )
    .option("--json", "print one JSON document")
    .action((options: SubmitOptions) =>
      context.run(options.json ?? false, async () => {
        const value = await submit(options);
        return { value, text: renderFields(value) };
      }),
    );
}

async function submit(options: SubmitOptions) {
  const client = await connect(options);
  const issuer = client.identity?.address;
  if (issuer === undefined) throw new CliError("CLI_OPTIONS_CONFLICT", "a key is needed");
  const indexKey = options.indexKey === undefined ? undefined : readIndexKey(options.indexKey);
  const coSigners = await Promise.all(options.coSign.map(loadCoSigner));
  if (options.file.length > MAX_SUBMISSIONS) {
    throw new CliError("CLI_USAGE", `--file may be given ${MAX_SUBMISSIONS} times`);
  }
  const records = options.file.map((file) => completeInput(file, issuer, indexKey).record);
  const committed = await client.execute({ ...submitCredentialsCall(records), coSigners });
  const ids = records.map(({ id }) => toHex(id));
  return { ...(ids.length === 1 ? { id: ids[0] } : { ids }), ...describeCommit(committed) };
}

function describeCommit(committed: CommittedTransaction) {
  return {
    transaction: toHex(committed.id),
    status: committed.receipt.status,
    height: committed.header.height,
    block: toHex(committed.header.digest),
    gasUsed: committed.receipt.gasUsed,
    verified: true,
  };
}

/** A co-signer from KEY-FILE:PASSWORD-FILE. @throws CliError CLI_USAGE */
export function loadCoSigner(text: string): Promise<Identity> {
  const [key, passwordFile, ...rest] = text.split(":");
  if (key === undefined || passwordFile === undefined || rest.length > 0) {
    throw new CliError("CLI_USAGE", "--co-sign takes KEY-FILE:PASSWORD-FILE");
  }
  return loadIdentity(key, passwordFile).then(({ signer }) => createIdentity(signer));
}

async function demandCredential(options: Options, id: string): Promise<ProvenCredential> {
  const client = await connect(options);
  const found = await getCredential(client, parseId(id));
  if (found === null) throw new CliError("CLI_NOT_FOUND", `credential ${id}`);
  return found;
}

async function verifyCredential(options: FileOptions, id: string) {
  const input = readCredentialInput(readTextOf(options.file), options.file);
  const found = await demandCredential(options, id);
  if (input.kind === "draft") {
    throw new CliError("CLI_CREDENTIAL_MISMATCH", "the file has no salts: it was never submitted");
  }
  const wrong = findDifferences(input.file, found.stored.record);
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
