import { revokeCredential } from "@credlink/client";
import type { SaltedText } from "@credlink/contracts";
import { randomBytes } from "@credlink/crypto";
import { toHex } from "@credlink/primitives";
import type { Command } from "commander";
import type { ConnectionOptions } from "../connection.ts";
import { describeCommit } from "../credential-view.ts";
import { asks, fieldsOf } from "./ask.ts";
import type { CommandContext } from "./context.ts";
import { parseId } from "./read.ts";

/** A reason and the salt that its digest on chain is made with: keep both to show it later. */
export function saltReason(text: string): SaltedText {
  return { salt: randomBytes(32), text };
}

/** Adds a command that takes a credential back: an own one, a grant, or a case. */
export function addRevocation(command: Command, context: CommandContext): void {
  asks<ConnectionOptions & { readonly reason: string }>(
    command
      .argument("<id>", "id of the credential")
      .requiredOption("--reason <text>", "why; only its salted digest goes on chain"),
    context,
    async (client, { reason: text }, [id = ""]) => {
      const reason = saltReason(text);
      const { committed } = await revokeCredential(client, parseId(id), reason);
      return fieldsOf({ id, ...describeCommit(committed), reasonSalt: toHex(reason.salt) });
    },
  );
}

/** `credential revoke`. */
export function addRevoke(credential: Command, context: CommandContext): void {
  const command = credential.command("revoke");
  addRevocation(command.description("revoke it: as its issuer, or as a regulator"), context);
}
