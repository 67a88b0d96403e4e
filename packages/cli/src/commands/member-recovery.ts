import { writeFileSync } from "node:fs";
import {
  cancelRecoveryCall,
  completeRecoveryCall,
  executeFor,
  getMember,
  getRecovery,
  listRecoveries,
  proposeRecoveryCall,
  proveKey,
  readGenesis,
  recoverAdminCall,
} from "@credlink/client";
import { formatAddress, parseCertificate } from "@credlink/crypto";
import { proposedCodec } from "@credlink/ledger";
import { type Address, fromHex, toHex } from "@credlink/primitives";
import type { Command } from "commander";
import { z } from "zod";
import {
  type ConnectionOptions,
  connect,
  readFileOf,
  readTextOf,
  withConnection,
} from "../connection.ts";
import { addressOf, demandNew, readDocument } from "../document-file.ts";
import { CliError } from "../errors.ts";
import { renderTable } from "../network/status.ts";
import type { CommandContext } from "./context.ts";
import { takeKeyFile } from "./member-keys.ts";
import { renderFields } from "./read.ts";

type Options = ConnectionOptions & { readonly json?: boolean };

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));

/** A new key for a member that lost its own. Nothing in it is secret. */
const requestSchema = z.strictObject({
  format: z.literal("credlink-recovery/1"),
  address: z.string(),
  publicKey: hex(65),
  possession: hex(64),
});

/** `member recovery request | propose | list | show | cancel | complete`. */
export function addMemberRecoveryCommands(member: Command, context: CommandContext): void {
  const recovery = member.command("recovery").description("a new key for who lost its own");
  const answer = (options: { readonly json?: boolean }, make: () => Promise<object>) =>
    context.run(options.json ?? false, async () => {
      const value = await make();
      return { value, text: renderFields(value) };
    });
  recovery
    .command("request <address>")
    .description("make a new key and prove it for a member; the key stays here")
    .requiredOption("--keys <count>", "how many keys the member had, as `member show` says")
    .requiredOption("--key <file>", "the new key file; made when it does not exist")
    .requiredOption("--password-file <file>", "file that holds the key file's password")
    .requiredOption("--genesis <file>", "trusted genesis of the chain")
    .requiredOption("--out <file>", "where the request goes")
    .option("--json", "print one JSON document")
    .action((address: string, options: RequestOptions) =>
      answer(options, () => request(addressOf(address), options)),
    );
  withConnection(recovery.command("propose <request>"))
    .description("propose the key on chain, as who manages the member; of an admin: to all")
    .option("--certificate <file>", "certificate over the new key (PEM)")
    .option("--json", "print one JSON document")
    .action((file: string, options: Options & { readonly certificate?: string }) =>
      answer(options, () => propose(file, options)),
    );
  withConnection(recovery.command("list"))
    .description("recoveries that wait (the node's word: a list carries no proof)")
    .option("--json", "print one JSON document")
    .action((options: Options) =>
      context.run(options.json ?? false, async () => {
        const value = await list(options);
        const rows = value.recoveries.map((each) => [each.address, each.from, each.until]);
        return { value, text: renderTable(["address", "from", "until"], rows) };
      }),
    );
  withConnection(recovery.command("show <address>"))
    .description("the recovery of one member, proven")
    .option("--json", "print one JSON document")
    .action((address: string, options: Options) =>
      answer(options, () => show(addressOf(address), options)),
    );
  for (const [name, description, call] of [
    [
      "cancel",
      "object to a recovery, as the member, who manages it or a regulator",
      cancelRecoveryCall,
    ],
    ["complete", "give the member its new key, once its time has come", completeRecoveryCall],
  ] as const) {
    withConnection(recovery.command(`${name} <address>`))
      .description(description)
      .option("--json", "print one JSON document")
      .action((address: string, options: Options) =>
        answer(options, async () => {
          const client = await connect(options);
          const { id, header } = await client.execute(call(addressOf(address)));
          return { address, transaction: toHex(id), height: header.height };
        }),
      );
  }
}

interface RequestOptions {
  readonly keys: string;
  readonly key: string;
  readonly passwordFile: string;
  readonly genesis: string;
  readonly out: string;
  readonly json?: boolean;
}

async function request(address: Address, options: RequestOptions) {
  const { keys, key, passwordFile, genesis, out } = options;
  if (!/^[1-9]\d?$/.test(keys)) throw new CliError("CLI_USAGE", `--keys ${keys}`);
  demandNew(out);
  const { digest } = readGenesis(readFileOf(genesis));
  const signer = await takeKeyFile(key, passwordFile);
  const proven = await proveKey(signer, digest, { address, index: Number(keys) });
  const document = {
    format: "credlink-recovery/1",
    address: formatAddress(address),
    publicKey: toHex(proven.publicKey),
    possession: toHex(proven.possession),
  };
  writeFileSync(out, `${JSON.stringify(document, null, 2)}\n`, { flag: "wx" });
  return { address: document.address, publicKey: document.publicKey, key, request: out };
}

/** Of an admin the consortium decides: then the number of the proposal is said. */
async function propose(file: string, options: Options & { readonly certificate?: string }) {
  const read = readDocument(file, requestSchema);
  const address = addressOf(read.address);
  const recovery = {
    address,
    publicKey: fromHex(read.publicKey),
    possession: fromHex(read.possession),
    certificate: options.certificate === undefined ? null : certificateOf(options.certificate),
  };
  const client = await connect(options);
  const member = await getMember(client, address);
  if (member === null) throw new CliError("CLI_NOT_FOUND", `member ${read.address}`);
  if (member.role === "admin") {
    const { result, committed } = await executeFor(
      client,
      recoverAdminCall(recovery),
      proposedCodec,
    );
    const { number } = result;
    return { address: read.address, proposal: number, transaction: toHex(committed.id) };
  }
  const { id } = await client.execute(proposeRecoveryCall(recovery));
  return { ...describe(await getRecovery(client, address)), transaction: toHex(id) };
}

async function list(options: Options) {
  const client = await connect(options);
  const recoveries = [];
  for (let after: Address | null = null; ; ) {
    const page = await listRecoveries(client, after);
    recoveries.push(...page);
    const last: Address | undefined = page.at(-1)?.address;
    if (last === undefined) break;
    after = last;
  }
  return { recoveries: recoveries.map(timesOf) };
}

async function show(address: Address, options: Options) {
  const recovery = await getRecovery(await connect(options), address);
  if (recovery === null) throw new CliError("CLI_NOT_FOUND", "no recovery of this member");
  return { ...describe(recovery), verified: true };
}

type Times = Pick<
  NonNullable<Awaited<ReturnType<typeof getRecovery>>>,
  "address" | "publicKey" | "proposedBy" | "fromMs" | "untilMs"
>;

function timesOf({ address, publicKey, proposedBy, fromMs, untilMs }: Times) {
  return {
    address: formatAddress(address),
    publicKey: toHex(publicKey),
    proposedBy: proposedBy === null ? null : formatAddress(proposedBy),
    from: new Date(fromMs).toISOString(),
    until: new Date(untilMs).toISOString(),
  };
}

function describe(recovery: Times | null): object {
  return recovery === null ? {} : timesOf(recovery);
}

/** @throws CliError CLI_FILE_UNREADABLE, CLI_FILE_MALFORMED */
function certificateOf(path: string): Uint8Array {
  const parsed = parseCertificate(readTextOf(path));
  if (!parsed.ok) throw new CliError("CLI_FILE_MALFORMED", `${path}: ${parsed.code}`);
  return parsed.value.der;
}
