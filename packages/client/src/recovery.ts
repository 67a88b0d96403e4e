import {
  BUILT_IN_VERSION,
  type ListedRecovery,
  listRecoveriesArgsCodec,
  MAX_LISTED_RECOVERIES,
  MEMBERS_CONTRACT,
  type ProposeRecoveryArgs,
  proposeRecoveryArgsCodec,
  type Recovery,
  recoveryCodec,
  recoveryKey,
  recoveryListCodec,
  recoveryTargetCodec,
} from "@credlink/ledger";
import { type Address, encode, equalBytes, height } from "@credlink/primitives";
import type { Client } from "./client.ts";
import { proposeCall } from "./governance.ts";
import { decodeClaim } from "./header-claims.ts";
import type { Call } from "./transactions.ts";

/** A signature, a certificate chain and the writes, with room. */
const RECOVERY_GAS = 3_500_000;

function recoveryCall(method: string, args: Uint8Array): Call {
  const gasLimit = RECOVERY_GAS;
  return { contract: MEMBERS_CONTRACT, version: BUILT_IN_VERSION, method, args, gasLimit };
}

/** Proposes the next key of a member that lost its own; `proveKey` makes key and proof. */
export function proposeRecoveryCall(recovery: ProposeRecoveryArgs): Call {
  return recoveryCall("proposeRecovery", encode(proposeRecoveryArgsCodec, recovery));
}

/** The same of an organisation's admin: a proposal that the consortium decides. */
export function recoverAdminCall(recovery: ProposeRecoveryArgs): Call {
  return proposeCall({
    contract: MEMBERS_CONTRACT,
    method: "recoverAdmin",
    args: encode(proposeRecoveryArgsCodec, recovery),
    executeAt: height(0),
  });
}

/** Ends a recovery that waits: by the member, who manages it, or a regulator. */
export function cancelRecoveryCall(address: Address): Call {
  return recoveryCall("cancelRecovery", encode(recoveryTargetCodec, { address }));
}

/** Gives a member its new key, once the time to object is over; anybody may. */
export function completeRecoveryCall(address: Address): Call {
  return recoveryCall("completeRecovery", encode(recoveryTargetCodec, { address }));
}

/** A member's recovery with proof; null when it is proven that none stands there. */
export async function getRecovery(client: Client, address: Address): Promise<Recovery | null> {
  const { value } = await client.getState(MEMBERS_CONTRACT, recoveryKey(address));
  return value === null ? null : decodeClaim(recoveryCodec, value, "recovery");
}

/**
 * Recoveries in the order of their members' addresses; the node's word.
 *
 * @param after the last address of the page before, null for the first page.
 */
export async function listRecoveries(
  client: Client,
  after: Address | null = null,
): Promise<readonly ListedRecovery[]> {
  const args = encode(listRecoveriesArgsCodec, { from: after, limit: MAX_LISTED_RECOVERIES });
  const query = { contract: MEMBERS_CONTRACT, method: "recoveries", args };
  const { returnValue } = await client.queryContract(query);
  const page = decodeClaim(recoveryListCodec, returnValue, "recoveries");
  return page.filter(({ address }) => after === null || !equalBytes(address, after));
}
