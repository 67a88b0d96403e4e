import { readFileSync, writeFileSync } from "node:fs";
import {
  applyCall,
  findEvidence,
  getIdentity,
  getMember,
  listMembers,
  proveKey,
  readGenesis,
  type SeenEvidence,
  seeEvidence,
  setMemberStatusCall,
  verifyMemberCall,
} from "@credlink/client";
import { addressFromPublicKey, formatAddress } from "@credlink/crypto";
import { identityEvidenceKinds, type MemberRole, type MemberStatus } from "@credlink/ledger";
import { type Address, fromHex, toHex } from "@credlink/primitives";
import { type Command, Option } from "commander";
import { z } from "zod";
import {
  type ConnectionOptions,
  connect,
  readFileOf,
  readTextOf,
  withConnection,
} from "../connection.ts";
import { addressOf, demandNew, readDocument } from "../document-file.ts";
import { CliError } from "../errors.ts";
import { renderTable } from "../network/status.ts";
import type { CommandContext } from "./context.ts";
import { takeKeyFile } from "./member-keys.ts";
import { renderFields } from "./read.ts";

type Options = ConnectionOptions & { readonly json?: boolean };

export const DAY_MS = 86_400_000;
/** Validities begin a little before they are made, for clocks that are behind. */
export const BACKDATE_MS = 5 * 60_000;

/** So many bytes in hexadecimal. */
export const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));

/** What an applicant hands to whoever brings its application: nothing in it is secret. */
const applicationSchema = z.strictObject({
  format: z.literal("credlink-application/1"),
  address: z.string(),
  publicKey: hex(65),
  possession: hex(64),
});

/** What a verifier keeps: personal data in clear, so for its own eyes alone. */
const evidenceSchema = z.strictObject({
  format: z.literal("credlink-identity-evidence/1"),
  address: z.string(),
  kind: z.enum(identityEvidenceKinds),
  value: z.string().max(256),
  salt: hex(32),
});

/** `member application | apply | verify | check-evidence | activate | … | list`. */
export function addMemberLifecycleCommands(member: Command, context: CommandContext): void {
  addApplication(member, context);
  addVerification(member, context);
  addStep(member, context, ["activate", "active", "let a verified member transact"]);
  addStep(member, context, ["suspend", "suspended", "hold a member until it is resumed"]);
  addStep(member, context, ["resume", "active", "lift a suspension"]);
  addStep(member, context, ["leave", "left", "end a membership; default: one's own"]);
  addStep(member, context, ["revoke", "revoked", "end a membership for cause"]);
  withConnection(member.command("list"))
    .description("members by address (the node's word: a list carries no proof)")
    .option("--after <address>", "go on after this one")
    .option("--all", "every page")
    .option("--json", "print one JSON document")
    .action((options: ListOptions) =>
      context.run(options.json ?? false, async () => {
        const value = await list(options);
        const rows = value.members.map((each) => [
          ...[each.address, each.organization, each.role, each.status],
        ]);
        return { value, text: renderTable(["address", "organisation", "role", "status"], rows) };
      }),
    );
}

function addApplication(member: Command, context: CommandContext): void {
  member
    .command("application")
    .description("prove a key of one's own for an application; the key stays here")
    .requiredOption("--key <file>", "key file to apply with; made when it does not exist")
    .requiredOption("--password-file <file>", "file that holds the key file's password")
    .requiredOption("--genesis <file>", "trusted genesis of the chain")
    .requiredOption("--out <file>", "where the application goes")
    .option("--json", "print one JSON document")
    .action((options: ApplicationOptions) =>
      context.run(options.json ?? false, async () => {
        const value = await makeApplication(options);
        return { value, text: renderFields(value) };
      }),
    );
  withConnection(member.command("apply"))
    .description("bring an application, as an admin or institution: it is applied, not yet active")
    .requiredOption("--application <file>", "what `member application` wrote")
    .addOption(
      new Option("--role <role>", "what it wants to be")
        .choices(["enterprise", "individual"])
        .makeOptionMandatory(),
    )
    .option("--days <days>", "validity from now on, at most three years", "365")
    .option("--json", "print one JSON document")
    .action((options: ApplyOptions) =>
      context.run(options.json ?? false, async () => {
        const value = await apply(options);
        return { value, text: renderFields(value) };
      }),
    );
}

function addVerification(member: Command, context: CommandContext): void {
  withConnection(member.command("verify").argument("<address>"))
    .description(
      "record what was shown of an applicant: a salted digest, after its form was checked",
    )
    .addOption(
      new Option("--kind <kind>", "what was shown")
        .choices([...identityEvidenceKinds])
        .makeOptionMandatory(),
    )
    .requiredOption("--value-file <file>", "what stands on it, - for standard input")
    .requiredOption("--out <file>", "where value and salt are kept, for the verifier alone")
    .option("--json", "print one JSON document")
    .action((address: string, options: VerifyOptions) =>
      context.run(options.json ?? false, async () => {
        const value = await verify(addressOf(address), options);
        return { value, text: renderFields(value) };
      }),
    );
  withConnection(member.command("check-evidence").argument("<file>"))
    .description("whether kept evidence is what a member was verified by, proven")
    .option("--json", "print one JSON document")
    .action((file: string, options: Options) =>
      context.run(options.json ?? false, async () => {
        const value = await checkEvidence(file, options);
        return { value, text: renderFields(value) };
      }),
    );
}

