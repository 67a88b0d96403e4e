import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Client,
  type ClientOptions,
  createClient,
  createIdentity,
  type Identity,
  writeReceiptLine,
} from "@credlink/client";
import { createSm2Signer, parseAddress } from "@credlink/crypto";
import { passwordOf, withKeyFile } from "@credlink/keys";
import type { Command } from "commander";
import { CliError } from "./errors.ts";
import { appendReceipts } from "./line-file.ts";
import {
  findMember,
  findNode,
  loadNetwork,
  type Network,
  networkPaths,
  rpcUrl,
} from "./network/layout.ts";

/** Who and where, as the command line says it. */
export interface ConnectionOptions {
  readonly network?: string;
  readonly node?: string;
  readonly as?: string;
  readonly rpc?: string;
  readonly genesis?: string;
  readonly key?: string;
  readonly passwordFile?: string;
  readonly address?: string;
  readonly receipt?: string;
}

/** Adds the options that say as whom to speak to which node. */
export function withConnection(command: Command): Command {
  return command
    .option("--network <dir>", "folder of a network made by `network create`")
    .option("--node <name>", "which of its nodes to ask (default: the first)")
    .option("--as <member>", "which of its members to be (default: the node's org/admin)")
    .option("--rpc <url>", "gateway to ask, without --network")
    .option("--genesis <file>", "trusted genesis of its chain")
    .option("--key <file>", "key file of the member to be")
    .option("--password-file <file>", "file that holds the key file's password")
    .option("--address <address>", "the member's address, when its key was rotated")
    .option(
      "--receipt <file>",
      "keep the node's signed receipts of what is sent there, a line each",
    );
}

/** @throws CliError CLI_FILE_UNREADABLE */
export function readFileOf(path: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
    throw new CliError("CLI_FILE_UNREADABLE", `${path}: ${reason}`, { cause });
  }
}

/** @throws CliError CLI_FILE_UNREADABLE */
export function readTextOf(path: string): string {
  return new TextDecoder().decode(readFileOf(path));
}

/**
 * A member from its key file; one that lies in a key store is judged by that store's log.
 * @throws CliError CLI_FILE_UNREADABLE; CryptoError CRYPTO_KEY_…; KeysError KEYS_…
 */
export async function loadIdentity(
  key: string,
  passwordFile: string,
  address?: string,
): Promise<Identity> {
  const password = passwordOf(readTextOf(passwordFile));
  const signer = await withKeyFile(key, { password }, async (privateKey) =>
    createSm2Signer(privateKey),
  );
  if (address === undefined) return createIdentity(signer);
  const parsed = parseAddress(address);
  if (!parsed.ok) throw new CliError("CLI_OPTIONS_CONFLICT", `--address ${address} is not one`);
  return createIdentity(signer, parsed.value);
}

/** A member whose key stands in a network's folder. @throws CliError CLI_MEMBER_UNKNOWN */
export function loadNetworkIdentity(dir: string, network: Network, id: string): Promise<Identity> {
  const { root } = networkPaths(dir);
  const member = findMember(network, id);
  return loadIdentity(join(root, member.key), join(root, member.passwordFile), member.address);
}

/**
 * A client as the command line describes it.
 * @throws CliError CLI_OPTIONS_CONFLICT and what reading the files throws
 */
export async function connect(options: ConnectionOptions): Promise<Client> {
  if (options.network !== undefined) {
    if (options.rpc !== undefined || options.genesis !== undefined) {
      throw new CliError("CLI_OPTIONS_CONFLICT", "--network excludes --rpc and --genesis");
    }
    const network = loadNetwork(options.network);
    const node = findNode(network, options.node);
    const identity =
      options.key === undefined
        ? await loadNetworkIdentity(
            options.network,
            network,
            options.as ?? `${node.organization}/admin`,
          )
        : await loadKeyOption(options, options.key);
    const genesis = readFileOf(networkPaths(options.network).genesis);
    return createClient({ url: rpcUrl(node), genesis, identity, ...keeping(options) });
  }
  const { rpc, genesis, key } = options;
  if (rpc === undefined || genesis === undefined || key === undefined) {
    throw new CliError(
      "CLI_OPTIONS_CONFLICT",
      "without --network, --rpc, --genesis, --key and --password-file are needed",
    );
  }
  const identity = await loadKeyOption(options, key);
  return createClient({
    ...{ url: rpc, genesis: readFileOf(genesis), identity },
    ...keeping(options),
  });
}

/** The file is tried before anything is sent: what was done is not to stand without its receipt. */
function keeping({ receipt: path }: ConnectionOptions): Pick<ClientOptions, "onReceipt"> {
  if (path === undefined) return {};
  appendReceipts(path, "");
  return { onReceipt: (kept) => appendReceipts(path, `${writeReceiptLine(kept)}\n`) };
}

function loadKeyOption(options: ConnectionOptions, key: string): Promise<Identity> {
  if (options.passwordFile === undefined) {
    throw new CliError("CLI_OPTIONS_CONFLICT", "--key needs --password-file");
  }
  return loadIdentity(key, options.passwordFile, options.address);
}
