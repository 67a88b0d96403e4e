import {
  accept,
  bytes,
  type Codec,
  type Digest,
  digest,
  digestCodec,
  equalBytes,
  list,
  nullable,
  type Result,
  refuse,
  struct,
} from "@credlink/primitives";
import { stateLeafHash, stateNodeHash, statePath, stateValueDigest } from "./digests.ts";

/** Levels of the state tree: bits of a path. */
export const STATE_TREE_DEPTH = 256;

/** Hash of an empty subtree: 32 zero bytes, which no SM3 digest is known to be. */
export const EMPTY_STATE_ROOT: Digest = digest(new Uint8Array(32));

/** Bit `depth` of a path, the most significant bit of the first byte being bit 0. */
export function pathBit(path: Uint8Array, depth: number): 0 | 1 {
  const byte = path[depth >> 3] ?? 0;
  return ((byte >> (7 - (depth & 7))) & 1) === 1 ? 1 : 0;
}

/**
 * What stands on the way to one key. `leaf` is the leaf at the end of the way, or null where the
 * way ends in an empty subtree. It proves presence when it is the key's own leaf, absence
 * otherwise: a subtree that holds one leaf is that leaf, so no other could be below it.
 */
export interface StateProof {
  /** Siblings from the root downward; null is an empty subtree. */
  readonly siblings: readonly (Digest | null)[];
  readonly leaf: { readonly path: Uint8Array; readonly valueDigest: Uint8Array } | null;
}

export const stateProofCodec: Codec<StateProof> = struct({
  siblings: list(nullable(digestCodec), STATE_TREE_DEPTH),
  leaf: nullable(struct({ path: bytes(32), valueDigest: bytes(32) })),
});

/** What a state proof claims: `value` null claims that the key is absent. */
export interface StateClaim {
  /** `header.stateRoot` of a block that is proven otherwise. */
  readonly root: Digest;
  readonly contract: string;
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
  readonly proof: StateProof;
}

type ProofRefusal = "LEDGER_PROOF_MALFORMED" | "LEDGER_PROOF_INVALID";

/** Judges a proof of presence or of absence against a state root. */
export function verifyStateProof(claim: StateClaim): Result<null, ProofRefusal> {
  const { leaf, siblings } = claim.proof;
  const path = statePath(claim.contract, claim.key);
  if (siblings.length > STATE_TREE_DEPTH) return refuse("LEDGER_PROOF_MALFORMED", "too deep");
  // A leaf or an empty subtree below a node has a sibling, else the node would not be there.
  if (siblings.length > 0 && siblings.at(-1) === null) {
    return refuse("LEDGER_PROOF_MALFORMED", "the last sibling is empty");
  }
  if (leaf !== null && !sharesPrefix(leaf.path, path, siblings.length)) {
    return refuse("LEDGER_PROOF_MALFORMED", "the leaf is not on the key's way");
  }
  const isOwn = leaf !== null && equalBytes(leaf.path, path);
  if (isOwn !== (claim.value !== null)) {
    return refuse("LEDGER_PROOF_INVALID", isOwn ? "the key is present" : "the key is absent");
  }
  if (leaf !== null && claim.value !== null) {
    if (!equalBytes(leaf.valueDigest, stateValueDigest(claim.value))) {
      return refuse("LEDGER_PROOF_INVALID", "the leaf holds another value");
    }
  }
  let hash = leaf === null ? EMPTY_STATE_ROOT : stateLeafHash(leaf.path, leaf.valueDigest);
  for (let depth = siblings.length - 1; depth >= 0; depth--) {
    const sibling = siblings[depth] ?? EMPTY_STATE_ROOT;
    hash = pathBit(path, depth) === 0 ? stateNodeHash(hash, sibling) : stateNodeHash(sibling, hash);
  }
  return equalBytes(hash, claim.root) ? accept(null) : refuse("LEDGER_PROOF_INVALID", "other root");
}

function sharesPrefix(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  for (let depth = 0; depth < bits; depth++) {
    if (pathBit(a, depth) !== pathBit(b, depth)) return false;
  }
  return true;
}
