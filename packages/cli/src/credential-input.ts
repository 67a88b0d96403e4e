import { existsSync } from "node:fs";
import { type Client, getPayloadSchema } from "@credlink/client";
import {
  type CredentialFile,
  decodeCredentialFile,
  encodeCredentialFile,
  type IndexKey,
  payloadSchemas,
} from "@credlink/contracts";
import type { Address } from "@credlink/primitives";
import { readTextOf } from "./connection.ts";
import { type CredentialDraft, completeDraft, readCredentialInput } from "./credential-draft.ts";
import { CliError } from "./errors.ts";
import { replaceFile } from "./line-file.ts";

/** The member that the client speaks as. @throws CliError CLI_OPTIONS_CONFLICT */
export function demandIssuer({ identity }: Client): Address {
  if (identity !== undefined) return identity.address;
  throw new CliError("CLI_OPTIONS_CONFLICT", "a key is needed");
}

/**
 * The credential in a file: one that is complete as it is; a draft is completed, and takes its
 * own place before anything is sent, for salts that were lost could never open the commitment.
 *
 * @throws CliError CLI_FILE_UNREADABLE, CLI_FILE_MALFORMED, CLI_CREDENTIAL_INVALID,
 *   CLI_OPTIONS_CONFLICT; ClientError CLIENT_SCHEMA_UNKNOWN
 */
export async function completeInput(
  client: Client,
  path: string,
  indexKey: IndexKey | undefined,
): Promise<CredentialFile> {
  const issuer = demandIssuer(client);
  const input = readCredentialInput(readTextOf(path), path);
  if (input.kind === "file") return input.file;
  const { type, schema = payloadSchemas[type].id } = input.draft;
  const file = completeDraft(
    input.draft,
    issuer,
    indexKey,
    (parent) => decodeCredentialFile(readTextOf(parent)),
    await getPayloadSchema(client, { type, schema }),
  );
  replaceFile(path, encodeCredentialFile(file));
  return file;
}

/**
 * Completes a draft that a command made itself and writes it to a new file, before anything is sent.
 * @throws CliError CLI_FILE_EXISTS, CLI_FILE_UNREADABLE, CLI_CREDENTIAL_INVALID
 */
export function writeOriginal(
  client: Client,
  draft: CredentialDraft,
  path: string,
): CredentialFile {
  if (existsSync(path)) throw new CliError("CLI_FILE_EXISTS", path);
  const file = completeDraft(draft, demandIssuer(client), undefined, (parent) =>
    decodeCredentialFile(readTextOf(parent)),
  );
  replaceFile(path, encodeCredentialFile(file));
  return file;
}
