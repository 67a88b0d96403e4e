import { getPayloadSchema, getPublicData, publishFields } from "@credlink/client";
import { discloseField, fieldToJson } from "@credlink/contracts";
import { formatAddress } from "@credlink/crypto";
import { toHex } from "@credlink/primitives";
import type { Command } from "commander";
import type { ConnectionOptions } from "../connection.ts";
import { describeCommit } from "../credential-view.ts";
import { CliError } from "../errors.ts";
import { asks, fieldsOf } from "./ask.ts";
import type { CommandContext } from "./context.ts";
import { demandOf, readOpening } from "./credential-proofs.ts";
import { parseId } from "./read.ts";

type PublishOptions = ConnectionOptions & {
  readonly file: string;
  readonly fields?: string;
  readonly nothing?: boolean;
};

/** `credential publish` and `credential public`: what everybody may read in clear. */
export function addPublicData(credential: Command, context: CommandContext): void {
  asks<PublishOptions>(
    credential
      .command("publish")
      .argument("<id>", "id of an enterprise's or institution's identity that one issued")
      .description("publish fields of level 1 in clear, in the place of those published before")
      .requiredOption("--file <file>", "its credential file")
      .option("--fields <a,b>", "paths of the fields; each is held to the commitment on chain")
      .option("--nothing", "publish none any more; blocks before keep what was published"),
    context,
    async (client, options, [id = ""]) => {
      const { file } = readOpening(options.file, false);
      demandOf(file, id, options.file);
      const schema = await getPayloadSchema(client, file.record);
      const wanted = pathsOf(options);
      const stray = wanted.find((path) => !schema.fields.some((field) => field.path === path));
      if (stray !== undefined) throw new CliError("CLI_USAGE", `${schema.id} has no ${stray}`);
      // The contract reads the schema once, in order.
      const paths = schema.fields.map(({ path }) => path).filter((path) => wanted.includes(path));
      const disclosures = paths.map((path) =>
        discloseField(schema, file.payload, file.salts, path),
      );
      const { committed } = await publishFields(client, parseId(id), disclosures);
      return fieldsOf({ id, ...describeCommit(committed), fields: paths });
    },
  );
  asks<ConnectionOptions>(
    credential
      .command("public")
      .argument("<id>", "id of the credential")
      .description("what is published of it in clear, proven"),
    context,
    async (client, _, [id = ""]) => {
      const found = await getPublicData(client, parseId(id));
      if (found === null) throw new CliError("CLI_NOT_FOUND", `credential ${id}`);
      const { stored, header } = found.credential;
      return fieldsOf({
        id,
        type: stored.record.type,
        status: stored.standing.status,
        issuer: formatAddress(stored.record.issuer),
        fields: Object.fromEntries(
          found.fields.map(({ path, value }) => [path, fieldToJson(value)]),
        ),
        proof: { height: header.height, block: toHex(header.digest) },
        verified: true,
      });
    },
  );
}

/** @throws CliError CLI_OPTIONS_CONFLICT */
function pathsOf({ fields, nothing }: PublishOptions): readonly string[] {
  if ((fields === undefined) === (nothing !== true)) {
    throw new CliError("CLI_OPTIONS_CONFLICT", "either --fields or --nothing");
  }
  return fields?.split(",") ?? [];
}
