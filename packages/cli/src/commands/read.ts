import { formatAddress } from "@credlink/crypto";
import { digest, fromHex, type Height, toHex } from "@credlink/primitives";
import type { Command } from "commander";
import { type ConnectionOptions, connect, withConnection } from "../connection.ts";
import { CliError } from "../errors.ts";
import type { CommandContext } from "./context.ts";
import { wholeNumber } from "./network.ts";

type Options = ConnectionOptions & { readonly json?: boolean };

/** A 32-byte id as 64 hexadecimal digits. @throws CliError CLI_USAGE */
export function parseId(text: string): ReturnType<typeof digest> {
  if (!/^[0-9a-fA-F]{64}$/.test(text)) {
    throw new CliError("CLI_USAGE", `not an id of 64 hexadecimal digits: ${text}`);
  }
  return digest(fromHex(text));
}

/** `block get` and `tx get`: both believed only by certificate and proof. */
export function addReadCommands(program: Command, context: CommandContext): void {
  const block = program.command("block").description("blocks of the chain");
  withConnection(block.command("get").argument("<height>", "height of the block", wholeNumber))
    .description("one block, its certificate verified from genesis")
    .option("--json", "print one JSON document")
    .action((height: number, options: Options) =>
      context.run(options.json ?? false, async () => {
        const value = await describeBlock(options, height);
        return { value, text: renderFields(value) };
      }),
    );
  const tx = program.command("tx").description("transactions");
  withConnection(tx.command("get").argument("<id>", "id of the transaction"))
    .description("one transaction and its receipt, both proven under a certified header")
    .option("--json", "print one JSON document")
    .action((id: string, options: Options) =>
      context.run(options.json ?? false, async () => {
        const value = await describeTransaction(options, id);
        return { value, text: renderFields(value) };
      }),
    );
}

async function describeBlock(options: Options, height: number) {
  const client = await connect(options);
  const { header, block, receipts } = await client.block(height, { transactions: true });
  const { header: fields, certificate } = header;
  return {
    height: fields.height,
    digest: toHex(header.digest),
    parentHash: toHex(fields.parentHash),
    timestampMs: fields.timestampMs,
    proposer: fields.proposer,
    stateRoot: toHex(fields.stateRoot),
    transactionRoot: toHex(fields.transactionRoot),
    receiptRoot: toHex(fields.receiptRoot),
    validatorsHash: toHex(fields.validatorsHash),
    nextValidatorsHash: toHex(fields.nextValidatorsHash),
    gasUsed: fields.gasUsed,
    certificate:
      certificate === null
        ? null
        : { view: certificate.view, signers: certificate.signatures.map((each) => each.index) },
    transactions: block.body.transactionIds.map((id, index) => ({
      id: toHex(id),
      status: receipts[index]?.status ?? null,
    })),
    verified: true,
  };
}

async function describeTransaction(options: Options, idText: string) {
  const client = await connect(options);
  const id = parseId(idText);
  const outcome = await client.transaction(id);
  if (outcome.status === "unknown") throw new CliError("CLI_NOT_FOUND", `transaction ${idText}`);
  if (outcome.status !== "committed") return { id: toHex(id), status: outcome.status };
  const { transaction, receipt, header, index, signed } = outcome;
  const height: Height = header.height;
  return {
    id: toHex(id),
    status: outcome.status,
    height,
    index,
    block: toHex(header.digest),
    sender: formatAddress(transaction.sender),
    signers: signed.signatures.map((each) => formatAddress(each.address)),
    contract: `${transaction.contract}@${transaction.contractVersion}`,
    method: transaction.method,
    result: receipt.status,
    gasUsed: receipt.gasUsed,
    returnValue: toHex(receipt.returnValue),
    events: receipt.events.map((event) => ({
      contract: event.contract,
      topic: event.topic,
      data: toHex(event.data),
    })),
    verified: true,
  };
}

/** One field a line; lists and objects as JSON. */
export function renderFields(value: object): string {
  return Object.entries(value)
    .map(([name, field]) => `${name}: ${typeof field === "string" ? field : JSON.stringify(field)}`)
    .join("\n");
}
