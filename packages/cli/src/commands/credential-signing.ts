import { type Client, credentialCall, executeFor, getPayloadSchema } from "@credlink/client";
import {
  CREDENTIAL_CONTRACT,
  credentialIdArgsCodec,
  declineArgsCodec,
  type Proposal,
  proposalAnswerCodec,
  proposalCodec,
  proposalKey,
  proposeArgsCodec,
  reasonDigest,
  recordDigest,
  signArgsCodec,
} from "@credlink/contracts";
import { formatAddress } from "@credlink/crypto";
import { decode, encode, equalBytes, toHex } from "@credlink/primitives";
import type { Command } from "commander";
import { type ConnectionOptions, connect, readTextOf, withConnection } from "../connection.ts";
import { findDifferences, readCredentialInput } from "../credential-draft.ts";
import { completeInput } from "../credential-input.ts";
import { describeRecord } from "../credential-view.ts";
import { CliError } from "../errors.ts";
import type { CommandContext } from "./context.ts";
import { readIndexKey } from "./credential-lookup.ts";
import { saltReason } from "./credential-revoke.ts";
import { parseId, renderFields } from "./read.ts";

type Options = ConnectionOptions & { readonly json?: boolean };
type ProposeOptions = Options & {
  readonly file: string;
  readonly hours: string;
  readonly indexKey?: string;
  readonly corrects?: string;
  readonly reason?: string;
};
type SignOptions = Options & { readonly file?: string };
type ReasonOptions = Options & { readonly reason: string };

const HOUR_MS = 3_600_000;
const MAX_HOURS = 31 * 24;

/** `credential propose | proposal | sign | decline | withdraw`. */
export function addSigning(credential: Command, context: CommandContext): void {
  addProposing(credential, context);
  const ofId = <T extends Options>(
    command: Command,
    run: (options: T, id: string) => Promise<Record<string, unknown>>,
  ): void => {
    withConnection(command.argument("<id>", "id of the credential"))
      .option("--json", "print one JSON document")
      .action((id: string, options: T) =>
        context.run(options.json ?? false, async () => {
          const value = await run(options, id);
          return { value, text: renderFields(value) };
        }),
      );
  };
  ofId<Options>(
    credential.command("proposal").description("what waits for signatures, and whose; proven"),
    show,
  );
  ofId<SignOptions>(
    credential
      .command("sign")
      .description("sign a proposal; the last signature makes it a credential")
      .option("--file <file>", "the credential file: refuse to sign unless it is the proposed one"),
    sign,
  );
  ofId<ReasonOptions>(
    credential
      .command("decline")
      .description("refuse to sign a proposal, which ends it")
      .requiredOption("--reason <text>", "why; only its salted digest goes on chain"),
    decline,
  );
  ofId<Options>(
    credential.command("withdraw").description("take one's own proposal back"),
    withdraw,
  );
}

function addProposing(credential: Command, context: CommandContext): void {
  withConnection(credential.command("propose"))
    .description("put a credential on chain to be signed by each party from its own node")
    .requiredOption("--file <file>", "payload, subjects and parents (docs/cli.md)")
    .option("--hours <n>", "how long it may be signed, 1 to 744", "168")
    .option("--index-key <file>", "the consortium's index key, for identifiers: KEYID:HEX")
    .option("--corrects <id>", "the credential whose place it takes")
    .option("--reason <text>", "why it is corrected; only its salted digest goes on chain")
    .option("--json", "print one JSON document")
    .action((options: ProposeOptions) =>
      context.run(options.json ?? false, async () => {
        const value = await propose(options);
        return { value, text: renderFields(value) };
      }),
    );
}

function readHours(text: string): number {
  const hours = Number(text);
  if (Number.isInteger(hours) && hours >= 1 && hours <= MAX_HOURS) return hours;
  throw new CliError("CLI_USAGE", `--hours is 1 to ${MAX_HOURS}, not ${text}`);
}

