import { readFileSync } from "node:fs";
import { findByIndex } from "@credlink/client";
import { createIndexEntry, type IndexKey, identifierKinds } from "@credlink/contracts";
import { fromHex, toHex } from "@credlink/primitives";
import type { Command } from "commander";
import { type ConnectionOptions, connect, readTextOf, withConnection } from "../connection.ts";
import { CliError } from "../errors.ts";
import type { CommandContext } from "./context.ts";
import { renderFields } from "./read.ts";

type LookupOptions = ConnectionOptions & {
  readonly kind: string;
  readonly identifier: string;
  readonly indexKey: string;
  readonly json?: boolean;
};

/** File descriptor of standard input. */
const STANDARD_INPUT = 0;

/** `credential lookup`: which credential holds an identifier, for whoever has the index key. */
export function addLookup(credential: Command, context: CommandContext): void {
  withConnection(credential.command("lookup"))
    .description("which live credential holds an identifier, or that none does; proven")
    .requiredOption("--kind <kind>", identifierKinds.join(", "))
    .requiredOption("--identifier <text>", "the identifier; - reads it from standard input")
    .requiredOption("--index-key <file>", "the consortium's index key: KEYID:HEX")
    .option("--json", "print one JSON document")
    .action((options: LookupOptions) =>
      context.run(options.json ?? false, async () => {
        const value = await lookup(options);
        return { value, text: renderFields(value) };
      }),
    );
}

async function lookup(options: LookupOptions) {
  const kind = identifierKinds.find((each) => each === options.kind);
  if (kind === undefined) throw new CliError("CLI_USAGE", `no kind ${options.kind}`);
  const identifier =
    options.identifier === "-" ? readFileSync(STANDARD_INPUT, "utf8").trim() : options.identifier;
  // What goes to the node is the blinded form alone.
  const entry = createIndexEntry(readIndexKey(options.indexKey), kind, identifier);
  const { holder, header } = await findByIndex(await connect(options), entry);
  const at = `block ${header.height}`;
  if (holder === null) throw new CliError("CLI_NOT_FOUND", `no live credential holds it, ${at}`);
  const { record, standing } = holder.stored;
  return {
    kind,
    keyId: entry.keyId,
    value: toHex(entry.value),
    id: toHex(record.id),
    type: record.type,
    status: standing.status,
    proof: { height: header.height, block: toHex(header.digest) },
    verified: true,
  };
}

/** @throws CliError CLI_FILE_UNREADABLE, CLI_FILE_MALFORMED */
export function readIndexKey(path: string): IndexKey {
  const text = readTextOf(path).trim();
  const match = /^(\d{1,9}):([0-9a-f]{64})$/.exec(text);
  if (match === null) throw new CliError("CLI_FILE_MALFORMED", `${path}: not KEYID:HEX`);
  return { keyId: Number(match[1]), key: fromHex(match[2] ?? "") };
}
