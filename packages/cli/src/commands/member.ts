import { mkdirSync } from "node:fs";
import { join, relative } from "node:path";
import { enrollCalls, getIdentity, getMember } from "@credlink/client";
import { formatAddress, parseAddress } from "@credlink/crypto";
import { type MemberRole, memberRoles } from "@credlink/ledger";
import { toHex } from "@credlink/primitives";
import { type Command, Option } from "commander";
import { type ConnectionOptions, connect, withConnection } from "../connection.ts";
import { CliError } from "../errors.ts";
import { createMember, loadAuthority } from "../network/authority.ts";
import { loadNetwork, networkPaths } from "../network/layout.ts";
import { saveNetwork } from "../network/node-config.ts";
import type { CommandContext } from "./context.ts";
import { addMemberEnrolCommands } from "./member-enrol.ts";
import { addMemberKeyCommands } from "./member-keys.ts";
import { addMemberLifecycleCommands } from "./member-lifecycle.ts";
import { addMemberRecoveryCommands } from "./member-recovery.ts";
import { addMemberRegistryCommands } from "./member-registry.ts";
import { renderFields } from "./read.ts";

type Options = ConnectionOptions & { readonly json?: boolean };

/** `member …`. */
export function addMemberCommands(program: Command, context: CommandContext): void {
  const member = program.command("member").description("members of the registry");
  addMemberKeyCommands(member, context);
  addMemberLifecycleCommands(member, context);
  addMemberEnrolCommands(member, context);
  addMemberRegistryCommands(member, context);
  addMemberRecoveryCommands(member, context);
  withConnection(member.command("show").argument("[address]", "default: the member asking"))
    .description("one member as the registry has it, proven")
    .option("--json", "print one JSON document")
    .action((address: string | undefined, options: Options) =>
      context.run(options.json ?? false, async () => {
        const value = await showMember(options, address);
        return { value, text: renderFields(value) };
      }),
    );
  member
    .command("create")
    .description("make a user's key and certificate in a network's folder and enrol it on chain")
    .requiredOption("--network <dir>", "the network's folder; it must be running")
    .requiredOption("--organization <name>", "the organisation whose CA certifies it")
    .requiredOption("--name <name>", "a name within the organisation")
    .addOption(
      new Option("--role <role>", "what it may do").choices([...memberRoles]).makeOptionMandatory(),
    )
    .option("--node <name>", "which node to ask (default: the first)")
    .option("--json", "print one JSON document")
    .action((options: CreateOptions & { readonly json?: boolean }) =>
      context.run(options.json ?? false, async () => {
        const value = await createUser(options);
        return { value, text: renderFields(value) };
      }),
    );
}

async function showMember(options: Options, addressText: string | undefined) {
  const client = await connect(options);
  const own = client.identity?.address;
  const parsed = addressText === undefined ? undefined : parseAddress(addressText);
  if (parsed !== undefined && !parsed.ok) {
    throw new CliError("CLI_USAGE", `not an address: ${addressText}`);
  }
  const address = parsed === undefined ? own : parsed.value;
  if (address === undefined) throw new CliError("CLI_USAGE", "an address is needed");
  const member = await getMember(client, address);
  if (member === null) throw new CliError("CLI_NOT_FOUND", `member ${formatAddress(address)}`);
  return {
    address: formatAddress(member.address),
    organization: member.organization,
    role: member.role,
    status: member.status,
    keys: member.keys.map((key) => ({
      fromHeight: key.fromHeight,
      publicKey: toHex(key.publicKey),
    })),
    certificateDigest: member.certificateDigest === null ? null : toHex(member.certificateDigest),
    enrolledBy: member.enrolledBy === null ? null : formatAddress(member.enrolledBy),
    validFrom: new Date(member.validFromMs).toISOString(),
    validTo: new Date(member.validToMs).toISOString(),
    evidence: (await getIdentity(client, address)).map((each) => ({
      kind: each.kind,
      digest: toHex(each.digest),
      verifier: formatAddress(each.verifier),
      verifiedAt: new Date(each.verifiedAtMs).toISOString(),
    })),
    verified: true,
  };
}

/** What `createUser` needs. */
export interface CreateOptions {
  readonly network: string;
  readonly organization: string;
  readonly name: string;
  readonly role: MemberRole;
  readonly node?: string;
}

const USER_DAYS = 365;

/**
 * Makes a user's key and certificate, enrols it as the organisation's admin, and notes it in the
 * network's folder, so that `--as organisation/name` finds it.
 */
export async function createUser(options: CreateOptions) {
  const { organization, name, role } = options;
  const paths = networkPaths(options.network);
  const network = loadNetwork(options.network);
  const entry = network.organizations.find((each) => each.name === organization);
  const id = `${organization}/${name}`;
  if (entry === undefined) throw new CliError("CLI_MEMBER_UNKNOWN", `no organisation there`);
  if (network.members.some((each) => each.id === id) || !/^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) {
    throw new CliError("CLI_OPTIONS_CONFLICT", `the name ${id} is taken or not of a-z, 0-9 and -`);
  }
  const client = await connect({
    network: options.network,
    as: `${organization}/admin`,
    ...(options.node === undefined ? {} : { node: options.node }),
  });
  const authority = await loadAuthority(paths.root, entry);
  const folder = join(paths.organization(organization), "users");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const request = { organization, role, name, days: USER_DAYS, nowMs: Date.now() };
  const issued = await createMember(folder, name, authority, request);
  for (const call of enrollCalls([issued.certificate.der])) await client.execute(call);
  const member = {
    id,
    role,
    address: formatAddress(issued.address),
    certificate: relative(paths.root, issued.files.certificate),
    key: relative(paths.root, issued.files.key),
    passwordFile: relative(paths.root, issued.files.passwordFile),
  };
  // Read again: another command may have added a member meanwhile.
  const latest = loadNetwork(options.network);
  saveNetwork(options.network, { ...latest, members: [...latest.members, member] });
  return { ...member, organization };
}
