import { taggedSm3 } from "@credlink/crypto";
import {
  type Address,
  bytes,
  bytesUpTo,
  type Codec,
  type Digest,
  encode,
  nullable,
  struct,
  u32,
} from "@credlink/primitives";

/** A new key for a member, and the proof that whoever brings it holds its private half. */
export interface ProvenKey {
  /** 65 bytes, uncompressed. */
  readonly publicKey: Uint8Array;
  /** r ‖ s, 64 bytes: the new key's signature over `keyPossessionMessage`. */
  readonly possession: Uint8Array;
}

const provenKeyFields = { publicKey: bytes(65), possession: bytes(64) };

/**
 * The 32 bytes that a new key signs. They bind it to the chain, to the member that takes it, and to
 * its place among that member's keys, so that a proof serves once.
 *
 * @param index how many keys the member's record holds already.
 */
export function keyPossessionMessage(
  genesisDigest: Digest,
  key: { readonly address: Address; readonly index: number; readonly publicKey: Uint8Array },
): Digest {
  const { address, index, publicKey } = key;
  return taggedSm3(
    "credlink/key-possession/1",
    genesisDigest,
    address,
    encode(u32, index),
    publicKey,
  );
}

/**
 * `members.rotateKey`: the sender's next key, from the next height on. With a certificate of its
 * organisation's CA over the new key, the certificate's validity becomes the member's; nodes bring
 * one. A validator's key in the validator registry changes with it.
 */
export interface RotateKeyArgs extends ProvenKey {
  /** DER, or null: the member's validity stays. */
  readonly certificate: Uint8Array | null;
}
export const rotateKeyArgsCodec: Codec<RotateKeyArgs> = struct({
  ...provenKeyFields,
  certificate: nullable(bytesUpTo(4 * 1024)),
});

/** `members.renewCertificate`: another certificate over the sender's present key. */
export interface RenewCertificateArgs {
  readonly certificate: Uint8Array;
}
export const renewCertificateArgsCodec: Codec<RenewCertificateArgs> = struct({
  certificate: bytesUpTo(4 * 1024),
});
