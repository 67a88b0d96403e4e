import type { Identity } from "@credlink/client";
import { SUCCESS } from "@credlink/ledger";
import { toHex } from "@credlink/primitives";
import { type ConnectionOptions, connect, loadNetworkIdentity } from "../connection.ts";
import { describeReturned, encodeContractArgs } from "../contract-values.ts";
import { CliError } from "../errors.ts";
import { loadNetwork } from "../network/layout.ts";
import { type Answer, exitCodes } from "../output.ts";
import { demandVersions } from "./contract-manage.ts";
import { loadCoSigner } from "./credential.ts";
import { renderFields } from "./read.ts";

export interface CallContractOptions extends ConnectionOptions {
  readonly args?: string;
  readonly contractVersion?: string;
  readonly coSign?: readonly string[];
  readonly gas?: number;
}

const NO_ARGS = "[]";

/** Calls a method by a transaction; without a version it names the one that is started. */
export async function callContract(
  name: string,
  method: string,
  options: CallContractOptions,
): Promise<Answer> {
  const args = encodeContractArgs(options.args ?? NO_ARGS);
  const client = await connect(options);
  const version = options.contractVersion ?? (await demandVersions(client, name)).started;
  if (version === null) throw new CliError("CLI_CONTRACT_NOT_STARTED", name);
  const coSigners = await coSignersOf(options);
  const { id, header, receipt } = await client.execute({
    contract: name,
    version,
    method,
    args,
    coSigners,
    ...(options.gas === undefined ? {} : { gasLimit: options.gas }),
  });
  const value = {
    contract: `${name}@${receipt.contractVersion}`,
    method,
    status: receipt.status,
    returned: describeReturned(receipt.returnValue),
    returnValue: toHex(receipt.returnValue),
    events: receipt.events.map(({ contract, topic, data }) => ({
      contract,
      topic,
      data: toHex(data),
    })),
    gasUsed: receipt.gasUsed,
    transaction: toHex(id),
    height: header.height,
    verified: true,
  };
  return { value, text: renderFields(value) };
}

/** Co-signers that the command line names. @throws CliError CLI_USAGE, CLI_MEMBER_UNKNOWN */
export function coSignersOf({
  coSign = [],
  network,
}: Pick<CallContractOptions, "coSign" | "network">): Promise<readonly Identity[]> {
  return Promise.all(coSign.map((each) => coSignerOf(each, network)));
}

/** A co-signer: a member of the network's folder, or KEY-FILE:PASSWORD-FILE. */
function coSignerOf(text: string, network: string | undefined): Promise<Identity> {
  if (network === undefined || text.includes(":")) return loadCoSigner(text);
  return loadNetworkIdentity(network, loadNetwork(network), text);
}

/** Queries a read-only method at the head, of any version that is started or superseded. */
export async function queryContract(
  name: string,
  method: string,
  options: CallContractOptions,
): Promise<Answer> {
  const args = encodeContractArgs(options.args ?? NO_ARGS);
  const client = await connect(options);
  const { contractVersion } = options;
  const answer = await client.queryContract({
    contract: name,
    method,
    args,
    ...(contractVersion === undefined ? {} : { version: contractVersion }),
  });
  const value = {
    contract: contractVersion === undefined ? name : `${name}@${contractVersion}`,
    method,
    status: answer.status,
    returned: describeReturned(answer.returnValue),
    returnValue: toHex(answer.returnValue),
    gasUsed: answer.gasUsed,
    height: answer.height,
    verified: false,
  };
  const exitCode = answer.status === SUCCESS ? exitCodes.done : exitCodes.refused;
  return { value, text: renderFields(value), exitCode };
}
