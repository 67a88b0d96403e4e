import { sm3, sm3OfAll } from "@credlink/crypto";
import {
  type Codec,
  concatBytes,
  type Digest,
  digest,
  digestCodec,
  equalBytes,
  invariant,
  list,
  struct,
} from "@credlink/primitives";

/**
 * Merkle trees shaped as in RFC 6962 §2.1, over SM3: a leaf is hashed behind 0x00, a pair of
 * nodes behind 0x01, and the left subtree holds the largest power of two below the count.
 */

const LEAF_PREFIX = Uint8Array.of(0x00);
const NODE_PREFIX = Uint8Array.of(0x01);

/** Root of no leaves: SM3 of nothing. */
export const EMPTY_MERKLE_ROOT: Digest = digest(sm3(new Uint8Array(0)));

/** Hash of one leaf's bytes. */
export function merkleLeafHash(leaf: Uint8Array): Digest {
  return digest(sm3(concatBytes(LEAF_PREFIX, leaf)));
}

function nodeHash(left: Uint8Array, right: Uint8Array): Digest {
  return digest(sm3(concatBytes(NODE_PREFIX, left, right)));
}

function leafHashes(leaves: readonly Uint8Array[]): Digest[] {
  return sm3OfAll(leaves.map((leaf) => [LEAF_PREFIX, leaf]));
}

/** Root over leaves in their order. */
export function merkleRoot(leaves: readonly Uint8Array[]): Digest {
  if (leaves.length === 0) return EMPTY_MERKLE_ROOT;
  let level = leafHashes(leaves);
  while (level.length > 1) level = pairUp(level);
  return level[0] as Digest;
}

/** One level up: pairs hashed, an odd last node taken as it is (the same shape as RFC 6962). */
function pairUp(level: readonly Digest[]): Digest[] {
  const pairs: Uint8Array[][] = [];
  for (let i = 1; i < level.length; i += 2) {
    pairs.push([NODE_PREFIX, level[i - 1] as Digest, level[i] as Digest]);
  }
  const above = sm3OfAll(pairs);
  if (level.length % 2 === 1) above.push(level[level.length - 1] as Digest);
  return above;
}

/** The way from one leaf to the root; place and count travel beside it. */
export interface MerkleProof {
  /** Siblings from the leaf upward, where there is one. */
  readonly siblings: readonly Digest[];
}

export const merkleProofCodec: Codec<MerkleProof> = struct({ siblings: list(digestCodec, 32) });

/** The inclusion proof of the leaf at `index`. @see RFC 6962 §2.1.1 */
export function createMerkleProof(leaves: readonly Uint8Array[], index: number): MerkleProof {
  invariant(index >= 0 && index < leaves.length, "the index of a leaf");
  const siblings: Digest[] = [];
  let level = leafHashes(leaves);
  for (let at = index; level.length > 1; at = at >> 1) {
    const sibling = level[at ^ 1];
    if (sibling !== undefined) siblings.push(sibling);
    level = pairUp(level);
  }
  return { siblings };
}

/** What an inclusion proof claims. */
export interface MerkleClaim {
  readonly root: Digest;
  /** The leaf's bytes, not hashed yet. */
  readonly leaf: Uint8Array;
  /** Place of the leaf, from 0. */
  readonly index: number;
  /** Number of leaves under `root`; must come from a trusted header. */
  readonly count: number;
  readonly proof: MerkleProof;
}

/** Whether the proof leads from the leaf to the root. Total: false for any impossible shape. */
export function verifyMerkleProof({ root, leaf, index, count, proof }: MerkleClaim): boolean {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(count)) return false;
  if (index < 0 || index >= count) return false;
  const { siblings } = proof;
  let hash = merkleLeafHash(leaf);
  let at = index;
  let used = 0;
  for (let last = count - 1; last > 0; last = Math.floor(last / 2)) {
    const isLeft = at % 2 === 0;
    if (!isLeft || at < last) {
      const sibling = siblings[used++];
      if (sibling === undefined) return false;
      hash = isLeft ? nodeHash(hash, sibling) : nodeHash(sibling, hash);
    }
    at = Math.floor(at / 2);
  }
  return used === siblings.length && equalBytes(hash, root);
}

/** `header.transactionRoot`: over the transactions' ids. */
export function transactionRoot(ids: readonly Digest[]): Digest {
  return merkleRoot(ids);
}

/** `header.receiptRoot`: over the encoded receipts. */
export function receiptRoot(encodedReceipts: readonly Uint8Array[]): Digest {
  return merkleRoot(encodedReceipts);
}

/** `header.evidenceRoot`: over the body's pieces of evidence. */
export function evidenceRoot(evidence: readonly Uint8Array[]): Digest {
  return merkleRoot(evidence);
}
