import {
  type Client,
  getSchema,
  listSchemas,
  registerSchema,
  type SchemaVersionInfo,
  withdrawSchema,
} from "@credlink/client";
import { credentialTypes, parseSchemaName, type SchemaField } from "@credlink/contracts";
import { formatAddress } from "@credlink/crypto";
import { toHex } from "@credlink/primitives";
import { type Command, Option } from "commander";
import { z } from "zod";
import { type ConnectionOptions, readTextOf } from "../connection.ts";
import { CliError } from "../errors.ts";
import { renderTable } from "../network/status.ts";
import type { Answer } from "../output.ts";
import { asks, fieldsOf } from "./ask.ts";
import type { CommandContext } from "./context.ts";

/** Fields that a version adds: all optional, for records of earlier versions lack them. */
const addedFields = z
  .array(
    z.strictObject({
      path: z.string().min(1).max(128),
      /** Name of what it holds, for people and forms: docs/protocol/credentials.md. */
      kind: z.string().min(1).max(255),
      level: z.number().int().min(1).max(4).default(1),
    }),
  )
  .min(1);

/** `schema list | show | register | withdraw`. */
export function addSchemaCommands(program: Command, context: CommandContext): void {
  const schema = program.command("schema").description("versions of the payload schemas, on chain");
  asks<ConnectionOptions & { readonly type?: (typeof credentialTypes)[number] }>(
    schema
      .command("list")
      .addOption(
        new Option("--type <type>", "of this credential type alone").choices([...credentialTypes]),
      )
      .description("every version of every type with its digest; proven to be whole"),
    context,
    async (client, { type }) => list(client, type),
  );
  asks<ConnectionOptions>(
    schema
      .command("show")
      .argument("<schema>", "TYPE/1.N")
      .description("one version with its fields, proven"),
    context,
    async (client, _, [name = ""]) => fieldsOf(describeVersion(await demandSchema(client, name))),
  );
  asks<ConnectionOptions & { readonly add: string }>(
    schema
      .command("register")
      .argument("<schema>", "TYPE/1.N, the version after the newest")
      .description("register a version that adds optional fields, as a regulator")
      .requiredOption("--add <file>", 'JSON: [{"path": …, "kind": …, "level": 1 to 4}, …]'),
    context,
    async (client, { add }, [name = ""]) => {
      const fields = [...(await fieldsBefore(client, name)), ...readAdded(add)];
      const { result, committed } = await registerSchema(client, { schema: name, fields });
      const { id, header } = committed;
      const registered = describeVersion(await demandSchema(client, name));
      const sent = { transaction: toHex(id), height: header.height };
      return fieldsOf({ ...registered, digest: toHex(result.digest), ...sent });
    },
  );
  asks<ConnectionOptions>(
    schema
      .command("withdraw")
      .argument("<schema>", "TYPE/1.N, not 1.0")
      .description("withdraw a version, as a regulator: no new record may name it"),
    context,
    async (client, _, [name = ""]) => {
      const { committed } = await withdrawSchema(client, name);
      const withdrawn = describeVersion(await demandSchema(client, name));
      const sent = { transaction: toHex(committed.id), height: committed.header.height };
      return fieldsOf({ ...withdrawn, ...sent });
    },
  );
}

async function list(
  client: Client,
  type: (typeof credentialTypes)[number] | undefined,
): Promise<Answer> {
  const versions = (await listSchemas(client, type)).map(describeVersion);
  const rows = versions.map(({ schema, status, fields, digest }) => {
    return [schema, status, String(fields.length), digest];
  });
  const text = renderTable(["schema", "status", "fields", "digest"], rows);
  return { value: { schemas: versions, verified: true }, text };
}

/** @throws CliError CLI_NOT_FOUND */
async function demandSchema(client: Client, name: string): Promise<SchemaVersionInfo> {
  const found = await getSchema(client, name);
  if (found === null) throw new CliError("CLI_NOT_FOUND", `schema ${name}`);
  return found;
}

/** Fields of the version before, as the registry has them: a new one begins with the very same. */
async function fieldsBefore(client: Client, schema: string): Promise<readonly SchemaField[]> {
  const name = parseSchemaName(schema);
  if (name === null || name.minor === 0) {
    throw new CliError("CLI_USAGE", `${schema} is not TYPE/1.N with N from 1`);
  }
  return (await demandSchema(client, `${name.type}/1.${name.minor - 1}`)).fields;
}

/** @throws CliError CLI_FILE_UNREADABLE, CLI_FILE_MALFORMED */
function readAdded(path: string): readonly SchemaField[] {
  let json: unknown;
  try {
    json = JSON.parse(readTextOf(path));
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError("CLI_FILE_MALFORMED", `${path} is not JSON`, { cause });
  }
  const parsed = addedFields.safeParse(json);
  if (parsed.success) return parsed.data.map((field) => ({ ...field, isRequired: false }));
  throw new CliError("CLI_FILE_MALFORMED", `${path}: ${z.prettifyError(parsed.error)}`);
}

function describeVersion(version: SchemaVersionInfo) {
  const { id, status, publisher, height, digest, fields, header } = version;
  return {
    schema: id,
    status,
    digest: toHex(digest),
    publisher: publisher === null ? null : formatAddress(publisher),
    registeredAt: height,
    fields: fields.map(({ path, kind, isRequired, level }) => {
      return { path, kind, required: isRequired, level };
    }),
    proof: header && { height: header.height, block: toHex(header.digest) },
    verified: true,
  };
}
