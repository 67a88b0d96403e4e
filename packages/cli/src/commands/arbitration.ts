import { type Client, getArbitrators, setArbitrators } from "@credlink/client";
import { formatAddress } from "@credlink/crypto";
import { toHex } from "@credlink/primitives";
import type { Command } from "commander";
import { gather } from "../co-signers.ts";
import type { ConnectionOptions } from "../connection.ts";
import { readAddress } from "../credential-draft.ts";
import { addCaseCommands } from "./arbitration-case.ts";
import { asks, fieldsOf } from "./ask.ts";
import type { CommandContext } from "./context.ts";
import { addRevocation } from "./credential-revoke.ts";
import { wholeNumber } from "./network.ts";

interface NameOptions extends ConnectionOptions {
  readonly threshold: number;
  readonly arbitrator: readonly string[];
}

/** `arbitration open | show | decide | withdraw | arbitrators | set-arbitrators`. */
export function addArbitrationCommands(program: Command, context: CommandContext): void {
  const arbitration = program
    .command("arbitration")
    .description("disputes about credentials, and who decides them");
  addCaseCommands(arbitration, context);
  addRevocation(
    arbitration.command("withdraw").description("take an open case back: as claimant or issuer"),
    context,
  );
  asks<ConnectionOptions>(
    arbitration.command("arbitrators").description("who decides, and how many of them; proven"),
    context,
    async (client) => fieldsOf(await describeArbitrators(client)),
  );
  asks<NameOptions>(
    arbitration
      .command("set-arbitrators")
      .description("name the arbitrators in the place of those before, as a regulator")
      .requiredOption("--threshold <n>", "how many of them decide", wholeNumber)
      .requiredOption(
        "--arbitrator <address>",
        "an active institution, regulator or auditor; may be repeated, 1 to 16",
        gather,
      ),
    context,
    async (client, { threshold, arbitrator }) => {
      const panel = { threshold, arbitrators: arbitrator.map(readAddress) };
      const { committed } = await setArbitrators(client, panel);
      const { id, header } = committed;
      const named = await describeArbitrators(client);
      return fieldsOf({ ...named, transaction: toHex(id), height: header.height });
    },
  );
}

async function describeArbitrators(client: Client) {
  const { threshold, arbitrators, header } = await getArbitrators(client);
  return {
    threshold,
    arbitrators: arbitrators.map(formatAddress),
    proof: { height: header.height, block: toHex(header.digest) },
    verified: true,
  };
}