function addStep(
  member: Command,
  context: CommandContext,
  [name, status, description]: readonly [string, MemberStatus, string],
): void {
  const isForOneself = status === "left";
  withConnection(member.command(name).argument(isForOneself ? "[address]" : "<address>"))
    .description(description)
    .option("--json", "print one JSON document")
    .action((address: string | undefined, options: Options) =>
      context.run(options.json ?? false, async () => {
        const client = await connect(options);
        const of = address === undefined ? client.identity?.address : addressOf(address);
        if (of === undefined) throw new CliError("CLI_USAGE", "an address is needed");
        const { id } = await client.execute(setMemberStatusCall(of, status));
        const value = { address: formatAddress(of), status, transaction: toHex(id) };
        return { value, text: renderFields(value) };
      }),
    );
}

interface ApplicationOptions {
  readonly key: string;
  readonly passwordFile: string;
  readonly genesis: string;
  readonly out: string;
  readonly json?: boolean;
}

async function makeApplication({ key, passwordFile, genesis, out }: ApplicationOptions) {
  demandNew(out);
  const signer = await takeKeyFile(key, passwordFile);
  const { digest } = readGenesis(readFileOf(genesis));
  const address = addressFromPublicKey(signer.publicKey);
  const { publicKey, possession } = await proveKey(signer, digest, { address, index: 0 });
  const application = {
    format: "credlink-application/1",
    address: formatAddress(address),
    publicKey: toHex(publicKey),
    possession: toHex(possession),
  };
  writeFileSync(out, `${JSON.stringify(application, null, 2)}\n`, { flag: "wx" });
  return { address: application.address, application: out, key };
}

type ApplyOptions = Options & {
  readonly application: string;
  readonly role: MemberRole;
  readonly days: string;
};

async function apply({ application, role, days, ...options }: ApplyOptions) {
  const { publicKey, possession, address } = readDocument(application, applicationSchema);
  if (!/^[1-9]\d{0,3}$/.test(days)) throw new CliError("CLI_USAGE", `--days ${days}`);
  const client = await connect(options);
  const validFromMs = Date.now() - BACKDATE_MS;
  const key = { publicKey: fromHex(publicKey), possession: fromHex(possession) };
  const validToMs = validFromMs + Number(days) * DAY_MS;
  const { id } = await client.execute(applyCall({ ...key, role, validFromMs, validToMs }));
  return { address, status: "applied", transaction: toHex(id) };
}

type VerifyOptions = Options & {
  readonly kind: SeenEvidence["kind"];
  readonly valueFile: string;
  readonly out: string;
};

/** The salt is kept before the digest goes out: without it the digest proves nothing. */
async function verify(address: Address, { kind, valueFile, out, ...options }: VerifyOptions) {
  demandNew(out);
  const shown = valueFile === "-" ? readFileSync(0, "utf8") : readTextOf(valueFile);
  const seen = seeEvidence(kind, shown, Date.now());
  const client = await connect(options);
  const kept = { format: "credlink-identity-evidence/1", address: formatAddress(address), ...seen };
  writeFileSync(out, `${JSON.stringify(kept, null, 2)}\n`, { flag: "wx", mode: 0o600 });
  const { id } = await client.execute(verifyMemberCall(address, [seen]));
  const member = await getMember(client, address);
  return { address: kept.address, status: member?.status, evidence: out, transaction: toHex(id) };
}

async function checkEvidence(file: string, options: Options) {
  const { address, ...seen } = readDocument(file, evidenceSchema);
  const client = await connect(options);
  const found = findEvidence(await getIdentity(client, addressOf(address)), seen);
  if (found === null) throw new CliError("CLI_NOT_FOUND", `this evidence at ${address}`);
  return {
    address,
    kind: found.kind,
    verifier: formatAddress(found.verifier),
    verifiedAt: new Date(found.verifiedAtMs).toISOString(),
    verified: true,
  };
}

type ListOptions = Options & { readonly after?: string; readonly all?: boolean };

async function list({ after: start, all, ...options }: ListOptions) {
  const client = await connect(options);
  const members = [];
  let after = start === undefined ? null : addressOf(start);
  for (;;) {
    const page = await listMembers(client, after);
    members.push(...page);
    after = page.at(-1)?.address ?? null;
    if (after === null || all !== true) break;
  }
  return {
    members: members.map(({ address, organization, role, status }) => ({
      address: formatAddress(address),
      ...{ organization, role, status },
    })),
    next: after === null ? null : formatAddress(after),
  };
}
