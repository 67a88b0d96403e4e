import {
  CREDENTIAL_CONTRACT,
  CREDENTIAL_CONTRACT_VERSION,
  type CredentialRecord,
  MAX_SUBMISSIONS,
  submitAllArgsCodec,
  submitArgsCodec,
} from "@credlink/contracts";
import { encode } from "@credlink/primitives";
import { type Call, DEFAULT_GAS_LIMIT } from "./transactions.ts";

/**
 * The call that puts credentials of one issuer on chain, all or none, in their order: a later one
 * may rest on those before it. Whoever signs it signs all of them.
 *
 * @param records 1 to `MAX_SUBMISSIONS`.
 */
export function submitCredentialsCall(records: readonly CredentialRecord[]): Call {
  const [record, ...others] = records;
  if (record === undefined || records.length > MAX_SUBMISSIONS) {
    throw new RangeError(`1 to ${MAX_SUBMISSIONS} records`);
  }
  const single = others.length === 0;
  return {
    contract: CREDENTIAL_CONTRACT,
    version: CREDENTIAL_CONTRACT_VERSION,
    method: single ? "submit" : "submitAll",
    args: single ? encode(submitArgsCodec, record) : encode(submitAllArgsCodec, { records }),
    gasLimit: records.length * DEFAULT_GAS_LIMIT,
  };
}
