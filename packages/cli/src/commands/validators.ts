import { join } from "node:path";
import { changeValidatorsCall, type Identity } from "@credlink/client";
import { noArgsCodec, validatorListCodec } from "@credlink/contracts-vm";
import { parseCertificate } from "@credlink/crypto";
import { VALIDATORS_CONTRACT } from "@credlink/ledger";
import { decode, encode, toHex } from "@credlink/primitives";
import type { Command } from "commander";
import {
  type ConnectionOptions,
  connect,
  loadNetworkIdentity,
  readTextOf,
  withConnection,
} from "../connection.ts";
import { CliError } from "../errors.ts";
import { findNode, loadNetwork, type Network, networkPaths } from "../network/layout.ts";
import { renderTable } from "../network/status.ts";
import type { CommandContext } from "./context.ts";
import { renderFields } from "./read.ts";

type Options = ConnectionOptions & { readonly json?: boolean };

interface ChangeOptions {
  readonly network: string;
  readonly node?: string;
  readonly json?: boolean;
}

/** `validators list | add | remove`. */
export function addValidatorsCommands(program: Command, context: CommandContext): void {
  const validators = program.command("validators").description("who decides blocks");
  withConnection(validators.command("list"))
    .description("the list that the head's state names, in force two blocks on")
    .option("--json", "print one JSON document")
    .action((options: Options) =>
      context.run(options.json ?? false, async () => {
        const value = await listValidators(options);
        const rows = value.validators.map(({ nodeId, peerId }) => [nodeId, peerId]);
        return { value, text: renderTable(["node", "peer"], rows) };
      }),
    );
  addChange(validators, "add", "make a running, enrolled node a validator", context);
  addChange(validators, "remove", "make a validator an observer", context);
}

function addChange(
  validators: Command,
  name: "add" | "remove",
  description: string,
  context: CommandContext,
): void {
  validators
    .command(name)
    .argument("<node>", "name of the node")
    .description(`${description}, signed by admins of more than half of the organisations`)
    .requiredOption("--network <dir>", "the network's folder; it must be running")
    .option("--node <name>", "which node to ask (default: the first)")
    .option("--json", "print one JSON document")
    .action((node: string, options: ChangeOptions) =>
      context.run(options.json ?? false, async () => {
        const value = await changeValidators(name, node, options);
        return { value, text: renderFields(value) };
      }),
    );
}

async function listValidators(options: Options) {
  const client = await connect(options);
  const args = encode(noArgsCodec, {});
  const query = { contract: VALIDATORS_CONTRACT, method: "list", args };
  const { height, returnValue } = await client.queryContract(query);
  const validators = decode(validatorListCodec, returnValue).map(
    ({ nodeId, peerId, publicKey }) => ({ nodeId, peerId, publicKey: toHex(publicKey) }),
  );
  return { height, validators };
}

async function changeValidators(kind: "add" | "remove", name: string, options: ChangeOptions) {
  const network = loadNetwork(options.network);
  const args =
    kind === "add" ? { add: [additionOf(options.network, network, name)] } : { remove: [name] };
  const client = await connect({
    network: options.network,
    ...(options.node === undefined ? {} : { node: options.node }),
  });
  const coSigners = await otherAdmins(options.network, network, client.identity);
  const { header, id } = await client.execute(changeValidatorsCall(args, coSigners));
  const inForce = header.height + 2;
  return { [kind === "add" ? "added" : "removed"]: name, transaction: toHex(id), inForce };
}

/** A node as the registry takes it. @throws CliError CLI_NODE_UNKNOWN, CLI_FILE_MALFORMED */
function additionOf(dir: string, network: Network, name: string) {
  const { peerId } = findNode(network, name);
  const path = join(networkPaths(dir).node(name), "node.crt");
  const parsed = parseCertificate(readTextOf(path));
  if (!parsed.ok) throw new CliError("CLI_FILE_MALFORMED", `${path}: ${parsed.code}`);
  return { nodeId: name, peerId, certificate: parsed.value.der };
}

/** Admins that make a majority of the organisations together with the sender. */
async function otherAdmins(
  dir: string,
  network: Network,
  sender: Identity | undefined,
): Promise<readonly Identity[]> {
  const admins = await Promise.all(
    network.organizations.map(({ name }) => loadNetworkIdentity(dir, network, `${name}/admin`)),
  );
  const own = toHex(sender?.address ?? new Uint8Array());
  const others = admins.filter(({ address }) => toHex(address) !== own);
  return others.slice(0, Math.floor(network.organizations.length / 2));
}
