import {
  CREDENTIAL_CONTRACT,
  CREDENTIAL_CONTRACT_VERSION,
  credentialIdArgsCodec,
  type FieldDisclosure,
  publishArgsCodec,
  reasonDigest,
  revokeArgsCodec,
  type SaltedText,
} from "@credlink/contracts";
import { encode } from "@credlink/primitives";
import type { Client } from "./client.ts";
import { type Executed, executeFor } from "./executed.ts";
import type { Identity } from "./session.ts";
import type { Call } from "./transactions.ts";

/** A call of the credential contract. */
export function credentialCall(
  method: string,
  args: Uint8Array,
  coSigners: readonly Identity[] = [],
): Call {
  const contract = CREDENTIAL_CONTRACT;
  return { contract, version: CREDENTIAL_CONTRACT_VERSION, method, args, coSigners };
}

/** What the contract's methods return that act on one credential. */
export interface CredentialId {
  readonly id: Uint8Array;
}

/**
 * Revokes a credential, ends a grant or takes a case back: by its issuer, a regulator, a grantor or
 * a claimant. Only the reason's salted digest goes on chain: who keeps text and salt can show it.
 */
export function revokeCredential(
  client: Client,
  id: Uint8Array,
  reason: SaltedText,
): Promise<Executed<CredentialId>> {
  const args = encode(revokeArgsCodec, { id, reason: reasonDigest(reason) });
  return executeFor(client, credentialCall("revoke", args), credentialIdArgsCodec);
}

/**
 * Publishes fields of level 1 in clear, in the schema's order, by the issuer of an enterprise's or
 * institution's identity; in the place of what was published before, which none at all removes.
 */
export function publishFields(
  client: Client,
  id: Uint8Array,
  disclosures: readonly FieldDisclosure[],
): Promise<Executed<CredentialId>> {
  const args = encode(publishArgsCodec, { id, disclosures });
  return executeFor(client, credentialCall("publish", args), credentialIdArgsCodec);
}
