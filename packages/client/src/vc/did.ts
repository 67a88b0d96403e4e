import { formatAddress } from "@credlink/crypto";
import type { Address } from "@credlink/primitives";

/**
 * `did:credlink:<chain-id>:<address>`: a member, or a relation key, of one chain. The document
 * behind it is the member's record in the registry of that chain's state.
 * @see docs/protocol/verifiable-credential.md
 */
export function didOf(chainId: string, address: Address): string {
  return `did:credlink:${encodeURIComponent(chainId)}:${formatAddress(address)}`;
}

/** Names one key of a member: by the height from which it counts. */
export function keyIdOf(did: string, fromHeight: number): string {
  return `${did}#key-${fromHeight}`;
}

/** Names a credential, below the identifier of its issuer. */
export function credentialUrl(issuer: string, id: string): string {
  return `${issuer}/credentials/${id}`;
}