async function propose(options: ProposeOptions): Promise<Record<string, unknown>> {
  const hours = readHours(options.hours);
  if ((options.corrects === undefined) !== (options.reason === undefined)) {
    throw new CliError("CLI_OPTIONS_CONFLICT", "--corrects and --reason go together");
  }
  const client = await connect(options);
  const indexKey = options.indexKey === undefined ? undefined : readIndexKey(options.indexKey);
  const { record } = await completeInput(client, options.file, indexKey);
  const reason = saltReason(options.reason ?? "");
  const correction =
    options.corrects === undefined
      ? null
      : { id: parseId(options.corrects), reason: reasonDigest(reason) };
  // The chain judges it by the time of the block that takes it.
  const untilMs = Date.now() + hours * HOUR_MS;
  const args = encode(proposeArgsCodec, { record, untilMs, correction });
  return {
    ...(await execute(client, "propose", args)),
    digest: toHex(recordDigest(record)),
    until: new Date(untilMs).toISOString(),
    ...(correction === null ? {} : { reasonSalt: toHex(reason.salt) }),
  };
}

async function execute(client: Client, method: string, args: Uint8Array) {
  const call = credentialCall(method, args);
  const { result, committed } = await executeFor(client, call, proposalAnswerCodec);
  const { id, status } = result;
  return {
    id: toHex(id),
    status,
    transaction: toHex(committed.id),
    height: committed.header.height,
    block: toHex(committed.header.digest),
    verified: true,
  };
}

async function demandProposal(client: Client, id: string) {
  const key = proposalKey(parseId(id));
  const { value, header } = await client.getState(CREDENTIAL_CONTRACT, key);
  if (value === null) throw new CliError("CLI_NOT_FOUND", `proposal ${id}`);
  return { proposal: decode(proposalCodec, value), header };
}

async function show(options: Options, id: string): Promise<Record<string, unknown>> {
  const { proposal, header } = await demandProposal(await connect(options), id);
  const { standing, untilMs, digest, signers, correction, record } = proposal;
  return {
    status: standing.status,
    until: new Date(untilMs).toISOString(),
    digest: toHex(digest),
    signers: signers.map(formatAddress),
    corrects: correction === null ? null : toHex(correction.id),
    ...describeRecord(record),
    proof: { height: header.height, block: toHex(header.digest) },
    verified: true,
  };
}

/** What is signed is the digest of the record that was shown, never one that a node names. */
function demandOwnDigest({ record, digest }: Proposal): Uint8Array {
  if (equalBytes(recordDigest(record), digest)) return digest;
  throw new CliError("CLI_CREDENTIAL_MISMATCH", "the proposal's digest is not its record's");
}

async function sign(options: SignOptions, id: string): Promise<Record<string, unknown>> {
  const client = await connect(options);
  const { proposal } = await demandProposal(client, id);
  demandOwnDigest(proposal);
  if (options.file !== undefined) await demandSame(client, options.file, proposal);
  const { record } = proposal;
  const args = encode(signArgsCodec, { id: record.id, digest: recordDigest(record) });
  return { ...(await execute(client, "sign", args)), type: record.type };
}

async function demandSame(client: Client, path: string, { record }: Proposal): Promise<void> {
  const input = readCredentialInput(readTextOf(path), path);
  if (input.kind === "draft") {
    throw new CliError("CLI_CREDENTIAL_MISMATCH", "the file has no salts: it was never proposed");
  }
  const wrong = findDifferences(input.file, record, await getPayloadSchema(client, record));
  if (wrong.length === 0) return;
  throw new CliError("CLI_CREDENTIAL_MISMATCH", `differs in ${wrong.join(", ")}`);
}

async function decline(options: ReasonOptions, id: string): Promise<Record<string, unknown>> {
  const reason = saltReason(options.reason);
  const client = await connect(options);
  const args = encode(declineArgsCodec, { id: parseId(id), reason: reasonDigest(reason) });
  return { ...(await execute(client, "decline", args)), reasonSalt: toHex(reason.salt) };
}

async function withdraw(options: Options, id: string): Promise<Record<string, unknown>> {
  const client = await connect(options);
  return execute(client, "withdraw", encode(credentialIdArgsCodec, { id: parseId(id) }));
}
