import type { Digest, PeerId } from "@credlink/primitives";

/** One member of V(h). Its place in the list is its index, valid for that height only. */
export interface Validator {
  /** Name of the node, unique in the consortium (the certificate's common name). */
  readonly nodeId: string;
  /** SM2 consensus key, 65 bytes uncompressed. */
  readonly publicKey: Uint8Array;
  /** The libp2p peer id it is reached under. */
  readonly peerId: PeerId;
}

/** V(h): ordered, not empty, no node id or key twice. */
export interface ValidatorSet {
  readonly validators: readonly Validator[];
  /** Digest of the canonical encoding of the list. */
  readonly hash: Digest;
}
