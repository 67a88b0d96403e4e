import {
  BUILT_IN_VERSION,
  keyPossessionMessage,
  MEMBERS_CONTRACT,
  type ProvenKey,
  renewCertificateArgsCodec,
  rotateKeyArgsCodec,
} from "@credlink/ledger";
import { type Address, type Digest, encode, type Signer } from "@credlink/primitives";
import type { Client } from "./client.ts";
import { clientError } from "./errors.ts";
import { getMember } from "./members.ts";
import type { CommittedTransaction } from "./records.ts";
import { createIdentity, type Identity } from "./session.ts";
import type { Call } from "./transactions.ts";

/** A signature, a certificate chain and the writes, with room. */
const KEY_CALL_GAS = 3_500_000;

function keyCall(method: string, args: Uint8Array): Call {
  return {
    contract: MEMBERS_CONTRACT,
    version: BUILT_IN_VERSION,
    method,
    args,
    gasLimit: KEY_CALL_GAS,
  };
}

/**
 * A key and the proof that its holder takes it for a member. Made where the private key is; what
 * comes out may travel.
 *
 * @param place `index` is how many keys the member's record holds now.
 */
export async function proveKey(
  signer: Signer,
  genesisDigest: Digest,
  place: { readonly address: Address; readonly index: number },
): Promise<ProvenKey> {
  const { publicKey } = signer;
  const message = keyPossessionMessage(genesisDigest, { ...place, publicKey });
  return { publicKey, possession: await signer.sign(message) };
}

/** Replaces the sender's key; `certificate` (DER) is over the new key, null where it has none. */
export function rotateKeyCall(key: ProvenKey, certificate: Uint8Array | null = null): Call {
  return keyCall("rotateKey", encode(rotateKeyArgsCodec, { ...key, certificate }));
}

/** Puts another certificate (DER) over the sender's present key. */
export function renewCertificateCall(certificate: Uint8Array): Call {
  return keyCall("renewCertificate", encode(renewCertificateArgsCodec, { certificate }));
}

/** A rotation that is on chain. */
export interface RotatedKey {
  /** The member with its new key: what later clients sign with. */
  readonly identity: Identity;
  readonly committed: CommittedTransaction;
  /** First height at which transactions are judged by the new key. */
  readonly fromHeight: number;
}

/**
 * Rotates the key of the client's member. The client itself keeps the old one, whose session ends
 * with it: make another client with the identity that is returned.
 *
 * @param certificate DER over the new key, by the organisation's CA; nodes need one.
 * @throws ClientError CLIENT_KEY_MISSING when the client has no member; CLIENT_TRANSACTION_FAILED
 */
export async function rotateKey(
  client: Client,
  newSigner: Signer,
  certificate: Uint8Array | null = null,
): Promise<RotatedKey> {
  const { identity } = client;
  if (identity === undefined) throw clientError("CLIENT_KEY_MISSING", "nobody to rotate");
  const { address } = identity;
  const index = (await getMember(client, address))?.keys.length ?? 0;
  const key = await proveKey(newSigner, client.genesisDigest, { address, index });
  const committed = await client.execute(rotateKeyCall(key, certificate));
  const fromHeight = committed.header.height + 1;
  return { identity: createIdentity(newSigner, address), committed, fromHeight };
}
