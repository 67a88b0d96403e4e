import { proposeCall } from "@credlink/client";
import { MEMBERS_CONTRACT, proposedCodec, replaceAuthorityArgsCodec } from "@credlink/ledger";
import { decode, encode, height, toHex } from "@credlink/primitives";
import type { Command } from "commander";
import { gather, loadCoSigners } from "../co-signers.ts";
import { type ConnectionOptions, connect, readFileOf } from "../connection.ts";
import { CliError } from "../errors.ts";
import type { Answer } from "../output.ts";
import { demandProposal, describeProposal } from "./governance-view.ts";
import { renderFields } from "./read.ts";

interface ReplaceOptions extends ConnectionOptions {
  readonly json?: boolean;
  readonly certificate: string;
  readonly until?: string;
  readonly atOnce?: boolean;
  readonly sameKey?: boolean;
  readonly carry: readonly string[];
  readonly coSign: readonly string[];
}

/** `gov replace-ca`: proposes `members.replaceAuthority` from files. */
export function addAuthorityCommand(
  add: (signature: string, description: string) => Command,
  run: (options: ReplaceOptions, action: () => Promise<Answer>) => Promise<void>,
): void {
  add("replace-ca <organization>", "propose another CA for an organisation, and approve it")
    .requiredOption("--certificate <file>", "the CA's certificate, issued by a root of genesis")
    .option("--until <time>", "when certificates of the CA before end: 2027-06-30T00:00:00Z")
    .option("--at-once", "they end with the block of the decision: its key leaked")
    .option("--same-key", "the key stays, and with it every certificate")
    .option("--carry <file>", "a member's certificate by the new CA; again for more", gather, [])
    .option("--co-sign <member>", "who approves too, as `contract call` takes it", gather, [])
    .action((organization: string, options: ReplaceOptions) =>
      run(options, () => proposeReplacement(organization, options)),
    );
}

/** @throws CliError CLI_OPTIONS_CONFLICT, CLI_USAGE */
function keepUntil({ until, atOnce = false, sameKey = false }: ReplaceOptions): number | null {
  if ([until !== undefined, atOnce, sameKey].filter(Boolean).length !== 1) {
    throw new CliError("CLI_OPTIONS_CONFLICT", "one of --until, --at-once and --same-key");
  }
  if (until === undefined) return atOnce ? 0 : null;
  const keepUntilMs = Date.parse(until);
  // A time without a zone means another moment on every machine.
  if (!/T.*(Z|[+-]\d\d:\d\d)$/.test(until) || !Number.isSafeInteger(keepUntilMs)) {
    throw new CliError("CLI_USAGE", `${until} is no time such as 2027-06-30T00:00:00Z`);
  }
  return keepUntilMs;
}

async function proposeReplacement(organization: string, options: ReplaceOptions): Promise<Answer> {
  // With the CA's package comes a node's; commands that need neither do not wait for them.
  const { readCertificateOf } = await import("@credlink/ca");
  const args = encode(replaceAuthorityArgsCodec, {
    organization,
    authorityCertificate: readCertificateOf(readFileOf(options.certificate)).der,
    keepUntilMs: keepUntil(options),
    certificates: options.carry.map((path) => readCertificateOf(readFileOf(path)).der),
  });
  const client = await connect(options);
  const coSigners = await loadCoSigners(options.coSign, options.network);
  const call = { contract: MEMBERS_CONTRACT, method: "replaceAuthority", args };
  const { id, receipt } = await client.execute(
    proposeCall({ ...call, executeAt: height(0) }, coSigners),
  );
  const { number } = decode(proposedCodec, receipt.returnValue);
  const value = {
    ...describeProposal(await demandProposal(client, number)),
    transaction: toHex(id),
  };
  return { value, text: renderFields(value) };
}
