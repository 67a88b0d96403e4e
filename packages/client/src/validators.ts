import type { Validator, ValidatorSet } from "@credlink/consensus-pbft/certificates";
import {
  BUILT_IN_VERSION,
  type ChangeValidatorsArgs,
  changeValidatorsArgsCodec,
  VALIDATORS_CONTRACT,
} from "@credlink/ledger";
import { encode, equalBytes, fromHex } from "@credlink/primitives";
import type { Client } from "./client.ts";
import { clientError } from "./errors.ts";
import { readValidators, type VerifiedHeader } from "./header-claims.ts";
import type { Identity } from "./session.ts";
import type { Call } from "./transactions.ts";

/** Gas of a change before its additions, and of each one's certificate, with room. */
const CHANGE_GAS = 2_000_000;
const ADDITION_GAS = 1_500_000;

/**
 * Adds and removes validators, two blocks on. Sender and co-signers must be admins of more than
 * half of the organisations; who is added is enrolled and has caught up.
 */
export function changeValidatorsCall(
  { add = [], remove = [] }: Partial<ChangeValidatorsArgs>,
  coSigners: readonly Identity[],
): Call {
  return {
    contract: VALIDATORS_CONTRACT,
    version: BUILT_IN_VERSION,
    method: "change",
    args: encode(changeValidatorsArgsCodec, { add, remove }),
    gasLimit: CHANGE_GAS + add.length * ADDITION_GAS,
    coSigners,
  };
}

/** V(height) as the gateway says it: the caller compares its digest. */
export async function fetchValidators(
  client: Pick<Client, "call">,
  height: number,
): Promise<readonly Validator[]> {
  const { validators } = await client.call("chain.validators", { height });
  return validators.map(({ nodeId, publicKey, peerId }) => ({
    nodeId,
    publicKey: fromHex(publicKey),
    peerId,
  }));
}

/**
 * V(height) of a proven header, which names the list's digest.
 * @throws ClientError CLIENT_VALIDATORS_UNKNOWN when the gateway's list is another
 */
export async function getValidators(
  client: Client,
  { header }: VerifiedHeader,
): Promise<ValidatorSet> {
  const set = readValidators(await fetchValidators(client, header.height));
  if (set !== null && equalBytes(set.hash, header.validatorsHash)) return set;
  throw clientError("CLIENT_VALIDATORS_UNKNOWN", `not V(${header.height})`);
}
