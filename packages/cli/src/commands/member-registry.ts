import { enrollCalls, registerRevocationListCall } from "@credlink/client";
import { addressFromPublicKey, formatAddress, parseCertificate } from "@credlink/crypto";
import { toHex } from "@credlink/primitives";
import type { Command } from "commander";
import { type ConnectionOptions, connect, readTextOf, withConnection } from "../connection.ts";
import { CliError } from "../errors.ts";
import { readRevocationList } from "../key-input.ts";
import type { CommandContext } from "./context.ts";
import { renderFields } from "./read.ts";

type Options = ConnectionOptions & { readonly json?: boolean };

/** `member enroll | register-list`: what an organisation's CA made comes to count on chain. */
export function addMemberRegistryCommands(member: Command, context: CommandContext): void {
  withConnection(member.command("enroll").argument("<certificate...>", "certificates (PEM)"))
    .description("enrol whom one's CA certified, users and nodes, as its organisation's admin")
    .option("--json", "print one JSON document")
    .action((files: readonly string[], options: Options) =>
      context.run(options.json ?? false, async () => {
        const value = await enroll(files, options);
        return { value, text: renderFields(value) };
      }),
    );
  withConnection(member.command("register-list").argument("<list>", "what `ca crl` wrote"))
    .description(
      "make one's CA's revocation list count on chain: whom it names is revoked for good",
    )
    .option("--json", "print one JSON document")
    .action((file: string, options: Options) =>
      context.run(options.json ?? false, async () => {
        const list = readRevocationList(file);
        const client = await connect(options);
        const { id, header } = await client.execute(registerRevocationListCall(list.der));
        const number = list.number === undefined ? null : Number(list.number);
        const value = {
          ...{ organization: list.issuer.organization, number, certificates: list.revoked.size },
          ...{ height: header.height, transaction: toHex(id) },
        };
        return { value, text: renderFields(value) };
      }),
    );
}

async function enroll(files: readonly string[], options: Options) {
  const certificates = files.map((path) => {
    const parsed = parseCertificate(readTextOf(path));
    if (!parsed.ok) throw new CliError("CLI_FILE_MALFORMED", `${path}: ${parsed.code}`);
    return parsed.value;
  });
  const client = await connect(options);
  const transactions: string[] = [];
  for (const call of enrollCalls(certificates.map(({ der }) => der))) {
    transactions.push(toHex((await client.execute(call)).id));
  }
  const addresses = certificates.map(({ subjectKey }) =>
    formatAddress(addressFromPublicKey(subjectKey)),
  );
  return { addresses: addresses.join(" "), transactions: transactions.join(" ") };
}
