import { taggedSm3, taggedSm3OfAll } from "@credlink/crypto";
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

const STATE_PATH = "credlink/state-path/1";
const STATE_VALUE = "credlink/state-value/1";
const STATE_LEAF = "credlink/state-leaf/1";
const STATE_NODE = "credlink/state-node/1";

/** A key of a contract. */
export interface StatePlace {
  readonly contract: string;
  readonly key: Uint8Array;
}

/** Where a key stands in the state tree: 256 bits, first bit first. */
export function statePath(contract: string, key: Uint8Array): Digest {
  return taggedSm3(STATE_PATH, encode(statePlaceCodec, { contract, key }));
}

/** `statePath` of each, computed together. */
export function statePaths(places: readonly StatePlace[]): Digest[] {
  const encoded = places.map(({ contract, key }) => [encode(statePlaceCodec, { contract, key })]);
  return taggedSm3OfAll(STATE_PATH, encoded);
}

/** Digest of a state value, as the leaf holds it. */
export function stateValueDigest(value: Uint8Array): Digest {
  return taggedSm3(STATE_VALUE, value);
}

/** `stateValueDigest` of each, computed together. */
export function stateValueDigests(values: readonly Uint8Array[]): Digest[] {
  return taggedSm3OfAll(
    STATE_VALUE,
    values.map((value) => [value]),
  );
}

/** Hash of a leaf of the state tree. */
export function stateLeafHash(path: Uint8Array, valueDigest: Uint8Array): Digest {
  return taggedSm3(STATE_LEAF, path, valueDigest);
}

/** `stateLeafHash` of each, computed together. */
export function stateLeafHashes(
  leaves: readonly { readonly path: Uint8Array; readonly valueDigest: Uint8Array }[],
): Digest[] {
  return taggedSm3OfAll(
    STATE_LEAF,
    leaves.map(({ path, valueDigest }) => [path, valueDigest]),
  );
}

/** Hash of an inner node of the state tree. */
export function stateNodeHash(left: Uint8Array, right: Uint8Array): Digest {
  return taggedSm3(STATE_NODE, left, right);
}

/** `stateNodeHash` of each pair, computed together. */
export function stateNodeHashes(pairs: readonly (readonly [Uint8Array, Uint8Array])[]): Digest[] {
  return taggedSm3OfAll(STATE_NODE, pairs);
}
