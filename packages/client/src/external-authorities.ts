import {
  type EnrollExternalArgs,
  EXTERNAL_NAMES_KEY,
  type ExternalAuthority,
  enrollExternalArgsCodec,
  externalAuthorityCodec,
  externalAuthorityKey,
  externalAuthorityNameArgsCodec,
  externalNamesCodec,
  MEMBERS_CONTRACT,
  type RegisterExternalAuthorityArgs,
  type RegisterExternalListArgs,
  registerExternalAuthorityArgsCodec,
  registerExternalListArgsCodec,
  renewExternalArgsCodec,
} from "@credlink/ledger";
import { encode, height } from "@credlink/primitives";
import type { Client } from "./client.ts";
import { proposeCall } from "./governance.ts";
import { decodeClaim } from "./header-claims.ts";
import { CERTIFICATE_GAS, LIST_BYTE_GAS, membersCall } from "./members.ts";
import type { Identity } from "./session.ts";
import type { Call } from "./transactions.ts";

/*
 * Certificate authorities outside the consortium: proposed and withdrawn by its organisations, and
 * what becomes of the certificates that they issue.
 */

const AS_SOON_AS_PASSED = height(0);

/** Proposes that an outside authority is registered. */
export function proposeExternalAuthorityCall(
  authority: RegisterExternalAuthorityArgs,
  coSigners: readonly Identity[] = [],
): Call {
  return propose(
    "registerExternalAuthority",
    encode(registerExternalAuthorityArgsCodec, authority),
    coSigners,
  );
}

/** Proposes that an outside authority is withdrawn: whoever holds its certificates is revoked. */
export function proposeExternalWithdrawalCall(
  name: string,
  coSigners: readonly Identity[] = [],
): Call {
  const args = encode(externalAuthorityNameArgsCodec, { name });
  return propose("withdrawExternalAuthority", args, coSigners);
}

function propose(method: string, args: Uint8Array, coSigners: readonly Identity[]): Call {
  const proposal = { contract: MEMBERS_CONTRACT, method, args, executeAt: AS_SOON_AS_PASSED };
  return proposeCall(proposal, coSigners);
}

/** Enrols the holder of an outside certificate as a member of the admin's organisation. */
export function enrollExternalCall(args: EnrollExternalArgs): Call {
  return membersCall("enrollExternal", encode(enrollExternalArgsCodec, args), CERTIFICATE_GAS);
}

/** Puts another certificate of the same authority, over the sender's key, in the place of its own. */
export function renewExternalCall(certificate: Uint8Array): Call {
  return membersCall(
    "renewExternal",
    encode(renewExternalArgsCodec, { certificate }),
    CERTIFICATE_GAS,
  );
}

/** Makes an outside authority's revocation list (DER) count on chain. */
export function registerExternalListCall(args: RegisterExternalListArgs): Call {
  return membersCall(
    "registerExternalList",
    encode(registerExternalListArgsCodec, args),
    CERTIFICATE_GAS + args.revocationList.length * LIST_BYTE_GAS,
  );
}

/** An outside authority with proof, or null when it is proven absent. */
export async function getExternalAuthority(
  client: Client,
  name: string,
): Promise<ExternalAuthority | null> {
  const { value } = await client.getState(MEMBERS_CONTRACT, externalAuthorityKey(name));
  return value === null ? null : decodeClaim(externalAuthorityCodec, value, "outside authority");
}

/** All outside authorities, withdrawn ones included, each proven. */
export async function listExternalAuthorities(
  client: Client,
): Promise<readonly ExternalAuthority[]> {
  const { value } = await client.getState(MEMBERS_CONTRACT, EXTERNAL_NAMES_KEY);
  const names = value === null ? [] : decodeClaim(externalNamesCodec, value, "authorities");
  const found = await Promise.all(names.map((name) => getExternalAuthority(client, name)));
  return found.flatMap((authority) => authority ?? []);
}
