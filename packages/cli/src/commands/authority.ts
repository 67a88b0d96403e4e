import {
  enrollExternalCall,
  getExternalAuthority,
  listExternalAuthorities,
  proposeExternalAuthorityCall,
  proposeExternalWithdrawalCall,
  registerExternalListCall,
  renewExternalCall,
} from "@credlink/client";
import {
  addressFromPublicKey,
  type Certificate,
  formatAddress,
  parseCertificateBundle,
} from "@credlink/crypto";
import {
  type ExternalAuthority,
  type ExternalRole,
  externalRoles,
  proposedCodec,
} from "@credlink/ledger";
import { decode, toHex } from "@credlink/primitives";
import type { Command } from "commander";
import { gather, loadCoSigners } from "../co-signers.ts";
import { type ConnectionOptions, connect, readTextOf, withConnection } from "../connection.ts";
import { CliError } from "../errors.ts";
import { readRevocationList } from "../key-input.ts";
import { renderTable } from "../network/status.ts";
import type { Answer } from "../output.ts";
import type { CommandContext } from "./context.ts";
import { demandProposal, describeProposal } from "./governance-view.ts";
import { renderFields } from "./read.ts";

interface Options extends ConnectionOptions {
  readonly json?: boolean;
}

interface ProposingOptions extends Options {
  readonly coSign: readonly string[];
}

interface EnrolOptions extends Options {
  readonly authority: string;
  readonly role: string;
}

const roleList = externalRoles.join(", ");

/** `authority propose | withdraw | list | show | enroll | renew | register-list`. */
export function addAuthorityCommands(program: Command, context: CommandContext): void {
  const authority = program
    .command("authority")
    .description("certificate authorities outside the consortium, and whom they certified");
  const add = (signature: string, description: string) =>
    withConnection(authority.command(signature))
      .description(description)
      .option("--json", "print one JSON document");
  const run = (options: Options, action: () => Promise<Answer>) =>
    context.run(options.json ?? false, action);
  const withCoSign = (command: Command) =>
    command.option("--co-sign <member>", "who approves too, as `gov propose` takes it", gather, []);
  withCoSign(add("propose <name> <chain>", "propose to register an outside authority"))
    .requiredOption("--roles <roles>", `what its holders may be: ${roleList}`)
    .action((name: string, chain: string, options: ProposingOptions & { readonly roles: string }) =>
      run(options, () => propose(name, chain, options)),
    );
  withCoSign(add("withdraw <name>", "propose to withdraw it: all its holders are revoked")).action(
    (name: string, options: ProposingOptions) => run(options, () => withdraw(name, options)),
  );
  add("list", "all of them, each proven").action((options: Options) =>
    run(options, () => list(options)),
  );
  add("show <name>", "one of them, proven").action((name: string, options: Options) =>
    run(options, () => show(name, options)),
  );
  add("enroll <certificate>", "enrol the holder of an outside certificate, as an admin")
    .requiredOption("--authority <name>", "the outside authority that issued it")
    .requiredOption("--role <role>", roleList)
    .action((file: string, options: EnrolOptions) => run(options, () => enroll(file, options)));
  add("renew <certificate>", "put a later certificate over one's own key in its place").action(
    (file: string, options: Options) => run(options, () => renew(file, options)),
  );
  add("register-list <name> <list>", "make an outside authority's revocation list count").action(
    (name: string, file: string, options: Options) =>
      run(options, () => registerList(name, file, options)),
  );
}

function roleOf(text: string): ExternalRole {
  const role = externalRoles.find((each) => each === text);
  if (role === undefined) throw new CliError("CLI_USAGE", `${text} is none of ${roleList}`);
  return role;
}

function readChain(path: string): readonly Certificate[] {
  const parsed = parseCertificateBundle(readTextOf(path));
  if (!parsed.ok) throw new CliError("CLI_FILE_MALFORMED", `${path}: ${parsed.code}`);
  return parsed.value;
}

