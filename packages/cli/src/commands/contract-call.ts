import { demandVersions } from "@credlink/client";
import { SUCCESS } from "@credlink/ledger";
import { toHex } from "@credlink/primitives";
import { loadCoSigners } from "../co-signers.ts";
import { type ConnectionOptions, connect } from "../connection.ts";
import { describeReturned, encodeContractArgs } from "../contract-values.ts";
import { CliError } from "../errors.ts";
import { type Answer, exitCodes } from "../output.ts";
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
  const coSigners = await loadCoSigners(options.coSign ?? [], options.network);
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
