import { memberRoles } from "@credlink/ledger";
import { type Command, Option } from "commander";
import { withCustody } from "./ca-options.ts";
import type { CommandContext } from "./context.ts";
import { wholeNumber } from "./network.ts";
import { renderFields } from "./read.ts";

interface IssueOptions {
  readonly dir: string;
  readonly passwordFile: string;
  readonly csr: string;
  readonly days: number;
  readonly out: string;
  readonly acknowledgeCustody?: boolean;
  readonly acknowledgement?: string;
  readonly json?: boolean;
}

const AUTHORITY_DAYS = 10 * 365;
const MEMBER_DAYS = 365;
const LIST_DAYS = 30;

/** Options that every command with the authority's key takes. */
function withKey(command: Command): Command {
  return command
    .requiredOption("--dir <dir>", "the CA's folder")
    .requiredOption("--password-file <file>", "password of the CA's key");
}

function withRequest(command: Command): Command {
  return withCustody(withKey(command))
    .requiredOption("--csr <file>", "the request, PEM or DER")
    .requiredOption("--out <file>", "where the certificate goes")
    .option("--acknowledgement <file>", "the holder's signed word that it read the custody notice")
    .option("--json", "print one JSON document");
}

/** `ca issue-org | sign-csr | renew | revoke | crl`. */
export function addIssuing(ca: Command, context: CommandContext): void {
  withRequest(ca.command("issue-org"))
    .description("as the root: certify an organisation's CA")
    .requiredOption("--organization <name>", "which one, by your own knowledge")
    .option("--days <n>", "validity", wholeNumber, AUTHORITY_DAYS)
    .action((options: IssueOptions & { readonly organization: string }) =>
      context.run(options.json ?? false, async () => {
        const { issueForOrganization } = await import("../ca/issue.ts");
        const value = await issueForOrganization(options, context.streams);
        return { value, text: renderFields(value) };
      }),
    );
  withRequest(ca.command("sign-csr"))
    .description("as an organisation's CA: certify a node or user of the organisation")
    .requiredOption("--name <name>", "who, by your own knowledge: the request must say the same")
    .addOption(
      new Option("--role <role>", "what it may do").choices([...memberRoles]).makeOptionMandatory(),
    )
    .option("--days <n>", "validity, at most 1096", wholeNumber, MEMBER_DAYS)
    .action((options: IssueOptions & { readonly name: string; readonly role: string }) =>
      context.run(options.json ?? false, async () => {
        const { signRequest } = await import("../ca/issue.ts");
        const value = await signRequest(options, context.streams);
        return { value, text: renderFields(value) };
      }),
    );
  addRenew(ca, context);
  addRevoke(ca, context);
  addList(ca, context);
}

function addRenew(ca: Command, context: CommandContext): void {
  withRequest(ca.command("renew"))
    .description("certify a fresh key in the place of an older certificate, same subject")
    .option("--name <name>", "of the older one, when one of this name is in force")
    .option("--serial <hex>", "serial number of the older one")
    .option("--days <n>", "validity (default: 365, of an organisation's CA 3650)", wholeNumber)
    .option("--revoke-old", "revoke the older one as superseded")
    .action(
      (
        options: Omit<IssueOptions, "days"> & {
          readonly serial?: string;
          readonly name?: string;
          readonly days?: number;
          readonly revokeOld?: boolean;
        },
      ) =>
        context.run(options.json ?? false, async () => {
          const { renew } = await import("../ca/issue.ts");
          const value = await renew(options, context.streams, { MEMBER_DAYS, AUTHORITY_DAYS });
          return { value, text: renderFields(value) };
        }),
    );
}

interface RevokeOptions {
  readonly dir: string;
  readonly serial?: string;
  readonly name: string;
  readonly reason: string;
  readonly json?: boolean;
}

function addRevoke(ca: Command, context: CommandContext): void {
  ca.command("revoke")
    .description("revoke a certificate for good; it counts once a list with it is published")
    .requiredOption("--dir <dir>", "the CA's folder")
    .requiredOption("--name <name>", "whose it is: node id, user's name, or `ORG CA`")
    .option("--serial <hex>", "which one, when it is not the one in force")
    .requiredOption("--reason <reason>", "keyCompromise, superseded, … (RFC 5280)")
    .option("--json", "print one JSON document")
    .action((options: RevokeOptions) =>
      context.run(options.json ?? false, async () => {
        const { revoke } = await import("../ca/issue.ts");
        const value = await revoke(options);
        return { value, text: renderFields(value) };
      }),
    );
}

function addList(ca: Command, context: CommandContext): void {
  withKey(ca.command("crl"))
    .description("issue the next revocation list")
    .option("--days <n>", "until the next one is due, 1 to 365", wholeNumber, LIST_DAYS)
    .requiredOption("--out <file>", "where it goes (PEM); replaced when it is there")
    .option("--json", "print one JSON document")
    .action(
      (options: {
        readonly dir: string;
        readonly passwordFile: string;
        readonly days: number;
        readonly out: string;
        readonly json?: boolean;
      }) =>
        context.run(options.json ?? false, async () => {
          const { publishList } = await import("../ca/issue.ts");
          const value = await publishList(options);
          return { value, text: renderFields(value) };
        }),
    );
}
