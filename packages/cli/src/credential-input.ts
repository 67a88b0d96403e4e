import {
  type CredentialFile,
  decodeCredentialFile,
  encodeCredentialFile,
  type IndexKey,
} from "@credlink/contracts";
import type { Address } from "@credlink/primitives";
import { readTextOf } from "./connection.ts";
import { completeDraft, readCredentialInput } from "./credential-draft.ts";
import { replaceFile } from "./line-file.ts";

/**
 * The credential in a file: one that is complete as it is; a draft is completed, and takes its
 * own place before anything is sent, for salts that were lost could never open the commitment.
 *
 * @throws CliError CLI_FILE_UNREADABLE, CLI_FILE_MALFORMED, CLI_CREDENTIAL_INVALID,
 *   CLI_OPTIONS_CONFLICT
 */
export function completeInput(
  path: string,
  issuer: Address,
  indexKey: IndexKey | undefined,
): CredentialFile {
  const input = readCredentialInput(readTextOf(path), path);
  if (input.kind === "file") return input.file;
  const file = completeDraft(input.draft, issuer, indexKey, (parent) =>
    decodeCredentialFile(readTextOf(parent)),
  );
  replaceFile(path, encodeCredentialFile(file));
  return file;
}
