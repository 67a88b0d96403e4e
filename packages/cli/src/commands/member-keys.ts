import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { renewCertificateCall, rotateKey } from "@credlink/client";
import {
  createSm2Signer,
  formatAddress,
  generateKeyPair,
  parseCertificate,
  saveKeyFile,
  wipe,
} from "@credlink/crypto";
import { withKeyFile } from "@credlink/keys";
import { memberRoles } from "@credlink/ledger";
import { type Signer, toHex } from "@credlink/primitives";
import type { Command } from "commander";
import { type ConnectionOptions, connect, readTextOf, withConnection } from "../connection.ts";
import { CliError } from "../errors.ts";
import { createMember, loadAuthority } from "../network/authority.ts";
import { findMember, loadNetwork, networkPaths } from "../network/layout.ts";
import { saveNetwork } from "../network/node-config.ts";
import type { CommandContext } from "./context.ts";
import { renderFields } from "./read.ts";

interface RotateOptions extends ConnectionOptions {
  readonly newKey?: string;
  readonly newPasswordFile?: string;
  readonly certificate?: string;
  readonly json?: boolean;
}

const NOTICE =
  "Keep the new key file and its password apart, and a backup of both; nobody can sign for you " +
  "without them, nor make them again. Destroy the old key once nothing is to be opened with it.";

/** `member rotate-key | renew-certificate`. */
export function addMemberKeyCommands(member: Command, context: CommandContext): void {
  withConnection(member.command("rotate-key"))
    .description("replace one's key: the address stays, the new key counts from the next block on")
    .option("--new-key <file>", "key file to take; made when it does not exist")
    .option("--new-password-file <file>", "file that holds the new key file's password")
    .option("--certificate <file>", "certificate over the new key (nodes need one)")
    .option("--json", "print one JSON document")
    .action((options: RotateOptions) =>
      context.run(options.json ?? false, async () => {
        const value = await rotate(options);
        return { value, text: `${renderFields(value)}\n${NOTICE}` };
      }),
    );
  withConnection(member.command("renew-certificate"))
    .description("put another certificate over one's present key")
    .requiredOption("--certificate <file>", "the certificate (PEM)")
    .option("--json", "print one JSON document")
    .action((options: RotateOptions & { readonly certificate: string }) =>
      context.run(options.json ?? false, async () => {
        const client = await connect(options);
        const call = renewCertificateCall(certificateOf(options.certificate));
        const { id } = await client.execute(call);
        const value = { transaction: toHex(id) };
        return { value, text: renderFields(value) };
      }),
    );
}

function rotate(options: RotateOptions) {
  return options.newKey === undefined ? rotateInFolder(options) : rotateByFiles(options);
}

async function rotateByFiles(options: RotateOptions) {
  const { newKey, newPasswordFile, certificate } = options;
  if (newKey === undefined || newPasswordFile === undefined) {
    throw new CliError("CLI_OPTIONS_CONFLICT", "--new-key needs --new-password-file");
  }
  const client = await connect(options);
  const signer = await takeKeyFile(newKey, newPasswordFile);
  const der = certificate === undefined ? null : certificateOf(certificate);
  return outcomeOf(await rotateKey(client, signer, der), newKey);
}

/** A key that is there, or a new one, written before anything is sent. */
export async function takeKeyFile(path: string, passwordFile: string): Promise<Signer> {
  const password = readTextOf(passwordFile).replace(/\r?\n$/, "");
  if (existsSync(path)) {
    return withKeyFile(path, { password }, async (privateKey) => createSm2Signer(privateKey));
  }
  const { privateKey } = generateKeyPair();
  try {
    await saveKeyFile(path, privateKey, { password });
    return createSm2Signer(privateKey);
  } finally {
    wipe(privateKey);
  }
}

/** A member of a network's folder: key and certificate are made there, and the folder follows. */
async function rotateInFolder(options: RotateOptions) {
  const { network: dir, as: id } = options;
  if (dir === undefined || id === undefined || options.key !== undefined) {
    throw new CliError("CLI_OPTIONS_CONFLICT", "without --new-key, --network and --as are needed");
  }
  const paths = networkPaths(dir);
  const network = loadNetwork(dir);
  const member = findMember(network, id);
  const [organization = "", name = ""] = id.split("/");
  const entry = network.organizations.find((each) => each.name === organization);
  const role = memberRoles.find((each) => each === member.role);
  if (entry === undefined || role === undefined) {
    throw new CliError("CLI_MEMBER_UNKNOWN", `${id} has no organisation or role there`);
  }
  const client = await connect(options);
  const folder = dirname(join(paths.root, member.key));
  const issued = await createMember(
    folder,
    freeName(folder, name),
    await loadAuthority(paths.root, entry),
    { organization, role, name, days: CERTIFICATE_DAYS, nowMs: Date.now() },
  );
  const rotated = await rotateKey(client, issued.signer, issued.certificate.der);
  const files = {
    certificate: relative(paths.root, issued.files.certificate),
    key: relative(paths.root, issued.files.key),
    passwordFile: relative(paths.root, issued.files.passwordFile),
  };
  // Read again: another command may have changed the folder meanwhile.
  const latest = loadNetwork(dir);
  const members = latest.members.map((each) => (each.id === id ? { ...each, ...files } : each));
  saveNetwork(dir, { ...latest, members });
  return outcomeOf(rotated, files.key);
}

const CERTIFICATE_DAYS = 365;

/** The first of `name.2`, `name.3` … under which no key stands yet. */
function freeName(folder: string, name: string): string {
  for (let number = 2; ; number++) {
    const free = `${name}.${number}`;
    if (!existsSync(join(folder, `${free}.key`))) return free;
  }
}

function outcomeOf(rotated: Awaited<ReturnType<typeof rotateKey>>, key: string) {
  const { identity, committed, fromHeight } = rotated;
  return {
    address: formatAddress(identity.address),
    publicKey: toHex(identity.signer.publicKey),
    key,
    fromHeight,
    transaction: toHex(committed.id),
  };
}

/** DER of a certificate in PEM. @throws CliError CLI_FILE_UNREADABLE, CLI_FILE_MALFORMED */
function certificateOf(path: string): Uint8Array {
  const parsed = parseCertificate(readTextOf(path));
  if (!parsed.ok) throw new CliError("CLI_FILE_MALFORMED", `${path}: ${parsed.code}`);
  return parsed.value.der;
}
