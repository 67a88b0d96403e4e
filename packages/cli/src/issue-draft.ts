import { type Client, submitCredentialsCall } from "@credlink/client";
import { toHex } from "@credlink/primitives";
import type { Command } from "commander";
import { loadCoSigners, withCoSigners } from "./co-signers.ts";
import type { ConnectionOptions } from "./connection.ts";
import type { CredentialDraft } from "./credential-draft.ts";
import { writeOriginal } from "./credential-input.ts";
import { describeCommit } from "./credential-view.ts";

/** Options of commands that make a credential of their own options. */
export interface IssueOptions extends ConnectionOptions {
  readonly out: string;
  readonly prepare?: boolean;
  readonly coSign: readonly string[];
}

/** Adds the options that say where the original goes and who signs. */
export function withIssuing(command: Command): Command {
  return withCoSigners(
    command
      .requiredOption("--out <file>", "a new file for the original, which opens the commitment")
      .option(
        "--prepare",
        "write the file only; `credential propose --file` sends it to be signed",
      ),
  );
}

/** Writes the original, then sends it unless it is only to be prepared. */
export async function issueDraft(
  client: Client,
  draft: CredentialDraft,
  { out, prepare, coSign, network }: IssueOptions,
) {
  const coSigners = await loadCoSigners(coSign, network);
  const { record } = writeOriginal(client, draft, out);
  const id = toHex(record.id);
  if (prepare === true) return { id, type: record.type, file: out };
  const committed = await client.execute({ ...submitCredentialsCall([record]), coSigners });
  return { id, ...describeCommit(committed), type: record.type, file: out };
}
