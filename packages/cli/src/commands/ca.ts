import { memberRoles } from "@credlink/ledger";
import { type Command, Option } from "commander";
import { addIssuing } from "./ca-issue.ts";
import { withCustody } from "./ca-options.ts";
import { addAuthorityReading } from "./ca-read.ts";
import { addCaService } from "./ca-service.ts";
import type { CommandContext } from "./context.ts";
import { wholeNumber } from "./network.ts";
import { renderFields } from "./read.ts";

interface InitOptions {
  readonly dir: string;
  readonly root?: string;
  readonly organization?: string;
  readonly passwordFile: string;
  readonly days: number;
  readonly acknowledgeCustody?: boolean;
  readonly json?: boolean;
}

/** Days of a root: long, for every replacement of a root needs the whole consortium. */
const ROOT_DAYS = 20 * 365;

/** `ca …`: certificate authorities, in files, without any network. */
export function addCaCommands(program: Command, context: CommandContext): void {
  const ca = program.command("ca").description("certificate authorities, offline, in a folder");
  addInit(ca, context);
  addAccept(ca, context);
  addAdopt(ca, context);
  addRequest(ca, context);
  addIssuing(ca, context);
  addAuthorityReading(ca, context);
  addCaService(ca, context);
}

function addInit(ca: Command, context: CommandContext): void {
  withCustody(ca.command("init"))
    .description("make a root CA, or an organisation's CA up to the request that the root signs")
    .requiredOption("--dir <dir>", "a new or empty folder")
    .option("--root <consortium>", "a root CA of this consortium")
    .option("--organization <name>", "the CA of this organisation")
    .requiredOption(
      "--password-file <file>",
      "password of the key; made when the file is not there",
    )
    .option("--days <n>", "validity of a root", wholeNumber, ROOT_DAYS)
    .option("--json", "print one JSON document")
    .action((options: InitOptions) =>
      context.run(options.json ?? false, async () => {
        const { initAuthority } = await import("../ca/create.ts");
        const value = await initAuthority(options, context.streams);
        return { value, text: renderFields(value) };
      }),
    );
}

interface AcceptOptions {
  readonly dir: string;
  readonly certificate: string;
  readonly root: string;
  readonly fingerprint?: string;
  readonly json?: boolean;
}

function addAccept(ca: Command, context: CommandContext): void {
  ca.command("accept")
    .description("take the certificate that the root made for this organisation's CA into use")
    .requiredOption("--dir <dir>", "the CA's folder")
    .requiredOption("--certificate <file>", "what the root issued for its ca.csr")
    .requiredOption("--root <file>", "the root's certificate")
    .option("--fingerprint <hex>", "the root's fingerprint, told over another channel")
    .option("--json", "print one JSON document")
    .action((options: AcceptOptions) =>
      context.run(options.json ?? false, async () => {
        const { acceptAuthority } = await import("../ca/create.ts");
        const value = await acceptAuthority(options);
        return { value, text: renderFields(value) };
      }),
    );
}

interface AdoptOptions {
  readonly dir: string;
  readonly key: string;
  readonly keyPasswordFile: string;
  readonly passwordFile: string;
  readonly certificate: string;
  readonly root: string;
  readonly issued?: readonly string[];
  readonly acknowledgeCustody?: boolean;
  readonly json?: boolean;
}

function addAdopt(ca: Command, context: CommandContext): void {
  withCustody(ca.command("adopt"))
    .description("make the folder of an organisation's CA that has key and certificate already")
    .requiredOption("--dir <dir>", "a new or empty folder")
    .requiredOption("--key <file>", "the CA's key; it is copied")
    .requiredOption("--key-password-file <file>", "its password")
    .requiredOption(
      "--password-file <file>",
      "password of the copy; made when the file is not there",
    )
    .requiredOption("--certificate <file>", "the CA's certificate")
    .requiredOption("--root <file>", "the root's certificate")
    .option("--issued <file...>", "certificates that it issued, to be renewed or revoked here")
    .option("--json", "print one JSON document")
    .action((options: AdoptOptions) =>
      context.run(options.json ?? false, async () => {
        const { adopt } = await import("../ca/create.ts");
        const value = await adopt(options, context.streams);
        return { value, text: renderFields(value) };
      }),
    );
}

interface RequestOptions {
  readonly name: string;
  readonly organization: string;
  readonly role: string;
  readonly key: string;
  readonly passwordFile: string;
  readonly out: string;
  readonly acknowledgeCustody?: boolean;
  readonly json?: boolean;
}

function addRequest(ca: Command, context: CommandContext): void {
  withCustody(ca.command("request"))
    .description("at the member's side: make a key, and the request for its certificate")
    .requiredOption("--name <name>", "id of the node, or name of the user")
    .requiredOption("--organization <name>", "whose CA shall certify it")
    .addOption(
      new Option("--role <role>", "what it may do").choices([...memberRoles]).makeOptionMandatory(),
    )
    .requiredOption("--key <file>", "new key file, encrypted, mode 0600")
    .requiredOption("--password-file <file>", "its password; made when the file is not there")
    .option("--present-key", "the key is in its file: another CA shall certify it")
    .requiredOption("--out <file>", "the request; FILE.ack beside it says the notice was read")
    .option("--json", "print one JSON document")
    .action((options: RequestOptions) =>
      context.run(options.json ?? false, async () => {
        const { makeRequest } = await import("../ca/create.ts");
        const value = await makeRequest(options, context.streams);
        return { value, text: renderFields(value) };
      }),
    );
}
