import { type Client, getContractQuota, setContractQuota } from "@credlink/client";
import { toHex } from "@credlink/primitives";
import type { Command } from "commander";
import { loadCoSigners, withCoSigners } from "../co-signers.ts";
import type { ConnectionOptions } from "../connection.ts";
import { CliError } from "../errors.ts";
import { asks, fieldsOf } from "./ask.ts";
import type { CommandContext } from "./context.ts";
import { wholeNumber } from "./network.ts";

interface SetOptions extends ConnectionOptions {
  readonly entries?: number;
  readonly bytes?: number;
  readonly common?: boolean;
  readonly coSign: readonly string[];
}

/** `contract quota` and `contract set-quota`: how much state a contract holds and may hold. */
export function addQuotaCommands(contract: Command, context: CommandContext): void {
  asks<ConnectionOptions>(
    contract
      .command("quota")
      .argument("<name>")
      .description("keys and bytes that a contract's state holds, and may hold; proven"),
    context,
    async (client, _, [name = ""]) => fieldsOf(await describeQuota(client, name)),
  );
  asks<SetOptions>(
    withCoSigners(
      contract
        .command("set-quota")
        .argument("<name>")
        .description("permit it more or less; signed by admins of more than half of all")
        .option("--entries <n>", "most keys, with --bytes", wholeNumber)
        .option("--bytes <n>", "most bytes of keys and values, with --entries", wholeNumber)
        .option("--common", "what the parameters say for all contracts again"),
    ),
    context,
    async (client, options, [name = ""]) => {
      const quota = readQuota(options);
      const coSigners = await loadCoSigners(options.coSign, options.network);
      const { id, header } = await setContractQuota(client, { name, quota }, coSigners);
      const sent = { transaction: toHex(id), height: header.height };
      return fieldsOf({ ...(await describeQuota(client, name)), ...sent });
    },
  );
}

/** @throws CliError CLI_OPTIONS_CONFLICT */
function readQuota({ entries, bytes, common }: SetOptions) {
  const isOwn = entries !== undefined && bytes !== undefined;
  const isNone = entries === undefined && bytes === undefined;
  if (isOwn && common !== true) return { entries, bytes };
  if (isNone && common === true) return null;
  throw new CliError("CLI_OPTIONS_CONFLICT", "either --entries and --bytes, or --common");
}

async function describeQuota(client: Client, name: string) {
  const { used, quota, isOwn, header } = await getContractQuota(client, name);
  return {
    name,
    used,
    quota,
    ownQuota: isOwn,
    proof: { height: header.height, block: toHex(header.digest) },
    verified: true,
  };
}
