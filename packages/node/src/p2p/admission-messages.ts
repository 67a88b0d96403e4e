import {
  bytes,
  bytesUpTo,
  type Codec,
  concatBytes,
  type Digest,
  digestCodec,
  encode,
  list,
  oneOf,
  struct,
  text,
  u32,
  union,
  utf8,
} from "@credlink/primitives";
import { SESSION_HASH_BYTES } from "./secure-channel.ts";

/**
 * Name under which two nodes agree on the secured channel: Noise XX, then the admission messages,
 * and only after them a multiplexer, without which no other protocol can be named.
 */
export const ADMISSION_PROTOCOL = "/credlink/admission/2";
export const ADMISSION_VERSION = 2;
/** Largest message of the handshake. */
export const MAX_ADMISSION_FRAME_BYTES = 32 * 1024;
export const NONCE_BYTES = 32;
/** Leaf and organisation CAs; the root is never sent. */
export const MAX_CHAIN_CERTIFICATES = 4;
/** Most addresses that a peer may announce. */
export const MAX_ANNOUNCED_ADDRESSES = 8;

/** First message of either side: who it says it is, and a nonce of its own. */
export interface AdmissionHello {
  readonly type: "hello";
  readonly version: number;
  readonly chainId: string;
  readonly genesisDigest: Digest;
  /** The sender's own libp2p peer id. */
  readonly peerId: string;
  readonly nonce: Uint8Array;
  /** DER, the node's own certificate first. */
  readonly certificates: readonly Uint8Array[];
  /** Multiaddresses without the peer id under which the sender can be dialled; may be empty. */
  readonly addresses: readonly string[];
}

/** SM2 over `admissionSigningMessage` by the key of the first certificate. */
export interface AdmissionProof {
  readonly type: "proof";
  /** The session that the signer is in: a proof from another one can thus be told from a forgery. */
  readonly sessionHash: Uint8Array;
  readonly signature: Uint8Array;
}

/** The end of the handshake: empty = admitted, else a code of docs/errors.md. */
export interface AdmissionVerdict {
  readonly type: "verdict";
  readonly code: string;
}

export type AdmissionMessage = AdmissionHello | AdmissionProof | AdmissionVerdict;

export const admissionMessageCodec: Codec<AdmissionMessage> = union<AdmissionMessage>({
  hello: [
    0,
    struct({
      version: u32,
      chainId: text(64),
      genesisDigest: digestCodec,
      peerId: text(128),
      nonce: bytes(NONCE_BYTES),
      certificates: list(bytesUpTo(4 * 1024), MAX_CHAIN_CERTIFICATES),
      addresses: list(text(256), MAX_ANNOUNCED_ADDRESSES),
    }),
  ],
  proof: [1, struct({ sessionHash: bytes(SESSION_HASH_BYTES), signature: bytes(64) })],
  verdict: [2, struct({ code: text(64) })],
});

/** Which end of the connection a node is: who dialled, and who listened. */
export type AdmissionRole = "dialer" | "listener";

/** What both sides sign, each in its own role. */
export interface AdmissionBinding {
  readonly chainId: string;
  readonly genesisDigest: Digest;
  readonly signerRole: AdmissionRole;
  readonly signerPeerId: string;
  readonly otherPeerId: string;
  readonly dialerNonce: Uint8Array;
  readonly listenerNonce: Uint8Array;
  /** Hash of the secure channel's whole handshake. */
  readonly sessionHash: Uint8Array;
}

const bindingCodec: Codec<AdmissionBinding> = struct({
  chainId: text(64),
  genesisDigest: digestCodec,
  signerRole: oneOf("dialer", "listener"),
  signerPeerId: text(128),
  otherPeerId: text(128),
  dialerNonce: bytes(NONCE_BYTES),
  listenerNonce: bytes(NONCE_BYTES),
  sessionHash: bytes(SESSION_HASH_BYTES),
});

const DOMAIN = utf8("credlink/admission/2");

/**
 * The bytes that SM2 signs: one byte length of the domain ‖ domain ‖ canonical binding.
 * Peer ids and session hash are those of the secure channel itself, so that a signature is of no
 * use in another session, not even to who holds the peer keys of both nodes.
 */
export function admissionSigningMessage(binding: AdmissionBinding): Uint8Array {
  return concatBytes(Uint8Array.of(DOMAIN.length), DOMAIN, encode(bindingCodec, binding));
}
