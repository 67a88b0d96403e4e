import {
  BUILT_IN_VERSION,
  enrollArgsCodec,
  MAX_ENROLMENTS,
  MEMBERS_CONTRACT,
  type Member,
  type MemberStatus,
  memberCodec,
  memberKey,
  type RelationKey,
  registerRelationKeysArgsCodec,
  registerRevocationListArgsCodec,
  setMemberStatusArgsCodec,
} from "@credlink/ledger";
import { type Address, encode } from "@credlink/primitives";
import type { Client } from "./client.ts";
import { decodeClaim } from "./header-claims.ts";
import type { Call } from "./transactions.ts";

/** Gas of a call before its items, and of a certificate chain that is verified, with room. */
const CALL_GAS = 1_000_000;
export const CERTIFICATE_GAS = 1_300_000;
const KEY_GAS = 200_000;
export const LIST_BYTE_GAS = 1_000;

/** A call of the member registry. */
export function membersCall(method: string, args: Uint8Array, itemGas = 0): Call {
  const gasLimit = CALL_GAS + itemGas;
  return { contract: MEMBERS_CONTRACT, version: BUILT_IN_VERSION, method, args, gasLimit };
}

/** Calls that enrol members by their certificates (DER), as many as one call carries each. */
export function enrollCalls(certificates: readonly Uint8Array[]): readonly Call[] {
  return chunks(certificates).map((part) =>
    membersCall(
      "enroll",
      encode(enrollArgsCodec, { certificates: part }),
      part.length * CERTIFICATE_GAS,
    ),
  );
}

/** Calls by which an institution registers relation keys. */
export function registerRelationKeysCalls(keys: readonly RelationKey[]): readonly Call[] {
  return chunks(keys).map((part) =>
    membersCall(
      "registerRelationKeys",
      encode(registerRelationKeysArgsCodec, { keys: part }),
      part.length * KEY_GAS,
    ),
  );
}

/** Suspends, reactivates, lets go or revokes one member. */
export function setMemberStatusCall(address: Address, status: MemberStatus): Call {
  return membersCall("setStatus", encode(setMemberStatusArgsCodec, { address, status }));
}

/** Makes an organisation CA's revocation list (DER) count on chain. */
export function registerRevocationListCall(revocationList: Uint8Array): Call {
  const args = encode(registerRevocationListArgsCodec, { revocationList });
  return membersCall(
    "registerRevocationList",
    args,
    CERTIFICATE_GAS + revocationList.length * LIST_BYTE_GAS,
  );
}

/** A member of the registry with proof, or null when it is proven absent. */
export async function getMember(client: Client, address: Address): Promise<Member | null> {
  const { value } = await client.getState(MEMBERS_CONTRACT, memberKey(address));
  return value === null ? null : decodeClaim(memberCodec, value, "member");
}

function chunks<T>(items: readonly T[]): readonly (readonly T[])[] {
  const parts: T[][] = [];
  for (let at = 0; at < items.length; at += MAX_ENROLMENTS) {
    parts.push(items.slice(at, at + MAX_ENROLMENTS));
  }
  return parts;
}
