import { taggedSm3 } from "@credlink/crypto";
import {
  type Address,
  bytesUpTo,
  type Digest,
  encode,
  sharedReading,
  struct,
  text,
} from "@credlink/primitives";
import { type Header, headerCodec } from "./block.ts";
import { MAX_STATE_KEY_BYTES } from "./executor.ts";
import { type Genesis, genesisCodec } from "./genesis.ts";

/** Id of a transaction: digest of the complete signed bytes, signatures included. */
export const transactionId: (signedTransactionBytes: Uint8Array) => Digest = sharedReading(
  (bytes: Uint8Array) => taggedSm3("credlink/tx/1", bytes),
);

/**
 * The 32 bytes that every signer of a transaction signs with SM2. The genesis digest binds the
 * signature to one chain.
 */
export function transactionSigningMessage(
  genesisDigestValue: Digest,
  transactionBytes: Uint8Array,
): Digest {
  return taggedSm3("credlink/transaction-signature/1", genesisDigestValue, transactionBytes);
}

/**
 * The 32 bytes that a member signs in a transaction of version 2, for itself or for an account. They
 * name for whom, so that nobody takes a signature for one address as one for another.
 */
export function endorsementMessage(
  genesisDigestValue: Digest,
  address: Address,
  transactionBytes: Uint8Array,
): Digest {
  return taggedSm3(
    "credlink/transaction-signature/2",
    genesisDigestValue,
    address,
    transactionBytes,
  );
}

/** Digest of a block: of its header alone, which commits to all the rest. */
export const headerDigest: (header: Header) => Digest = sharedReading((header: Header) =>
  taggedSm3("credlink/header/1", encode(headerCodec, header)),
);

/** The chain's identity in every signature and handshake. */
export function genesisDigest(genesis: Genesis): Digest {
  const known = genesisDigests.get(genesis);
  if (known !== undefined) return known;
  const digest = taggedSm3("credlink/genesis/1", encode(genesisCodec, genesis));
  genesisDigests.set(genesis, digest);
  return digest;
}

const genesisDigests = new WeakMap<Genesis, Digest>();

/** `header.historyRoot` of a body's history bytes; the empty history has one too. */
export function historyRoot(history: Uint8Array): Digest {
  return taggedSm3("credlink/history/1", history);
}

const statePlaceCodec = struct<{ contract: string; key: Uint8Array }>({
  contract: text(64),
  key: bytesUpTo(MAX_STATE_KEY_BYTES),
});

/** Where a key stands in the state tree: 256 bits, first bit first. */
export function statePath(contract: string, key: Uint8Array): Digest {
  return taggedSm3("credlink/state-path/1", encode(statePlaceCodec, { contract, key }));
}

/** Digest of a state value, as the leaf holds it. */
export function stateValueDigest(value: Uint8Array): Digest {
  return taggedSm3("credlink/state-value/1", value);
}

/** Hash of a leaf of the state tree. */
export function stateLeafHash(path: Uint8Array, valueDigest: Uint8Array): Digest {
  return taggedSm3("credlink/state-leaf/1", path, valueDigest);
}

/** Hash of an inner node of the state tree. */
export function stateNodeHash(left: Uint8Array, right: Uint8Array): Digest {
  return taggedSm3("credlink/state-node/1", left, right);
}
