import { createIdentity, type Identity } from "@credlink/client";
import type { Command } from "commander";
import { loadIdentity, loadNetworkIdentity } from "./connection.ts";
import { CliError } from "./errors.ts";
import { loadNetwork } from "./network/layout.ts";

/** Gathers an option that may be repeated. */
export function gather(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** Adds `--co-sign`, repeatable: who signs beside the sender. */
export function withCoSigners(command: Command): Command {
  return command.option(
    "--co-sign <member>",
    "who signs too: ORG/MEMBER of the network's folder, or KEY-FILE:PASSWORD-FILE; repeatable",
    gather,
    [],
  );
}

/**
 * Co-signers as the command line names them.
 * @throws CliError CLI_USAGE, CLI_MEMBER_UNKNOWN and what reading keys throws
 */
export function loadCoSigners(
  names: readonly string[],
  network: string | undefined,
): Promise<readonly Identity[]> {
  return Promise.all(names.map((name) => loadCoSigner(name, network)));
}

function loadCoSigner(text: string, network: string | undefined): Promise<Identity> {
  if (network !== undefined && !text.includes(":")) {
    return loadNetworkIdentity(network, loadNetwork(network), text);
  }
  const [key, passwordFile, ...rest] = text.split(":");
  if (key === undefined || passwordFile === undefined || rest.length > 0) {
    throw new CliError("CLI_USAGE", "--co-sign takes ORG/MEMBER or KEY-FILE:PASSWORD-FILE");
  }
  return loadIdentity(key, passwordFile).then(({ signer }) => createIdentity(signer));
}
