import {
  bytesUpTo,
  type Codec,
  concatBytes,
  decode,
  encode,
  struct,
  utf8,
} from "@credlink/primitives";
import { publicKeyFromProtobuf, publicKeyToProtobuf } from "@libp2p/crypto/keys";
import type { PeerId, PrivateKey, PublicKey } from "@libp2p/interface";
import { peerIdFromPublicKey } from "@libp2p/peer-id";
import { refusedByUs } from "../handshake-channel.ts";

/** What a side says of itself inside the handshake: whose the static key is. */
interface IdentityPayload {
  /** The libp2p key behind the peer id, as libp2p's protobuf. */
  readonly identityKey: Uint8Array;
  /** Of the static key, by that key. */
  readonly signature: Uint8Array;
}

export const identityPayloadCodec: Codec<IdentityPayload> = struct({
  identityKey: bytesUpTo(256),
  signature: bytesUpTo(256),
});

/** Stands in front of the static key that is signed: a signature for libp2p's noise is none here. */
const DOMAIN = utf8("credlink/noise/gm/1 static key");

function signedBytes(staticKey: Uint8Array): Uint8Array {
  return concatBytes(DOMAIN, staticKey);
}

/** The payload of a node whose static key this is. */
export async function createIdentityPayload(
  privateKey: PrivateKey,
  staticKey: Uint8Array,
): Promise<Uint8Array> {
  return encode(identityPayloadCodec, {
    identityKey: publicKeyToProtobuf(privateKey.publicKey),
    signature: await privateKey.sign(signedBytes(staticKey)),
  });
}

function parse(payload: Uint8Array): { readonly key: PublicKey; readonly signature: Uint8Array } {
  try {
    const { identityKey, signature } = decode(identityPayloadCodec, payload);
    return { key: publicKeyFromProtobuf(identityKey), signature };
  } catch (cause) {
    throw refusedByUs("NODE_ADMISSION_CHANNEL_BROKEN", "no identity", cause);
  }
}

/** Total: the library throws on a signature that is none of its key's kind. */
async function isSignedBy(key: PublicKey, bytes: Uint8Array, signature: Uint8Array) {
  try {
    return await key.verify(bytes, signature);
  } catch {
    return false;
  }
}

/**
 * The peer id that a payload proves for the static key it came with.
 * @throws AdmissionError NODE_ADMISSION_CHANNEL_BROKEN; NODE_ADMISSION_WRONG_PEER when the
 *   signature does not hold, or the peer is not the expected one
 */
export async function judgeIdentityPayload(
  payload: Uint8Array,
  staticKey: Uint8Array,
  expected: PeerId | undefined,
): Promise<PeerId> {
  const { key, signature } = parse(payload);
  if (!(await isSignedBy(key, signedBytes(staticKey), signature))) {
    throw refusedByUs("NODE_ADMISSION_WRONG_PEER", "the static key is not signed by the peer's");
  }
  const peer = peerIdFromPublicKey(key);
  if (expected !== undefined && !expected.equals(peer)) {
    throw refusedByUs("NODE_ADMISSION_WRONG_PEER", "another peer than the one that was dialled");
  }
  return peer;
}
