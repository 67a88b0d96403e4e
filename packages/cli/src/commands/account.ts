import {
  createAccountCall,
  getAccount,
  getMember,
  renewAccountCall,
  setAccountSignersCall,
} from "@credlink/client";
import { formatAddress } from "@credlink/crypto";
import type { MemberRole } from "@credlink/ledger";
import { type Address, toHex } from "@credlink/primitives";
import { type Command, Option } from "commander";
import { gather } from "../co-signers.ts";
import { type ConnectionOptions, connect, withConnection } from "../connection.ts";
import { addressOf } from "../document-file.ts";
import { CliError } from "../errors.ts";
import { addAccountSigning, type DraftOptions, draftCall, withDraft } from "./account-signing.ts";
import type { CommandContext } from "./context.ts";
import { renderFields } from "./read.ts";

const DAY_MS = 86_400_000;
/** Validities begin a little before they are made, for clocks that are behind. */
const BACKDATE_MS = 5 * 60_000;

type Options = ConnectionOptions & { readonly json?: boolean };
interface SignersOptions {
  readonly threshold: string;
  readonly signer: readonly string[];
}

/** `account create | show | renew | change | draft | sign | combine | submit`. */
export function addAccountCommands(program: Command, context: CommandContext): void {
  const account = program.command("account").description("accounts that several members sign for");
  const answer = (options: { readonly json?: boolean }, make: () => Promise<object>) =>
    context.run(options.json ?? false, async () => {
      const value = await make();
      return { value, text: renderFields(value) };
    });
  withSigners(withConnection(account.command("create")))
    .description("make an account of one's organisation, as an admin or institution")
    .addOption(
      new Option("--role <role>", "what it may do")
        .choices(["enterprise", "individual", "institution"])
        .makeOptionMandatory(),
    )
    .option("--days <days>", "validity from now on, at most three years", "365")
    .option("--json", "print one JSON document")
    .action((options: CreateOptions) => answer(options, () => create(options)));
  withConnection(account.command("show <address>"))
    .description("who signs for an account, now and before, proven")
    .option("--json", "print one JSON document")
    .action((address: string, options: Options) =>
      answer(options, () => show(addressOf(address), options)),
    );
  withConnection(account.command("renew <address>"))
    .description("give an account another end, as who manages it")
    .requiredOption("--days <days>", "from now on, at most three years")
    .option("--json", "print one JSON document")
    .action((address: string, options: Options & { readonly days: string }) =>
      answer(options, () => renew(addressOf(address), options)),
    );
  withSigners(withDraft(account.command("change <address>")))
    .description("draft other signers of an account; its present ones sign it")
    .action((address: string, options: DraftOptions & SignersOptions) =>
      answer(options, async () =>
        draftCall(setAccountSignersCall(signersOf(options)), addressOf(address), options),
      ),
    );
  addAccountSigning(account, answer);
}

function withSigners(command: Command): Command {
  return command
    .requiredOption("--threshold <count>", "how many of the signers it takes")
    .requiredOption("--signer <address>", "a member that signs for it; repeatable", gather, []);
}

/** @throws CliError CLI_USAGE */
function signersOf({ threshold, signer }: SignersOptions) {
  if (!/^[1-9]\d?$/.test(threshold)) {
    throw new CliError("CLI_USAGE", `--threshold takes a number from 1, not ${threshold}`);
  }
  return { threshold: Number(threshold), signers: signer.map(addressOf) };
}

type CreateOptions = Options &
  SignersOptions & { readonly role: MemberRole; readonly days: string };

async function create(options: CreateOptions) {
  const client = await connect(options);
  const creator = client.identity?.address;
  if (creator === undefined) throw new CliError("CLI_USAGE", "who creates it must be named");
  const validFromMs = Date.now() - BACKDATE_MS;
  const validToMs = validFromMs + daysOf(options.days) * DAY_MS;
  const { role } = options;
  const made = { ...signersOf(options), role, validFromMs, validToMs };
  const { call, address } = createAccountCall(creator, client.genesisDigest, made);
  const { id } = await client.execute(call);
  return {
    address: formatAddress(address),
    role,
    threshold: made.threshold,
    signers: made.signers.map(formatAddress),
    transaction: toHex(id),
  };
}

async function show(address: Address, options: Options) {
  const client = await connect(options);
  const account = await getAccount(client, address);
  const member = await getMember(client, address);
  if (account === null || member === null) {
    throw new CliError("CLI_NOT_FOUND", `account ${formatAddress(address)}`);
  }
  return {
    address: formatAddress(address),
    organization: member.organization,
    role: member.role,
    status: member.status,
    validTo: new Date(member.validToMs).toISOString(),
    signers: account.policies.map((policy) => ({
      fromHeight: policy.fromHeight,
      threshold: policy.threshold,
      signers: policy.signers.map(formatAddress),
    })),
    verified: true,
  };
}

async function renew(address: Address, options: Options & { readonly days: string }) {
  const validToMs = Date.now() + daysOf(options.days) * DAY_MS;
  const client = await connect(options);
  const { id } = await client.execute(renewAccountCall(address, validToMs));
  return {
    address: formatAddress(address),
    validTo: new Date(validToMs).toISOString(),
    transaction: toHex(id),
  };
}

/** @throws CliError CLI_USAGE */
function daysOf(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new CliError("CLI_USAGE", `--days ${text}`);
  return Number(text);
}
