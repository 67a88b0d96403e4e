import {
  EMPTY_STATE_ROOT,
  type StateProof,
  stateLeafHash,
  stateNodeHash,
  statePath,
  stateValueDigest,
} from "@credlink/ledger";
import { compareBytes, type Digest, digest, equalBytes } from "@credlink/primitives";

/** One entry of a test chain's state. */
export interface StateEntry {
  readonly contract: string;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

interface Leaf {
  readonly path: Uint8Array;
  readonly valueDigest: Uint8Array;
}

function leavesOf(entries: readonly StateEntry[]): readonly Leaf[] {
  return entries
    .map(({ contract, key, value }) => ({
      path: statePath(contract, key),
      valueDigest: stateValueDigest(value),
    }))
    .sort((a, b) => compareBytes(a.path, b.path));
}

function bitOf(path: Uint8Array, depth: number): number {
  return ((path[depth >> 3] ?? 0) >> (7 - (depth & 7))) & 1;
}

function halves(leaves: readonly Leaf[], depth: number): readonly [Leaf[], Leaf[]] {
  return [
    leaves.filter(({ path }) => bitOf(path, depth) === 0),
    leaves.filter(({ path }) => bitOf(path, depth) === 1),
  ];
}

function rootOf(leaves: readonly Leaf[], depth = 0): Digest {
  const [only] = leaves;
  if (only === undefined) return EMPTY_STATE_ROOT;
  if (leaves.length === 1) return digest(stateLeafHash(only.path, only.valueDigest));
  const [left, right] = halves(leaves, depth);
  return digest(stateNodeHash(rootOf(left, depth + 1), rootOf(right, depth + 1)));
}

/** Root of the state tree over few entries, computed as the protocol's text says it. */
export function stateRootOf(entries: readonly StateEntry[]): Digest {
  return rootOf(leavesOf(entries));
}

/** The value of a key and the proof that it is there, or is not. */
export function proveState(
  entries: readonly StateEntry[],
  contract: string,
  key: Uint8Array,
): { readonly value: Uint8Array | null; readonly proof: StateProof } {
  const path = statePath(contract, key);
  const siblings: (Digest | null)[] = [];
  let leaves = leavesOf(entries);
  for (let depth = 0; leaves.length > 1; depth += 1) {
    const [left, right] = halves(leaves, depth);
    const [own, other] = bitOf(path, depth) === 0 ? [left, right] : [right, left];
    siblings.push(other.length === 0 ? null : rootOf(other, depth + 1));
    leaves = own;
  }
  const found = entries.find((each) => each.contract === contract && equalBytes(each.key, key));
  return { value: found?.value ?? null, proof: { siblings, leaf: leaves[0] ?? null } };
}