function readLeaf(path: string): Certificate {
  const [certificate] = readChain(path);
  if (certificate === undefined)
    throw new CliError("CLI_FILE_MALFORMED", `${path}: no certificate`);
  return certificate;
}

async function propose(
  name: string,
  path: string,
  options: ProposingOptions & { readonly roles: string },
): Promise<Answer> {
  const roles = options.roles.split(",").map((role) => roleOf(role.trim()));
  const certificates = readChain(path).map(({ der }) => der);
  const coSigners = await loadCoSigners(options.coSign, options.network);
  return decide(proposeExternalAuthorityCall({ name, certificates, roles }, coSigners), options);
}

async function withdraw(name: string, options: ProposingOptions): Promise<Answer> {
  const coSigners = await loadCoSigners(options.coSign, options.network);
  return decide(proposeExternalWithdrawalCall(name, coSigners), options);
}

async function decide(
  call: ReturnType<typeof proposeExternalAuthorityCall>,
  options: Options,
): Promise<Answer> {
  const client = await connect(options);
  const { id, receipt } = await client.execute(call);
  const { number } = decode(proposedCodec, receipt.returnValue);
  const proposal = describeProposal(await demandProposal(client, number));
  const value = { ...proposal, transaction: toHex(id) };
  return { value, text: renderFields(value) };
}

function describe(authority: ExternalAuthority) {
  const { certificates, withdrawnAt, revocationListMs, ...known } = authority;
  return {
    ...known,
    state: withdrawnAt === null ? "registered" : "withdrawn",
    withdrawnAt,
    revocationListOf: revocationListMs === 0 ? null : new Date(revocationListMs).toISOString(),
    certificates: certificates.map(toHex),
  };
}

async function list(options: Options): Promise<Answer> {
  const authorities = (await listExternalAuthorities(await connect(options))).map(describe);
  const rows = authorities.map(({ name, state, roles, holders }) => [
    ...[name, state, roles.join(","), `${holders}`],
  ]);
  return {
    value: { authorities, verified: true },
    text: renderTable(["name", "state", "roles", "certificates"], rows),
  };
}

async function show(name: string, options: Options): Promise<Answer> {
  const found = await getExternalAuthority(await connect(options), name);
  if (found === null) throw new CliError("CLI_NOT_FOUND", `outside authority ${name}`);
  const value = { ...describe(found), verified: true };
  return { value, text: renderFields({ ...value, certificates: value.certificates.length }) };
}

async function enroll(
  path: string,
  { role, authority, ...options }: EnrolOptions,
): Promise<Answer> {
  const { der, subjectKey, subject } = readLeaf(path);
  const client = await connect(options);
  const args = { authority, role: roleOf(role), certificate: der };
  const { id, header } = await client.execute(enrollExternalCall(args));
  const value = {
    address: formatAddress(addressFromPublicKey(subjectKey)),
    ...{ holder: subject.commonName, authority, role },
    ...{ height: header.height, transaction: toHex(id) },
  };
  return { value, text: renderFields(value) };
}

async function renew(path: string, options: Options): Promise<Answer> {
  const { der, notAfterMs } = readLeaf(path);
  const client = await connect(options);
  const { id, header } = await client.execute(renewExternalCall(der));
  const validTo = new Date(notAfterMs).toISOString();
  const value = { validTo, height: header.height, transaction: toHex(id) };
  return { value, text: renderFields(value) };
}

async function registerList(name: string, path: string, options: Options): Promise<Answer> {
  const parsed = readRevocationList(path);
  const client = await connect(options);
  const call = registerExternalListCall({ authority: name, revocationList: parsed.der });
  const { id, header } = await client.execute(call);
  const value = {
    ...{ authority: name, certificates: parsed.revoked.size },
    ...{ height: header.height, transaction: toHex(id) },
  };
  return { value, text: renderFields(value) };
}
